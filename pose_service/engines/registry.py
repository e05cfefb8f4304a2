"""Which engines there are, which one serves here, and parts plugged into it by settings."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from typing import Any

import pose_service.engines as engines_package
from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.engines.seam import BodyModel, Engine, EngineRecipe

ENTRY_POINT_GROUP = "pose_service.engines"


def recipes() -> dict[str, EngineRecipe]:
    """Every engine by name, best first: modules of this package with an `ENGINE`, and plug-ins.

    A plug-in takes the place of a module's engine of the same name.
    """
    found: list[EngineRecipe] = []
    for module in pkgutil.iter_modules(engines_package.__path__, f"{engines_package.__name__}."):
        recipe = getattr(importlib.import_module(module.name), "ENGINE", None)
        if isinstance(recipe, EngineRecipe):
            found.append(recipe)
    found.extend(point.load() for point in metadata.entry_points(group=ENTRY_POINT_GROUP))
    by_name = {recipe.name: recipe for recipe in found}
    return dict(sorted(by_name.items(), key=lambda item: -item[1].rank))


def choose(settings: Settings) -> tuple[EngineRecipe, str]:
    """The engine that `POSE_ENGINE` asks for, and why it is this one.

    `auto` takes the first that is available. A named engine is taken or refused, never replaced:
    `EngineError` carries its reason and remedy.
    """
    known = recipes()
    if settings.engine != "auto":
        return _named(settings, known)
    passed_over: list[str] = []
    for recipe in known.values():
        availability = recipe.probe(settings)
        if availability.available:
            why = "; ".join([*passed_over, f"{recipe.name}: {availability.reason}"])
            return recipe, f"POSE_ENGINE=auto: {why}"
        passed_over.append(f"{recipe.name}: {availability.reason}. {availability.remedy}".strip())
    raise EngineError("no engine can serve here: " + "; ".join(passed_over))


def build_engine(settings: Settings) -> tuple[Engine, str]:
    """The chosen engine with the parts that settings name plugged in, and why it was chosen."""
    recipe, reason = choose(settings)
    return plug_in(recipe.build(settings), settings), reason


def plug_in(engine: Engine, settings: Settings) -> Engine:
    """`engine` with every part replaced that a setting names by `package.module:factory`.

    A factory is called with the settings and gives the part; for the tracker it gives the function
    that makes one tracker per clip from the clip's frames per second.
    """
    named = {
        "detector": settings.detector,
        "regressor": settings.regressor,
        "body": settings.body,
        "new_tracker": settings.tracker,
        "temporal": settings.temporal,
    }
    parts = {part: _factory(spec)(settings) for part, spec in named.items() if spec}
    if not parts:
        return engine
    if "temporal" in parts:
        parts["foretell"] = None
    if "new_tracker" in parts:
        # it may look where it wants to
        parts["frames_apart"] = False
    plugged = "+".join(spec for spec in named.values() if spec)
    return replace(engine, **parts, model_version=f"{engine.model_version}+{plugged}")


def plugged_body(settings: Settings) -> BodyModel | None:
    """The body that `POSE_BODY` names; None if it names none."""
    if settings.body is None:
        return None
    body: BodyModel = _factory(settings.body)(settings)
    return body


def _named(settings: Settings, known: dict[str, EngineRecipe]) -> tuple[EngineRecipe, str]:
    recipe = known.get(settings.engine)
    if recipe is None:
        raise EngineError(
            f"POSE_ENGINE={settings.engine}: this version has no such engine",
            hint=f"Set POSE_ENGINE to one of: auto, {', '.join(known)}.",
        )
    availability = recipe.probe(settings)
    if not availability.available:
        raise EngineError(
            f"POSE_ENGINE={settings.engine}: {availability.reason}", hint=availability.remedy
        )
    return recipe, f"POSE_ENGINE={settings.engine}: {availability.reason}"


def _factory(spec: str) -> Callable[[Settings], Any]:
    module_name, _, attribute = spec.partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise EngineError(
            f"the part {spec!r} cannot be plugged in: {error}",
            hint="Write it as package.module:factory; the module must be importable.",
        ) from error
    if not callable(factory):
        raise EngineError(f"the part {spec!r} is not callable")
    part: Callable[[Settings], Any] = factory
    return part
