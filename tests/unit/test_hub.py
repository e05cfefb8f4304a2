import threading
from collections.abc import Iterator

import pytest
from toy_engine import build_toy, toy_engine

from pose_service.core.config import Settings
from pose_service.core.errors import EngineError, UnavailableError
from pose_service.engines.seam import Engine
from pose_service.runtime.hub import ModelHub

SOON_S = 10.0


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_loading_runs_in_the_background_and_the_state_tells(gate: threading.Event) -> None:
    def build(settings: Settings) -> tuple[Engine, str]:
        assert gate.wait(SOON_S)
        return toy_engine(), "why not"

    hub = ModelHub(Settings(), build)
    hub.start()
    assert (hub.state.status, hub.state.ready, hub.state.engine) == ("warming_up", False, None)
    with pytest.raises(UnavailableError, match="still loading") as caught:
        hub.wait(0.01)
    assert caught.value.retry_after_s > 0
    gate.set()
    assert hub.wait(SOON_S).name == "toy"
    assert (hub.state.status, hub.state.device) == ("ready", "cpu")
    assert hub.state.engine_reason == "why not"
    # true of an engine without them; readers look these three up
    assert hub.state.models == {
        "hmr2": "not_loaded", "phalp": "not_loaded", "vitdet": "not_loaded", "toy": "loaded",
    }  # fmt: skip
    hub.stop()


@pytest.mark.parametrize(
    "error", [EngineError("no file", hint="Fetch it."), KeyError("surprise"), OSError("disk")]
)
def test_a_failed_load_is_not_ready_with_its_reason_and_the_process_lives(error: Exception) -> None:
    def build(settings: Settings) -> tuple[Engine, str]:
        raise error

    hub = ModelHub(Settings(), build)
    hub.start()
    with pytest.raises(UnavailableError, match="could not be loaded") as caught:
        hub.wait(SOON_S)
    assert caught.value.code == "ENGINE_UNAVAILABLE"
    assert hub.state.status == "not_ready"
    assert str(error) in str(hub.state.error)
    if isinstance(error, EngineError):
        assert "Fetch it." in str(hub.state.error)
    with pytest.raises(UnavailableError):
        hub.run_frame(lambda engine: engine.name)
    hub.stop()


def test_work_is_done_with_the_engine_on_its_owners_thread() -> None:
    hub = ModelHub(Settings(), build_toy)
    hub.start()
    for run in (hub.run_frame, hub.run_clip):
        assert run(lambda engine: (engine.name, threading.current_thread().name)) == (
            "toy", "net-owner",
        )  # fmt: skip
    hub.stop()
    with pytest.raises(UnavailableError, match="stopping"):
        hub.run_frame(lambda engine: engine.name)
