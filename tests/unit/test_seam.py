"""A new part or engine is a new file and a setting; nothing else changes."""

import sys
import types
from dataclasses import replace

import numpy as np
import pytest
from toy_engine import ToyBody, ToyDetector, ToyTracker, picture, toy_engine

import pose_service.engines.registry as registry
from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.core.records import Frame
from pose_service.engines.seam import Availability, EngineRecipe
from pose_service.pipeline.image import Picture, people_in_picture


def recipe(name: str, rank: int, *, available: bool) -> EngineRecipe:
    words = Availability(available, "a reason", "" if available else "Do this.")
    return EngineRecipe(name, rank, (), lambda settings: words, lambda settings: toy_engine())


@pytest.fixture
def two_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"best": recipe("best", 9, available=False), "toy": recipe("toy", 1, available=True)}
    monkeypatch.setattr(registry, "recipes", lambda: known)


def test_every_part_can_be_replaced_by_a_setting() -> None:
    settings = Settings(
        detector="toy_engine:detector",
        regressor="toy_engine:regressor",
        body="toy_engine:body",
        tracker="toy_engine:tracker",
        temporal="toy_engine:temporal",
    )
    bare = replace(toy_engine(), detector=None, regressor=None, body=None, temporal=None)  # type: ignore[arg-type]
    engine = registry.plug_in(bare, settings)
    assert isinstance(engine.detector, ToyDetector)
    assert isinstance(engine.body, ToyBody)
    assert isinstance(engine.new_tracker(30.0), ToyTracker)
    result = people_in_picture(
        engine, Picture(Frame(0, 0.0, picture((10, 10, 60, 110), (200, 5, 220, 50))))
    )
    assert [person.track_id for person in result.people] == [1, 2]
    # the larger first, and the model version tells what was plugged in
    np.testing.assert_array_equal(result.people[0].box_xyxy_px, [10, 10, 60, 110])
    assert "toy_engine:tracker" in engine.model_version


def test_a_tracker_of_ones_own_may_look_where_it_wants_so_its_frames_are_not_apart() -> None:
    assert toy_engine().frames_apart
    assert registry.plug_in(toy_engine(), Settings(detector="toy_engine:detector")).frames_apart
    own = registry.plug_in(toy_engine(), Settings(tracker="toy_engine:tracker"))
    assert not own.frames_apart


@pytest.mark.parametrize(
    "spec", ["no_such_module:x", "toy_engine:no_such_thing", "toy_engine", "toy_engine:CONFIDENCE"]
)
def test_a_part_that_is_not_there_is_named(spec: str) -> None:
    with pytest.raises(EngineError, match=spec):
        registry.plug_in(toy_engine(), Settings(detector=spec))


def test_a_new_module_with_a_recipe_is_a_new_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("pose_service.engines.brand_new")
    module.ENGINE = recipe("brand-new", 99, available=True)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    listed = registry.pkgutil.iter_modules

    def with_new(path: object, prefix: str) -> list[object]:
        return [*listed(path, prefix), types.SimpleNamespace(name=module.__name__)]  # type: ignore[arg-type]

    monkeypatch.setattr(registry.pkgutil, "iter_modules", with_new)
    assert next(iter(registry.recipes())) == "brand-new"
    assert "embedded" in registry.recipes()


@pytest.mark.usefixtures("two_engines")
def test_auto_takes_the_best_that_is_available_and_says_why_not_a_better_one() -> None:
    chosen, reason = registry.choose(Settings())
    assert chosen.name == "toy"
    assert "best: a reason. Do this." in reason


@pytest.mark.usefixtures("two_engines")
def test_a_named_engine_is_refused_never_replaced() -> None:
    with pytest.raises(EngineError, match="best: a reason") as caught:
        registry.choose(Settings(engine="best"))
    assert caught.value.hint == "Do this."
    with pytest.raises(EngineError, match="no such engine") as caught:
        registry.choose(Settings(engine="hopeful"))
    assert "best, toy" in caught.value.hint
