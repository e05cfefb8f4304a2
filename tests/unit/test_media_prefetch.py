"""Reading ahead: the same items, errors in their place, no thread left behind."""

import threading
import weakref
from collections.abc import Iterator

import pytest

from pose_service.media.prefetch import prefetch


class Item:
    """Something that can be watched by a weak reference."""


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


@pytest.mark.parametrize("depth", [1, 2, 4, 100])
@pytest.mark.parametrize("count", [0, 1, 3, 50])
def test_items_come_in_order_and_none_is_lost(depth: int, count: int) -> None:
    assert list(prefetch(iter(range(count)), depth)) == list(range(count))
    assert threads() == []


def test_no_more_than_depth_items_are_made_ahead() -> None:
    made: list[int] = []
    enough = threading.Event()

    def source() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if len(made) == 5:
                enough.set()
            yield number

    ahead = prefetch(source(), depth=4)
    assert made == []
    assert next(ahead) == 0
    assert enough.wait(timeout=10)
    ahead.close()
    # the one taken, and four ahead of it
    assert made == [0, 1, 2, 3, 4]


def test_items_are_made_in_another_thread() -> None:
    makers = list(prefetch(threading.current_thread() for _ in range(3)))
    assert threading.current_thread() not in makers
    assert len(set(makers)) == 1


def test_an_error_is_raised_in_its_place_after_the_items_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("third")

    ahead = prefetch(source())
    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(LookupError, match="third"):
        next(ahead)
    assert threads() == []


def test_closing_early_stops_the_thread_and_closes_the_source() -> None:
    closed = threading.Event()

    def source() -> Iterator[int]:
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed.set()

    ahead = prefetch(source(), depth=3)
    next(ahead)
    assert len(threads()) == 1
    ahead.close()
    assert threads() == []
    assert closed.is_set()


def test_an_error_of_the_consumer_stops_the_thread() -> None:
    def consume() -> None:
        for number in prefetch(iter(range(1000))):
            if number == 3:
                raise RuntimeError("consumer")

    with pytest.raises(RuntimeError, match="consumer"):
        consume()
    assert threads() == []


def test_items_already_used_are_not_held() -> None:
    watched: list[weakref.ref[Item]] = []

    def source() -> Iterator[Item]:
        for _ in range(50):
            item = Item()
            watched.append(weakref.ref(item))
            yield item

    most = 0
    for _ in prefetch(source(), depth=2):
        most = max(most, sum(item() is not None for item in watched))
    # in hand, two ahead, the one being made and the one whose place it takes
    assert most <= 5


def test_a_depth_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="depth: expected at least 1, got 0"):
        prefetch(iter([]), depth=0)
