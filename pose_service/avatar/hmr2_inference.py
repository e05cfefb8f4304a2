"""One photograph to the SMPL body of the largest person: the face that other programs import."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pose_service.avatar.check.refusals import NO_PERSON, PictureRefusedError
from pose_service.avatar.measurement_extractor import gender_of
from pose_service.avatar.records import FittedBody, Gender, Sight, Wish
from pose_service.avatar.smpl.bodies import SmplBodies, body_path
from pose_service.avatar.smpl.fit_smpl import fit_smpl
from pose_service.bodies.smpl_file import read_smpl
from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings, read_settings, settings_of
from pose_service.core.errors import BadImageError
from pose_service.core.records import Camera, Regions
from pose_service.engines.registry import build_engine
from pose_service.engines.seam import BodyModel, Engine
from pose_service.hmr2.files import EXTRA_JOINTS
from pose_service.media.images import to_rgb
from pose_service.runtime.weights import located

_ENGINE = "4dhumans"


class HMR2Inference:
    """HMR 2.0 as a function of a photograph. The nets run on the thread that calls."""

    def __init__(self, device: str | None = None, *, settings: Settings | None = None) -> None:
        """Load the 4dhumans engine, at once and completely.

        `device`: `cuda`, `cuda:1`, `cpu` or `auto`; by default what the settings say, which come
        from the environment unless given. Raises `EngineError`, with what to do about it, where a
        file or a package is missing or damaged or the device cannot be used, `SettingsError` for a
        device that is none.
        """
        asked = settings or read_settings()
        changed = {"engine": _ENGINE, "device": str(device) if device else asked.device}
        self._settings = settings_of({**asked.model_dump(), **changed})
        self._engine, _ = build_engine(self._settings)
        self._bodies = SmplBodies(self._settings)
        self._posing: dict[Gender, BodyModel] = {Gender.NEUTRAL: self._engine.body}

    def predict(self, image: Image.Image, gender: str = "neutral") -> dict[str, NDArray[Any]]:
        """The largest person of `image`, which is turned as its EXIF says.

        `betas` (10,) of that gender's body; `body_pose` (69,) and `global_orient` (3,), axis times
        angle in radians; `vertices` (6890, 3) and `joints` (24, 3) of the posed body, metres. In
        camera axes (x right, y down, z away), translation not added; all float32.

        Raises `PictureRefusedError` (`NO_PERSON`), `BadRequestError` for an unknown gender or what
        is no picture, `EngineError` where the body file of that gender is missing, and
        `UnavailableError` (`CUDA_OOM`) where the card's memory is not enough and POSE_CPU_FALLBACK
        is off.
        """
        wanted = gender_of(gender)
        body = self._body(wanted)
        sight = largest_person(self._engine, _upright_rgb(image))
        fitted = fit_smpl([sight], Wish(wanted), self._bodies, self._engine.model_version)
        return _answer(fitted, body)

    def _body(self, gender: Gender) -> BodyModel:
        if gender not in self._posing:
            from pose_service.bodies.smpl import SmplBody
            from pose_service.bodies.smpl_file import read_extra_joints

            file = read_smpl(body_path(gender, self._settings), gender.value)
            extra_joints = read_extra_joints(located(EXTRA_JOINTS, self._settings))
            self._posing[gender] = SmplBody(file, extra_joints)
        return self._posing[gender]


def _upright_rgb(image: Image.Image) -> ImageArray:
    if not isinstance(image, Image.Image) or not all(image.size):
        came = "one without pixels" if isinstance(image, Image.Image) else type(image).__name__
        raise BadImageError(
            f"image: expected a picture of Pillow's, got {came}",
            hint="Give Image.open(path), or Image.fromarray of (height, width, 3) uint8 RGB.",
        )
    return to_rgb(ImageOps.exif_transpose(image))


def largest_person(engine: Engine, image: ImageArray) -> Sight:
    """Who has the largest box in `image` (height, width, 3) RGB.

    `PictureRefusedError` (`NO_PERSON`) where nobody is seen.
    """
    (found,) = engine.detector.detect([image])
    if not len(found):
        raise PictureRefusedError.of([NO_PERSON])
    largest = found.take(np.array([np.argmax(_areas_px2(found))]))
    (seen,) = engine.regressor.observe([image], [largest])
    if not seen:
        raise PictureRefusedError.of([NO_PERSON])
    height_px, width_px, _ = image.shape
    camera: Camera = engine.camera(width_px, height_px)
    return Sight(image, camera, seen[0])


def _areas_px2(regions: Regions) -> NDArray[np.floating[Any]]:
    low, high = regions.boxes_xyxy_px[:, :2], regions.boxes_xyxy_px[:, 2:]
    return np.asarray(np.prod(high - low, axis=1))


def _answer(fitted: FittedBody, body: BodyModel) -> dict[str, NDArray[Any]]:
    posed = body.pose(fitted.pose)
    arrays = {
        **{name: fitted.parameters[name] for name in ("betas", "body_pose", "global_orient")},
        "vertices": np.asarray(posed.vertices_m)[0],
        "joints": posed.joints_m[0],
    }
    return {name: np.asarray(array, np.float32) for name, array in arrays.items()}
