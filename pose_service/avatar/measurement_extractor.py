"""Nine measures of an SMPL body by its ten numbers: the face that other programs import."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from pose_service.avatar.records import Gender
from pose_service.avatar.smpl.mesh import rest_mesh
from pose_service.bodies.smpl_file import NAMES_BY_GENDER, SHAPE_COUNT, read_smpl, wanted_body
from pose_service.bodies.smpl_rest import SmplRest
from pose_service.core.arrays import FloatArray
from pose_service.core.errors import BadRequestError
from pose_service.core.skeletons import SMPL24
from pose_service.measurement.extract import measure
from pose_service.measurement.surface import ClosedFaces, RestBody

_POSE_NUMBERS = 3 * (len(SMPL24) - 1)


class MeasurementExtractor:
    """The measures of docs/measurements.md, for one body file. Needs no torch."""

    def __init__(self, model_path: str | Path, gender: str = "neutral") -> None:
        """`model_path`: the SMPL file of `gender`, or the folder that it lies in.

        Raises `BadRequestError` for another gender, `EngineError` where there is no such file or
        it is not that body.
        """
        self.gender = gender_of(gender)
        path = _file_in(Path(model_path).expanduser(), self.gender)
        self._body = SmplRest.of(read_smpl(path, self.gender.value))
        self._surface = ClosedFaces.of(self._body.faces)

    def extract(
        self,
        betas: ArrayLike,
        body_pose: ArrayLike | None = None,
        global_orient: ArrayLike | None = None,
        *,
        height_cm: float | None = None,
    ) -> dict[str, float]:
        """Centimetres by name, always of the T-pose: no pose changes a measure.

        `betas`: (10,) or (1, 10). `body_pose` (69,) and `global_orient` (3,) are looked at for
        their shape alone. With `height_cm` the body is made as tall, in its own proportions.
        Raises `ValueError` for other shapes, and for a body that cannot be measured.
        """
        shape = _numbers("betas", betas, SHAPE_COUNT)
        for name, given, count in (
            ("body_pose", body_pose, _POSE_NUMBERS),
            ("global_orient", global_orient, 3),
        ):
            if given is not None:
                _numbers(name, given, count)
        mesh, _ = rest_mesh(self._body, shape, height_cm)
        return measure(RestBody(mesh.vertices_m, self._surface, mesh.joints_m)).centimetres()


def gender_of(word: str) -> Gender:
    """The gender called `word`; `BadRequestError` for others."""
    try:
        return Gender(word)
    except ValueError as error:
        raise BadRequestError(
            f"gender: expected one of {', '.join(Gender)}, got {word!r}"
        ) from error


def _file_in(path: Path, gender: Gender) -> Path:
    """`path`, or the body's file in it, as programs made for SMPL lay their folders out."""
    if not path.is_dir():
        return path
    names = NAMES_BY_GENDER[gender.value]
    found = [
        folder / name
        for folder in (path, path / "smpl")
        for name in names
        if (folder / name).is_file()
    ]
    if not found:
        raise wanted_body(gender.value).error(path, f"none of {', '.join(names)} lies in it")
    return found[0]


def _numbers(name: str, given: ArrayLike, count: int) -> FloatArray:
    numbers = np.asarray(given, np.float64)
    if numbers.size != count:
        raise ValueError(f"{name}: expected {count} numbers, got an array {numbers.shape}")
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name}: expected finite numbers")
    return numbers.reshape(count)
