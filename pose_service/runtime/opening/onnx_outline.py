"""What an ONNX file takes and gives, read without a runtime and without loading its weights.

Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Nothing in the file is run,
and no other file is opened.
"""

import mmap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

from pose_service.runtime.opening.content import WantedFile
from pose_service.runtime.opening.protobuf import fields_of, numbers_of

FLOAT, FLOAT16 = 1, 10
"""TensorProto.DataType."""
_EXTERNAL = 1

Length = int | None
"""Of an axis; None where the file leaves it open."""


@dataclass(frozen=True)
class Value:
    """An input or output: its element type and lengths; `shape` is None where nothing is said."""

    name: str
    element: int
    shape: tuple[Length, ...] | None

    def __str__(self) -> str:
        if self.shape is None:
            return f"{self.name} of any shape"
        return f"{self.name} ({', '.join('?' if n is None else str(n) for n in self.shape)})"


@dataclass(frozen=True)
class Outline:
    """Inputs and outputs in the file's order, and whether its weights are half-precision."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    half: bool

    def __str__(self) -> str:
        takes, gives = (", ".join(map(str, values)) for values in (self.inputs, self.outputs))
        return f"takes {takes or 'nothing'} and gives {gives or 'nothing'}"


def outline_of(path: Path, wanted: WantedFile) -> Outline:
    """The outline of the ONNX file `path`.

    `EngineError` if it is none, or if it keeps weights in a file that is not beside it.
    """
    try:
        with path.open("rb") as file:
            # closed with the last view of it
            held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return _outline(memoryview(held), path, wanted)
    except OSError as error:
        raise wanted.error(path, f"it cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise wanted.error(path, f"it is no ONNX file, or ends early ({error})") from error


def _outline(whole: memoryview, path: Path, wanted: WantedFile) -> Outline:
    graphs = [_bytes(value) for number, value in fields_of(whole) if number == 7]
    if len(graphs) != 1:
        raise ValueError("it holds no graph")
    inputs: list[Value] = []
    outputs: list[Value] = []
    weights: Counter[int] = Counter()
    own_names: set[str] = set()
    for tensor in _tensors(graphs[0]):
        _, element, count, place = _tensor(tensor)
        weights[element] += count
        if place is not None:
            _expect_beside(place, path, wanted)
    for number, value in fields_of(graphs[0]):
        if number == 5:
            own_names.add(_tensor(_bytes(value))[0])
        elif number in (11, 12):
            (inputs if number == 11 else outputs).append(_value(_bytes(value)))
    # files of old versions list weights among the inputs, too
    taken = tuple(value for value in inputs if value.name not in own_names)
    return Outline(taken, tuple(outputs), weights[FLOAT16] > weights[FLOAT])


def _tensors(graph: memoryview) -> Iterator[memoryview]:
    """Every constant: the graph's own, and those in attributes of nodes and in their graphs."""
    for number, value in fields_of(graph):
        if number == 5:
            yield _bytes(value)
        elif number == 1:
            for place, attribute in fields_of(_bytes(value)):
                if place == 5:
                    yield from _tensors_of_attribute(_bytes(attribute))


def _tensors_of_attribute(attribute: memoryview) -> Iterator[memoryview]:
    for number, value in fields_of(attribute):
        if number in (5, 10):
            yield _bytes(value)
        elif number in (6, 11):
            yield from _tensors(_bytes(value))


def _tensor(tensor: memoryview) -> tuple[str, int, int, str | None]:
    """Name, element type, how many numbers, and in which other file they are (None: in this)."""
    name, element, external = "", 0, False
    lengths: list[int] = []
    entries: list[memoryview] = []
    for number, value in fields_of(tensor):
        if number == 1:
            lengths.extend(numbers_of(value))
        elif number == 2:
            element = _number(value)
        elif number == 8:
            name = _text(value)
        elif number == 13:
            entries.append(_bytes(value))
        elif number == 14:
            external = _number(value) == _EXTERNAL
    return name, element, prod(lengths), _location(entries) if external else None


def _location(entries: list[memoryview]) -> str:
    for entry in entries:
        pair = dict(fields_of(entry))
        if _text(pair.get(1, memoryview(b""))) == "location":
            return _text(pair.get(2, memoryview(b"")))
    return ""


def _expect_beside(location: str, path: Path, wanted: WantedFile) -> None:
    """Weights may lie in a second file, but only in the folder of the first: no way out of it."""
    folder = path.resolve().parent
    if Path(location).name == location and (folder / location).resolve().parent == folder:
        return
    raise wanted.error(path, f"its weights are in {location!r}, which is not in its own folder")


def _value(value: memoryview) -> Value:
    name, element = "", 0
    shape: tuple[Length, ...] | None = None
    for number, inner in fields_of(value):
        if number == 1:
            name = _text(inner)
        elif number == 2:
            for kind, tensor in fields_of(_bytes(inner)):
                if kind == 1:
                    element, shape = _tensor_type(_bytes(tensor))
    return Value(name, element, shape)


def _tensor_type(kind: memoryview) -> tuple[int, tuple[Length, ...] | None]:
    element = 0
    shape: tuple[Length, ...] | None = None
    for number, value in fields_of(kind):
        if number == 1:
            element = _number(value)
        elif number == 2:
            axes = (dict(fields_of(_bytes(axis))) for place, axis in fields_of(_bytes(value)))
            shape = tuple(_length(axis) for axis in axes)
    return element, shape


def _length(axis: dict[int, int | memoryview]) -> Length:
    length = axis.get(1)
    return length if isinstance(length, int) and 0 < length < 1 << 31 else None


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message was expected")
    return value


def _number(value: int | memoryview) -> int:
    if not isinstance(value, int):
        raise ValueError("a message where a number was expected")
    return value


def _text(value: int | memoryview) -> str:
    return str(_bytes(value), "utf-8")
