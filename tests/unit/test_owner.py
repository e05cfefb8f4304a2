import threading
from collections.abc import Iterator

import pytest

from pose_service.core.errors import UnavailableError
from pose_service.runtime.owner import FRAMES_BEFORE_CLIP, NetOwner

SOON_S = 10.0


@pytest.fixture
def owner() -> Iterator[NetOwner]:
    owner = NetOwner()
    owner.start()
    yield owner
    owner.stop()


def hand_in(owner: NetOwner, names: list[tuple[str, bool]]) -> list[str]:
    """Hand in pieces of work while the owner is held up; the order in which they were done."""
    gate, held, done = threading.Event(), threading.Event(), []

    def hold() -> None:
        held.set()
        assert gate.wait(SOON_S)

    threads = [threading.Thread(target=lambda: owner.run(hold, urgent=True))]
    threads[0].start()
    assert held.wait(SOON_S)
    for name, urgent in names:
        before = waiting(owner)
        thread = threading.Thread(
            target=lambda name=name, urgent=urgent: owner.run(
                lambda: done.append(name), urgent=urgent
            )
        )
        thread.start()
        threads.append(thread)
        while waiting(owner) == before:
            pass
    gate.set()
    for thread in threads:
        thread.join(SOON_S)
    return done


def waiting(owner: NetOwner) -> int:
    return len(owner._frames) + len(owner._clips)


def test_a_single_frame_goes_ahead_of_clip_work(owner: NetOwner) -> None:
    done = hand_in(owner, [("clip 1", False), ("clip 2", False), ("frame", True)])
    assert done == ["frame", "clip 1", "clip 2"]


def test_a_stream_of_frames_does_not_starve_a_clip(owner: NetOwner) -> None:
    frames = [(f"frame {i}", True) for i in range(3 * FRAMES_BEFORE_CLIP)]
    done = hand_in(owner, [("clip", False), *frames])
    assert done.index("clip") <= FRAMES_BEFORE_CLIP


def test_work_runs_on_one_thread_that_is_not_the_callers(owner: NetOwner) -> None:
    names = {
        owner.run(lambda: threading.current_thread().name, urgent=i % 2 == 0) for i in range(4)
    }
    assert names == {"net-owner"}


def test_an_exception_reaches_the_caller_and_the_owner_lives_on(owner: NetOwner) -> None:
    with pytest.raises(ZeroDivisionError):
        owner.run(lambda: 1 // 0, urgent=True)
    assert owner.run(lambda: "alive", urgent=True) == "alive"


def test_after_stop_work_is_refused_with_a_word_to_the_caller() -> None:
    owner = NetOwner()
    owner.start()
    owner.stop()
    with pytest.raises(UnavailableError, match="stopping") as caught:
        owner.run(lambda: None, urgent=True)
    assert caught.value.code == "STOPPING"


def test_work_in_hand_is_finished_before_the_owner_stops() -> None:
    owner = NetOwner()
    owner.start()
    begun, gate, results = threading.Event(), threading.Event(), []

    def slow() -> str:
        begun.set()
        assert gate.wait(SOON_S)
        return "done"

    caller = threading.Thread(target=lambda: results.append(owner.run(slow, urgent=True)))
    caller.start()
    assert begun.wait(SOON_S)
    stopper = threading.Thread(target=owner.stop)
    stopper.start()
    gate.set()
    stopper.join(SOON_S)
    caller.join(SOON_S)
    assert results == ["done"]


def test_work_whose_turn_does_not_come_in_time_is_given_up_and_never_done(owner: NetOwner) -> None:
    begun, gate, done = threading.Event(), threading.Event(), []

    def hold() -> None:
        begun.set()
        assert gate.wait(SOON_S)

    holder = threading.Thread(target=lambda: owner.run(hold, urgent=True))
    holder.start()
    assert begun.wait(SOON_S)
    with pytest.raises(UnavailableError, match="no time") as caught:
        owner.run(lambda: done.append("late"), urgent=True, wait_s=0.01)
    assert caught.value.code == "BUSY"
    gate.set()
    holder.join(SOON_S)
    assert owner.run(lambda: "next", urgent=True) == "next"
    assert done == []


def test_work_that_has_begun_is_waited_for_beyond_the_limit(owner: NetOwner) -> None:
    gate = threading.Timer(0.1, lambda: None)
    gate.start()

    def slow() -> str:
        gate.join(SOON_S)
        return "done"

    assert owner.run(slow, urgent=True, wait_s=0.01) == "done"


def test_a_time_out_of_the_work_itself_reaches_the_caller(owner: NetOwner) -> None:
    def fails() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        owner.run(fails, urgent=True, wait_s=SOON_S)
