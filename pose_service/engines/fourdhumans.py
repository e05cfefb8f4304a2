"""The 4dhumans engine: ViTDet-H finds people, HMR 2.0 sees their bodies, SMPL is the body."""

from functools import partial
from importlib.util import find_spec

from pose_service.bodies.smpl_files import BODY_SOURCE
from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.core.files import FileSource
from pose_service.engines.seam import Availability, Engine, EngineRecipe
from pose_service.fourdhumans.sizes import OFFICIAL, Sizes
from pose_service.runtime.device import Compute, choose, nvidia_cards
from pose_service.runtime.weights import located

NAME = "4dhumans"
RANK = 10
_PACKAGES = "Run `python -m pip install -r requirements-4dhumans.txt`."
_SLOW = "on the CPU one picture takes about a minute"


def recipe(sizes: Sizes = OFFICIAL) -> EngineRecipe:
    """The engine with nets of `sizes`; a plug-in of the same name may give smaller ones."""
    return EngineRecipe(
        name=NAME,
        rank=RANK,
        sources=_sources(sizes),
        probe=partial(probe, sizes=sizes),
        build=partial(build, sizes=sizes),
    )


def probe(settings: Settings, sizes: Sizes) -> Availability:
    """Whether packages, files and device are there; nothing is loaded before the files are found.

    `POSE_ENGINE=auto` takes this engine with a card only, for it is too slow without.
    """
    try:
        if settings.engine == "auto":
            _expect_card(settings)
        if find_spec("torch") is None:
            raise EngineError("PyTorch is not installed", hint=_PACKAGES)
        body_name = _located(settings, sizes)[-1]
        compute = _compute(settings)
    except EngineError as error:
        return Availability(False, str(error), error.hint)
    slow = f", and {_SLOW}" if compute.device.type == "cpu" else ""
    return Availability(True, f"runs on {compute} with the body {body_name}{slow}")


def build(settings: Settings, sizes: Sizes) -> Engine:
    """Load and try both nets. The packages are imported here, not with the module."""
    compute = _compute(settings)

    from pose_service.fourdhumans.assembly import assemble
    from pose_service.hmr2.cameras import picture_camera
    from pose_service.temporal.kinematic import KinematicModel
    from pose_service.tracking.boxes import BoxTracker

    parts = assemble(settings, sizes, compute)
    return Engine(
        name=NAME,
        model_version=f"{NAME}/{sizes.word}+smpl-neutral",
        device=compute.device.type,
        detector=parts.detector,
        regressor=parts.regressor,
        body=parts.body,
        temporal=KinematicModel(),
        new_tracker=lambda fps: BoxTracker(fps, settings.detect_every),
        focal_px=lambda width_px, height_px: picture_camera(width_px, height_px).focal_px,
        models={"vitdet": "loaded", "hmr2": "loaded", "smpl": "loaded"},
        frames_together=settings.batch,
    )


def _sources(sizes: Sizes) -> tuple[FileSource, ...]:
    return sizes.detector_source, sizes.regressor_source, BODY_SOURCE


def _expect_card(settings: Settings) -> None:
    """`EngineError` where it would run on the CPU without having been asked for by name."""
    if settings.device == "cpu":
        reason = "POSE_DEVICE=cpu"
    elif not nvidia_cards():
        reason = "no NVIDIA card can be seen"
    else:
        return
    raise EngineError(f"{reason}, and {_SLOW}", hint=f"POSE_ENGINE={NAME} uses it all the same.")


def _located(settings: Settings, sizes: Sizes) -> list[str]:
    """Names of all files as they lie here, the body's last; one `EngineError` for all missing."""
    names: list[str] = []
    missing: list[EngineError] = []
    for file in (file for source in _sources(sizes) for file in source.files):
        try:
            names.append(located(file, settings).name)
        except EngineError as error:
            missing.append(error)
    if missing:
        hints = dict.fromkeys(error.hint for error in missing)
        raise EngineError("; ".join(map(str, missing)), hint=" ".join(hints))
    return names


def _compute(settings: Settings) -> Compute:
    try:
        return choose(settings)
    except (ImportError, OSError) as error:
        raise EngineError(f"PyTorch does not load: {error}", hint=_PACKAGES) from error


ENGINE = recipe()
