"""`fetch-weights`: bring the files of an engine, or 2D nets, into `POSE_DATA_DIR`; say where."""

from collections.abc import Sequence
from dataclasses import dataclass

from pose_service.commands.arguments import POSE2D, Arguments
from pose_service.commands.console import console, progress
from pose_service.core.config import Settings
from pose_service.core.errors import BadRequestError, EngineError, PoseError
from pose_service.core.files import FileSource
from pose_service.engines.registry import recipes
from pose_service.engines.seam import EngineRecipe
from pose_service.pose2d.files import HRNET, MODES, RTMDETS
from pose_service.pose2d.session import INSTALL, is_installed
from pose_service.runtime.delivery import Delivery
from pose_service.runtime.fetch import FetchError, SpaceError
from pose_service.runtime.obtain import obtain
from pose_service.runtime.offline import take_from
from pose_service.runtime.weights import located


@dataclass(frozen=True)
class Wanted:
    """What is to be brought. `loss`: what it costs that an optional file is missing.

    `instead`: what to do where there is nothing to bring; `then`: what to do when all is here.
    """

    name: str
    sources: tuple[FileSource, ...]
    optional_sources: tuple[FileSource, ...]
    loss: str = "not as well"
    instead: str = ""
    then: str = ""


def run(arguments: Arguments, settings: Settings) -> int:
    wanted = _wanted(arguments, settings)
    failures: list[PoseError] = []
    with progress() as report:
        needed, optional = (
            tuple(Delivery(source, settings, report) for source in sources)
            for sources in (wanted.sources, wanted.optional_sources)
        )
        if arguments.source:
            take_from(arguments.source.expanduser(), (*needed, *optional))
        else:
            failures = _obtain_all(needed)
            # the last space on the disk is for what it needs
            if not any(isinstance(failure, SpaceError) for failure in failures):
                _say_what_failed(_obtain_all(optional))
    if not needed:
        console.print(f"{wanted.name}: needs no files. {wanted.instead}")
    _say_what_is_here(wanted, settings)
    if wanted.then:
        console.print(wanted.then)
    lacking = [each.source.name for each in needed if each.source.urls and each.lacking]
    if failures:
        raise FetchError("; ".join(map(str, failures)), hint=failures[0].hint)
    if lacking:
        raise FetchError(
            f"still missing: {', '.join(lacking)}",
            hint=f"Run `python -m pose_service fetch-weights {wanted.name}` without --from, or "
            "give another file or folder.",
        )
    return 0


def _wanted(arguments: Arguments, settings: Settings) -> Wanted:
    if arguments.engine == POSE2D:
        word = arguments.mode or settings.keypoint_mode
        mode = MODES[word]
        sources = (mode.detector.source, mode.rtmpose.source)
        optional = (HRNET.source, *(net.source for net in RTMDETS))
        then = "" if is_installed() else f"onnxruntime is missing. {INSTALL} "
        if word != settings.keypoint_mode:
            then += f"To have them used set POSE_KEYPOINT_MODE={word}."
        return Wanted(POSE2D, sources, optional, "with fewer stand-ins", then=then)
    if arguments.mode:
        raise BadRequestError(
            f"--mode is for {POSE2D}", hint="Write `fetch-weights pose2d --mode ...`."
        )
    recipe = wanted_recipe(arguments.engine or settings.engine, settings)
    instead = "" if recipe.sources else recipe.probe(settings).remedy
    return Wanted(recipe.name, recipe.sources, recipe.optional_sources, instead=instead)


def wanted_recipe(engine: str, settings: Settings) -> EngineRecipe:
    """The engine of this name.

    For `auto`, the best that can serve already, else the best all of whose files can be fetched:
    what needs a file by hand, and gigabytes besides, is asked for by its name.
    """
    known = recipes()
    if engine != "auto":
        if engine not in known:
            raise EngineError(
                f"there is no engine {engine!r}",
                hint=f"Engines: {', '.join(known)}. The 2D nets: {POSE2D}.",
            )
        return known[engine]
    for recipe in known.values():
        if recipe.probe(settings).available:
            return recipe
    for recipe in known.values():
        if recipe.sources and all(source.urls for source in recipe.sources):
            return recipe
    raise EngineError("no engine can serve here", hint="Run `python -m pose_service doctor`.")


def _obtain_all(deliveries: tuple[Delivery, ...]) -> list[PoseError]:
    """What could not be fetched: one source that fails does not keep the next from coming."""
    failures: list[PoseError] = []
    for delivery in deliveries:
        try:
            obtain(delivery)
        except PoseError as error:
            failures.append(error)
    return failures


def _say_what_failed(failures: list[PoseError]) -> None:
    """Of files that the engine serves without: no error, but said."""
    for failure in failures:
        console.print(f"not fetched: {str(failure).rstrip('.')}. {failure.hint}".rstrip())


def _say_what_is_here(wanted: Wanted, settings: Settings) -> None:
    """One line for each file: its place, or what to do where it cannot be fetched."""
    missing = _say_where(wanted.sources, settings)
    without = _say_where(wanted.optional_sources, settings)
    if without:
        console.print(f"{wanted.name} serves without {', '.join(without)}, but {wanted.loss}")
    if wanted.sources and not missing:
        console.print(f"{wanted.name}: every file {'it needs ' if without else ''}is here")


def _say_where(sources: Sequence[FileSource], settings: Settings) -> list[str]:
    """Names of the files that are missing."""
    missing: list[str] = []
    for source in sources:
        for file in source.files:
            try:
                console.print(f"  {file.name}: {located(file, settings)}")
            except EngineError as error:
                missing.append(file.name)
                by_hand = "" if source.urls else f" {error.hint}"
                console.print(f"  {file.name}: {error}.{by_hand}")
    return missing
