"""`fetch-weights`: bring the files of an engine into `POSE_DATA_DIR`, and say where all are."""

from collections.abc import Sequence
from itertools import groupby

from pose_service.commands.arguments import Arguments
from pose_service.commands.console import console, progress
from pose_service.core.config import Settings
from pose_service.core.errors import EngineError, PoseError
from pose_service.core.files import FileSource, OfficialFile
from pose_service.engines.registry import recipes
from pose_service.engines.seam import EngineRecipe
from pose_service.runtime.delivery import Delivery
from pose_service.runtime.fetch import FetchError, SpaceError
from pose_service.runtime.obtain import obtain
from pose_service.runtime.offline import take_from
from pose_service.runtime.weights import located


def run(arguments: Arguments, settings: Settings) -> int:
    recipe = wanted_recipe(arguments.engine or settings.engine, settings)
    failures: list[PoseError] = []
    with progress() as report:
        own, optional = (
            tuple(Delivery(source, settings, report) for source in sources)
            for sources in (recipe.sources, recipe.optional_sources)
        )
        # what nothing but extras are wanted of can wait, and may fail
        needed = tuple(each for each in own if _lacks_needed(each))
        optional = (*(each for each in own if each not in needed), *optional)
        if arguments.source:
            take_from(arguments.source.expanduser(), (*needed, *optional))
        else:
            failures = _obtain_all(needed)
            # the last space on the disk is for what it needs
            if not any(isinstance(failure, SpaceError) for failure in failures):
                _say_what_failed(_obtain_all(optional))
    if not recipe.sources:
        console.print(f"{recipe.name}: needs no files. {recipe.probe(settings).remedy}")
    _say_what_is_here(recipe, settings)
    lacking = [each.source.name for each in needed if each.source.urls and _lacks_needed(each)]
    if failures:
        raise FetchError("; ".join(map(str, failures)), hint=failures[0].hint)
    if lacking:
        raise FetchError(
            f"still missing: {', '.join(lacking)}",
            hint=f"Run `python -m pose_service fetch-weights {recipe.name}` without --from, or "
            "give another file or folder.",
        )
    return 0


def wanted_recipe(engine: str, settings: Settings) -> EngineRecipe:
    """The engine of this name.

    For `auto`, the best that can serve already, else the best all of whose files can be fetched:
    what needs a file by hand, and gigabytes besides, is asked for by its name.
    """
    known = recipes()
    if engine != "auto":
        if engine not in known:
            raise EngineError(
                f"there is no engine {engine!r}", hint=f"Engines: {', '.join(known)}."
            )
        return known[engine]
    for recipe in known.values():
        if recipe.probe(settings).available:
            return recipe
    for recipe in known.values():
        if recipe.sources and all(source.urls for source in recipe.sources):
            return recipe
    raise EngineError("no engine can serve here", hint="Run `python -m pose_service doctor`.")


def _lacks_needed(delivery: Delivery) -> bool:
    """Whether a file is lacking without which the engine does not serve at all."""
    return any(not file.only_for for file in delivery.lacking)


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


def _say_what_is_here(recipe: EngineRecipe, settings: Settings) -> None:
    """One line for each file: its place, or what to do where it cannot be fetched."""
    missing = _say_where(recipe.sources, settings)
    extras = [file for file in missing if file.only_for]
    without = [*extras, *_say_where(recipe.optional_sources, settings)]
    for loss, files in groupby(sorted(without, key=_loss), key=_loss):
        names = ", ".join(file.name for file in files)
        console.print(f"{recipe.name} serves without {names}, but {loss}")
    if recipe.sources and len(missing) == len(extras):
        console.print(f"{recipe.name}: every file {'it needs ' if without else ''}is here")


def _loss(file: OfficialFile) -> str:
    return f"makes no {file.only_for}" if file.only_for else "not as well"


def _say_where(sources: Sequence[FileSource], settings: Settings) -> list[OfficialFile]:
    """The files that are missing."""
    missing: list[OfficialFile] = []
    for source in sources:
        for file in source.files:
            try:
                console.print(f"  {file.name}: {located(file, settings)}")
            except EngineError as error:
                missing.append(file)
                by_hand = "" if source.urls else f" {error.hint}"
                console.print(f"  {file.name}: {error}.{by_hand}")
    return missing
