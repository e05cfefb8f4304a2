"""Decoding ahead in a thread, so that it overlaps the nets."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


def prefetch(items: Iterator[_T], depth: int = 4) -> Generator[_T, None, None]:
    """`items`, made up to `depth` ahead by one thread that lives as long as this generator.

    Nothing is made before the first item is asked for. An exception of `items` is raised here, in
    its place. Closing waits for the one item in the making, drops the rest and closes `items`.
    """
    if depth < 1:
        raise ValueError(f"depth: expected at least 1, got {depth}")
    return _ahead(items, depth)


def _ahead(items: Iterator[_T], depth: int) -> Generator[_T, None, None]:
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch")
    try:
        waiting = deque(pool.submit(next, items) for _ in range(depth))
        while True:
            try:
                item = waiting.popleft().result()
            except StopIteration:
                return
            waiting.append(pool.submit(next, items))
            yield item
    finally:
        pool.shutdown(cancel_futures=True)
        if isinstance(items, Generator):
            items.close()
