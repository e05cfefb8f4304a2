"""Bytes of JSON: arrays without detours, parts that are encoded once, objects too long to hold."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import orjson

from pose_service.core.arrays import FloatArray

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY


def encode(value: Any) -> bytes:
    """`value` as JSON. Numbers must be finite: orjson writes NaN as null, silently."""
    return orjson.dumps(value, _in_order, _OPTIONS)


def _in_order(value: Any) -> Any:
    """orjson reads arrays row by row only."""
    if isinstance(value, np.ndarray) and not value.flags.c_contiguous:
        return np.ascontiguousarray(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def rounded(array: FloatArray, decimals: int) -> FloatArray:
    """float64 that is written with at most `decimals` decimals."""
    return np.round(np.asarray(array, np.float64), decimals)


def mesh_json(vertices_m: FloatArray, decimals: int) -> orjson.Fragment:
    """(vertices, 3) metres, encoded once. float32: half the digits, 0.1 mm and better in 100 m."""
    return orjson.Fragment(encode(np.round(vertices_m.astype(np.float32), decimals)))


def object_with_lists(
    fields: Mapping[str, Any], streams: Mapping[str, Iterable[bytes]]
) -> Iterator[bytes]:
    """A JSON object of `fields` followed by `streams`, whose values are encoded piece by piece.

    >>> b"".join(object_with_lists({"a": 1}, {"b": json_list([b"2", b"3"])}))
    b'{"a":1,"b":[2,3]}'
    """
    yield encode(dict(fields))[:-1]
    comma = b"," if fields else b""
    for name, pieces in streams.items():
        yield comma + encode(name) + b":"
        yield from pieces
        comma = b","
    yield b"}"


def json_list(items: Iterable[bytes]) -> Iterator[bytes]:
    """A JSON array of `items`, each encoded already.

    >>> b"".join(json_list([]))
    b'[]'
    """
    opening = b"["
    for item in items:
        yield opening + item
        opening = b","
    yield b"]" if opening == b"," else b"[]"
