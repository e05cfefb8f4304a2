"""The 4dhumans engine: ViTDet-H finds people, HMR 2.0 sees SMPL bodies, PHALP knows them again."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pose_service.bodies.smpl_files import BODY_SOURCE
from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.core.files import FileSource
from pose_service.engines.seam import Availability, Engine, EngineRecipe, TemporalModel, Tracker
from pose_service.fourdhumans.files import WITHOUT_PHALP, located_all
from pose_service.fourdhumans.sizes import OFFICIAL, Sizes
from pose_service.runtime.device import Compute, choose, kind_of, nvidia_cards

if TYPE_CHECKING:
    from pose_service.fourdhumans.assembly import Parts
    from pose_service.fourdhumans.phalp_nets import PhalpNets

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
        optional_sources=(
            *sizes.phalp_sources,
            *sizes.phalp_extra_sources,
            *sizes.face_sources,
        ),
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
        *_, body = located_all(_sources(sizes), settings).values()
        compute = _compute(settings)
    except EngineError as error:
        return Availability(False, str(error), error.hint)
    slow = f", and {_SLOW}" if compute.device.type == "cpu" else ""
    serves = f"runs on {compute} with the body {body.name}{slow}"
    return Availability(True, f"{serves}; {_identities(settings, sizes)}")


def build(settings: Settings, sizes: Sizes) -> Engine:
    """Load all nets and try them. The packages are imported here, not with the module."""
    compute = _compute(settings)

    from pose_service.fourdhumans.assembly import assemble
    from pose_service.hmr2.cameras import picture_camera
    from pose_service.temporal.kinematic import KinematicModel

    parts = assemble(settings, sizes, compute)
    return Engine(
        name=NAME,
        model_version=f"{NAME}/{sizes.word}+smpl-neutral",
        device=compute.device.type,
        detector=parts.detector,
        regressor=parts.regressor,
        body=parts.body,
        temporal=KinematicModel(),
        foretell=_foretelling(parts.phalp),
        new_tracker=_tracker_maker(settings, parts),
        focal_px=lambda width_px, height_px: picture_camera(width_px, height_px).focal_px,
        models=dict.fromkeys(_loaded(parts), "loaded"),
        frames_together=settings.batch,
        setup=_setup(settings, compute),
        frames_apart=settings.detect_every == 1,
    )


def _setup(settings: Settings, compute: Compute) -> str:
    """See `Engine.setup`. Batch, card and build of torch count: they change the order of sums."""
    own = settings.clip_score, settings.detect_every, settings.phalp, settings.batch
    return "/".join(map(str, (kind_of(compute), settings.compile, *own)))


def _tracker_maker(settings: Settings, parts: "Parts") -> Callable[[float], Tracker]:
    """What makes the tracker of one clip or session from its frames per second."""
    from pose_service.fourdhumans.tracker import BodyTracker
    from pose_service.tracking.boxes import BoxTracker

    if settings.phalp == "off":
        return lambda fps: BoxTracker(fps, settings.detect_every)
    return lambda fps: BodyTracker(parts.body, parts.phalp, fps, settings)


def _foretelling(phalp: "PhalpNets | None") -> TemporalModel | None:
    from pose_service.fourdhumans.foretelling import Foretelling
    from pose_service.temporal.kinematic import KinematicModel

    return None if phalp is None else Foretelling(phalp.predict_poses, KinematicModel())


def _loaded(parts: "Parts") -> tuple[str, ...]:
    own = ("vitdet", "hmr2", "smpl")
    return own if parts.phalp is None else (*own, "phalp")


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


def _identities(settings: Settings, sizes: Sizes) -> str:
    """How people will be told apart, and what is missing to do it better."""
    if settings.phalp == "off":
        return "people are told apart by their boxes (POSE_PHALP=off)"
    try:
        located_all(sizes.phalp_sources, settings)
    except EngineError as error:
        return f"{WITHOUT_PHALP}: {error}. {error.hint}".rstrip(".")
    return "PHALP tells people apart by look, pose and place"


def _compute(settings: Settings) -> Compute:
    try:
        return choose(settings)
    except (ImportError, OSError) as error:
        raise EngineError(f"PyTorch does not load: {error}", hint=_PACKAGES) from error


ENGINE = recipe()
