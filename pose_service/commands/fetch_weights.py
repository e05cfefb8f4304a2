"""`fetch-weights`: bring the files of an engine into `POSE_DATA_DIR/networks`."""

from functools import partial

from pose_service.commands.arguments import Arguments
from pose_service.commands.console import console, progress
from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.engines.registry import recipes
from pose_service.engines.seam import EngineRecipe
from pose_service.runtime.weights import fetch_archive, lacking, networks_dir, take_from


def run(arguments: Arguments, settings: Settings) -> int:
    recipe = wanted_recipe(arguments.engine or settings.engine, settings)
    folder = networks_dir(settings)
    for archive in recipe.archives:
        if not lacking(archive, folder):
            continue
        if arguments.source:
            take_from(arguments.source.expanduser(), archive, folder)
            continue
        with progress() as report:
            step = partial(report, f"fetching {archive.name}")
            fetch_archive(archive, folder, mirror=settings.weights_mirror, progress=step)
    if not recipe.archives:
        console.print(
            f"{recipe.name}: nothing that can be fetched. {recipe.probe(settings).remedy}"
        )
    else:
        console.print(f"{recipe.name}: every file is here and whole, in {folder}")
    return 0


def wanted_recipe(engine: str, settings: Settings) -> EngineRecipe:
    """The engine of this name. For `auto`, the best that is available or can be made so."""
    known = recipes()
    if engine != "auto":
        if engine not in known:
            raise EngineError(
                f"there is no engine {engine!r}", hint=f"Engines: {', '.join(known)}."
            )
        return known[engine]
    for recipe in known.values():
        if recipe.archives or recipe.probe(settings).available:
            return recipe
    raise EngineError("no engine can serve here", hint="Run `python -m pose_service doctor`.")
