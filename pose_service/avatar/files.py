"""The files of one avatar: parameters, mesh, measurement sheet."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pose_service.avatar.mesh_files import glb_file, obj_file
from pose_service.avatar.records import FittedBody
from pose_service.avatar.sheet.data import SheetCaption, SheetData
from pose_service.avatar.sheet.page import write_sheet
from pose_service.measurement.bounds import Bound
from pose_service.measurement.records import Measurements

PARAMETERS, OBJ, GLB = "params.npz", "mesh.obj", "mesh.glb"
SHEET_PNG, SHEET_PDF = "sheet.png", "sheet.pdf"


def write_files(
    folder: Path,
    fitted: FittedBody,
    measurements: Measurements,
    bounds: Mapping[str, Bound],
    caption: SheetCaption | None = None,
) -> dict[str, Path]:
    """Write all five into `folder`, which is made if need be; their paths by file name.

    `measurements` are those of `fitted.rest`, `bounds` theirs, by name. The same body gives the
    same bytes: the only date in the files is the caption's. Raises `ValueError`, before anything is
    written, for measurements of another body; an `OSError` may leave some of the files behind.
    """
    # what is wrong is told before anything is written
    data = SheetData(fitted, measurements, bounds, caption or SheetCaption())
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / name for name in (PARAMETERS, OBJ, GLB, SHEET_PNG, SHEET_PDF)}
    _write_parameters(paths[PARAMETERS], fitted)
    with paths[OBJ].open("w", encoding="ascii", newline="\n") as text:
        text.writelines(obj_file(fitted.rest))
    with paths[GLB].open("wb") as file:
        file.writelines(glb_file(fitted.rest))
    write_sheet(data, paths[SHEET_PNG], paths[SHEET_PDF])
    return paths


def _write_parameters(path: Path, fitted: FittedBody) -> None:
    """Read with `np.load(path, allow_pickle=False)`: every array is one of numbers or of text."""
    own = {
        "shape": fitted.shape,
        "shape_names": np.array(fitted.shape_names, str),
        "body_name": np.array(fitted.body_name),
        "model_version": np.array(fitted.model_version),
    }
    if clash := sorted(own.keys() & fitted.parameters.keys()):
        raise ValueError(f"parameters: {', '.join(clash)} would be written twice")
    np.savez_compressed(path, allow_pickle=False, **own, **dict(fitted.parameters))
