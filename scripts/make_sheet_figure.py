"""Draw the measurement sheet that docs/avatar-files.md shows, of the free body.

    python scripts/make_sheet_figure.py --out docs/images/avatar-sheet.png

Everything on it is what the service draws; nobody's photograph was looked at.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pose_service.avatar.records import FittedBody, RestMesh
from pose_service.avatar.sheet.data import SheetCaption, SheetData
from pose_service.avatar.sheet.page import write_sheet
from pose_service.bodies.anny import AnnyBody
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.records import BodyPoses
from pose_service.measurement.bounds import ErrorModel, bounded
from pose_service.measurement.extract import measure
from pose_service.measurement.records import MEASURES
from pose_service.measurement.surface import ClosedFaces, RestBody

HEIGHT_M = 1.75
ARMS_UP_DEG = 48.0  # from the body file's pose to a T
COLOURS = 64


def t_pose() -> RestMesh:
    """The free body, 175 cm tall."""
    body = AnnyBody.load()
    turns = np.tile(np.eye(3), (1, len(body.bone_names), 1, 1))
    for side, sign in (("L", -1), ("R", 1)):
        shoulder = body.bone_names.index(f"upperarm01.{side}")
        turns[0, shoulder] = rotation_from_vector(np.radians([0, sign * ARMS_UP_DEG, 0]))
    scale = np.array([HEIGHT_M / float(np.ptp(body.rest_vertices_m[:, 2]))])
    posed = body.world(turns, np.zeros((1, 3)), scale)
    # z up, y to the back: to y up, z to the front
    vertices, joints = (
        points[0].astype(np.float64)[:, [0, 2, 1]] * [1, 1, -1]
        for points in (body.vertices(*posed, scale), body.joints24(posed[1]))
    )
    floor = np.array([0.0, vertices[:, 1].min(), 0.0])
    return RestMesh(vertices - floor, body.faces, joints - floor)


def sheet_data() -> SheetData:
    """As of one photograph and a height that was given."""
    mesh = t_pose()
    fitted = FittedBody(
        body_name="anny",
        model_version="embedded",
        shape_names=("scale",),
        shape=np.ones(1),
        shape_covariance=np.zeros((1, 1)),
        rest=mesh,
        scale_known=True,
        pose=BodyPoses(np.eye(3)[None, None], np.zeros((1, 3)), np.ones((1, 1))),
        parameters={},
    )
    measured = measure(RestBody(mesh.vertices_m, ClosedFaces.of(mesh.faces), mesh.joints_m))
    spread_cm = dict.fromkeys(MEASURES, 0.0)
    bounds = bounded(measured.centimetres(), spread_cm, ErrorModel(), height_given=True)
    return SheetData(fitted, measured, bounds, SheetCaption(subject="The free body, 175 cm tall"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "sheet.png"
        write_sheet(sheet_data(), page, page.with_suffix(".pdf"))
        with Image.open(page) as picture:
            picture.convert("RGB").quantize(COLOURS).save(out, optimize=True)
    print(f"{out}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
