"""Which step of an avatar's making is done by whom: the one place where they are put together.

Packages that only some of them need are imported where they are used.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from pose_service.avatar.make import Checked, Seen, Steps
from pose_service.avatar.record import AvatarError
from pose_service.avatar.records import FittedBody, Sight, Wish
from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.records import Look, Observation
from pose_service.engines.seam import Engine
from pose_service.measurement.bounds import Bound
from pose_service.measurement.records import Measurements
from pose_service.pipeline.video import NetRunner

ChooseSteps = Callable[[Settings, Engine, NetRunner, Wish], Steps]
"""Who does the steps of an avatar that is made with this engine."""


def steps_of(settings: Settings, engine: Engine, nets: NetRunner, wish: Wish) -> Steps:
    """The steps for the service's own engines."""
    return Steps(
        look=lambda images: nets.run_clip(partial(everybody, images)),
        check=partial(_checked, settings),
        fit=partial(_fitted, settings, engine),
        measure=_measured,
        write=partial(_written, wish),
    )


def everybody(images: Sequence[ImageArray], engine: Engine) -> list[list[Observation]]:
    """All people in each picture. Runs nets: on their owner only."""
    regions = engine.detector.detect(images, Look.PICTURE)
    return engine.regressor.observe(images, regions, Look.PICTURE)


def _checked(settings: Settings, images: Sequence[ImageArray], seen: Sequence[Seen]) -> Checked:
    raise NotImplementedError


def _fitted(settings: Settings, engine: Engine, sights: Sequence[Sight], wish: Wish) -> FittedBody:
    if engine.name == "4dhumans":
        from pose_service.avatar.smpl_body import fit_smpl

        return fit_smpl(sights, wish, settings)
    if engine.name == "embedded":
        from pose_service.avatar.fit_free_body import fit_free_body

        return fit_free_body(sights, wish)
    raise AvatarError(
        f"the engine {engine.name} makes no avatars",
        hint="Start the service with POSE_ENGINE=embedded or POSE_ENGINE=4dhumans.",
        code="NO_AVATARS",
    )


def _measured(fitted: FittedBody) -> tuple[Measurements, Mapping[str, Bound]]:
    from pose_service.avatar.measured import measured

    return measured(fitted)


def _written(
    wish: Wish,
    folder: Path,
    fitted: FittedBody,
    measurements: Measurements,
    bounds: Mapping[str, Bound],
) -> Mapping[str, Path]:
    from pose_service.avatar.files import write_files

    return write_files(folder, fitted, measurements, bounds)
