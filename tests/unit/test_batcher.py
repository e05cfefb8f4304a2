"""Callers who wait together are served together, and none pays for another's mistake."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from pose_service.core.errors import BadImageError, UnavailableError
from pose_service.runtime.batcher import Batcher
from pose_service.runtime.owner import NetOwner

PATIENCE_S = 10.0


class Doubling:
    """Doubles numbers, remembers what came together, fails for negative ones."""

    def __init__(self) -> None:
        self.turns: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.turns.append(list(items))
        if any(item < 0 for item in items):
            raise BadImageError("below zero")
        return [2 * item for item in items]


@pytest.fixture
def owner() -> Iterator[NetOwner]:
    owner = NetOwner()
    owner.start()
    yield owner
    owner.stop()


def while_busy(
    owner: NetOwner, calls: Sequence[Callable[[], list[int]]]
) -> list[list[int] | BaseException]:
    """What each call gives or raises, all made in order while the owner has other work."""
    busy, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        busy.set()
        assert go_on.wait(PATIENCE_S)

    with ThreadPoolExecutor(len(calls) + 1) as pool:
        pool.submit(owner.run, hold, urgent=True)
        assert busy.wait(PATIENCE_S)
        futures = []
        for place, call in enumerate(calls):
            futures.append(pool.submit(call))
            while owner.waiting_frames <= place and not futures[-1].done():
                pass
        go_on.set()
        return [future.exception(PATIENCE_S) or future.result() for future in futures]


def test_a_caller_alone_is_served_at_once(owner: NetOwner) -> None:
    work = Doubling()
    assert Batcher(owner, work, lambda: 8).run([1, 2, 3]) == [2, 4, 6]
    assert work.turns == [[1, 2, 3]]


def test_who_waits_together_is_served_in_one_turn(owner: NetOwner) -> None:
    work = Doubling()
    batcher = Batcher(owner, work, lambda: 8)
    answers = while_busy(owner, [lambda n=n: batcher.run([n]) for n in (1, 2, 3)])
    assert answers == [[2], [4], [6]]
    assert work.turns == [[1, 2, 3]]


def test_a_turn_takes_no_more_than_the_nets_want_and_keeps_the_order(owner: NetOwner) -> None:
    work = Doubling()
    batcher = Batcher(owner, work, lambda: 4)
    groups = ([1, 2], [3], [4, 5], [6])
    answers = while_busy(owner, [lambda g=g: batcher.run(g) for g in groups])
    assert answers == [[2, 4], [6], [8, 10], [12]]
    assert work.turns == [[1, 2, 3], [4, 5, 6]]


def test_more_items_than_fit_go_in_a_turn_of_their_own(owner: NetOwner) -> None:
    work = Doubling()
    batcher = Batcher(owner, work, lambda: 2)
    answers = while_busy(owner, [lambda g=g: batcher.run(g) for g in ([1, 2, 3], [4])])
    assert answers == [[2, 4, 6], [8]]
    assert work.turns == [[1, 2, 3], [4]]


def test_an_error_reaches_only_the_caller_who_causes_it(owner: NetOwner) -> None:
    batcher = Batcher(owner, Doubling(), lambda: 8)
    good, bad, also_good = while_busy(owner, [lambda n=n: batcher.run([n]) for n in (1, -1, 3)])
    assert (good, also_good) == ([2], [6])
    assert isinstance(bad, BadImageError)


def test_who_waits_too_long_is_told_so_and_never_served(owner: NetOwner) -> None:
    work, busy, go_on = Doubling(), threading.Event(), threading.Event()
    batcher = Batcher(owner, work, lambda: 8)

    def hold() -> None:
        busy.set()
        assert go_on.wait(PATIENCE_S)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(owner.run, hold, urgent=True)
        assert busy.wait(PATIENCE_S)
        with pytest.raises(UnavailableError) as refused:
            batcher.run([1], wait_s=0.05)
        go_on.set()
    assert refused.value.code == "BUSY"
    assert batcher.run([2]) == [4]
    assert work.turns == [[2]]


def test_many_callers_each_get_their_own_results(owner: NetOwner) -> None:
    batcher = Batcher(owner, Doubling(), lambda: 5)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: batcher.run([n, n + 1000]), range(400)))
    assert answers == [[2 * n, 2 * n + 2000] for n in range(400)]


def test_after_the_end_callers_are_refused(owner: NetOwner) -> None:
    batcher = Batcher(owner, Doubling(), lambda: 8)
    owner.stop()
    with pytest.raises(UnavailableError, match="stopping"):
        batcher.run([1])
