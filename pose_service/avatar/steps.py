"""Which step of an avatar's making is done by whom: the one place where they are put together.

Packages that only some of them need are imported where they are used.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pose_service.avatar.avatar_record import AvatarError
from pose_service.avatar.make import Checked, Seen, Steps
from pose_service.avatar.records import FittedBody, Sight, Wish
from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.records import Look, Observation
from pose_service.engines.seam import Engine
from pose_service.measurement.bounds import Bound
from pose_service.measurement.records import Measurements
from pose_service.pipeline.video import NetRunner
from pose_service.runtime.weights import networks_dir

if TYPE_CHECKING:
    from pose_service.avatar.smpl.bodies import SmplBodies
    from pose_service.blazeface.detector import FaceDetector

ChooseSteps = Callable[[Settings, Engine, NetRunner, Wish], Steps]
"""Who does the steps of an avatar that is made with this engine."""

FREE, SMPL = "embedded", "4dhumans"
"""Names of the engines whose bodies an avatar can be."""


def steps_of(settings: Settings, engine: Engine, nets: NetRunner, wish: Wish) -> Steps:
    """The steps for the service's own engines; `AvatarError` for any other."""
    if engine.name not in (FREE, SMPL):
        raise AvatarError(
            f"the engine {engine.name} makes no avatars",
            hint=f"Start the service with POSE_ENGINE={FREE} or POSE_ENGINE={SMPL}.",
            code="NO_AVATARS",
        )
    free = engine.name == FREE
    return Steps(
        look=lambda images: nets.run_clip(partial(everybody, images)),
        check=partial(_checked, settings),
        fit=_fitted_free if free else partial(_fitted_smpl, settings, engine.model_version),
        measure=_measured_free if free else partial(_measured_smpl, settings, wish),
        write=_written,
    )


def everybody(images: Sequence[ImageArray], engine: Engine) -> list[list[Observation]]:
    """All people in each picture, with their outlines. Runs nets: on their owner only."""
    regions = engine.detector.detect(images, Look.OUTLINE)
    return engine.regressor.observe(images, regions, Look.OUTLINE)


@cache
def _faces(folder: Path) -> "FaceDetector":
    from pose_service.blazeface.detector import FaceDetector

    return FaceDetector(folder)


@cache
def _smpl(settings: Settings) -> "SmplBodies":
    from pose_service.avatar.smpl.bodies import SmplBodies

    return SmplBodies(settings)


def _checked(settings: Settings, images: Sequence[ImageArray], seen: Sequence[Seen]) -> Checked:
    """One picture must do by itself; of a clip those count that will do."""
    from pose_service.avatar.check.clip_check import check_clip_sights
    from pose_service.avatar.check.picture_check import check_picture

    faces = _faces(networks_dir(settings))
    if len(images) == 1:
        one = check_picture(images[0], seen[0], faces)
        people = () if one.person is None else (one.person,)
        return Checked((0,), people, one.report())
    clip = check_clip_sights(zip(images, seen, strict=True), faces)
    usable = dict(zip(clip.places, clip.people, strict=True))
    # sorting keeps the order of time among the others
    places = tuple(sorted(usable, key=lambda place: place != clip.best))
    return Checked(places, tuple(usable[place] for place in places), clip.report())


def _fitted_free(sights: Sequence[Sight], wish: Wish) -> FittedBody:
    from pose_service.avatar.free.fit_free_body import fit_free_body

    return fit_free_body(sights, wish)


def _fitted_smpl(
    settings: Settings, model_version: str, sights: Sequence[Sight], wish: Wish
) -> FittedBody:
    from pose_service.avatar.smpl.fit_smpl import fit_smpl

    return fit_smpl(sights, wish, _smpl(settings), model_version)


def _measured_free(fitted: FittedBody) -> tuple[Measurements, Mapping[str, Bound]]:
    from pose_service.avatar.measured import measured

    return measured(fitted)


def _measured_smpl(
    settings: Settings, wish: Wish, fitted: FittedBody
) -> tuple[Measurements, Mapping[str, Bound]]:
    from pose_service.avatar.measured import measured

    return measured(fitted, lambda betas: _smpl(settings).measures(wish.gender).values_cm(betas))


def _written(
    folder: Path, fitted: FittedBody, measurements: Measurements, bounds: Mapping[str, Bound]
) -> Mapping[str, Path]:
    from pose_service.avatar.files import write_files
    from pose_service.avatar.sheet.data import SheetCaption

    caption = SheetCaption(made_at=datetime.now(UTC))
    return write_files(folder, fitted, measurements, bounds, caption)
