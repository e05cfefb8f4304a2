"""Pickles, read with an exact list of the names they may ask for.

A pickle is a program: it can name any function of any package and have it called. Here each name
is looked up in a short table that belongs to the kind of file; some become `Placeholder`s, every
other name ends the reading with an error that says which it was.

What the tables give are functions that build numbers (see `numpy_pickles`) and a few of Python's
own immutable types, so that a hostile file has nothing to work with.
"""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pose_service.core.errors import EngineError
from pose_service.runtime.opening.content import Content, WantedFile, require

# What reading a damaged pickle can raise besides `pickle.UnpicklingError`: its instructions are
# then any bytes, carried out on any values.
DAMAGE = (
    pickle.UnpicklingError, EOFError, AssertionError, AttributeError, ImportError, LookupError,
    ArithmeticError, MemoryError, RecursionError, TypeError, ValueError,
)  # fmt: skip

# Below protocol 3 a pickle uses Python 2's names; NumPy 2 moved what NumPy 1 had in `numpy.core`.
_MODERN = {"__builtin__": "builtins", "copy_reg": "copyreg"}


class Readable(Protocol):
    """What an unpickler reads from: an open file, or what acts as one."""

    def read(self, size: int, /) -> bytes: ...

    def readline(self) -> bytes: ...


class RefusedGlobalError(pickle.UnpicklingError):
    """A pickle asks for something that its kind of file never needs."""


class Placeholder:
    """Stands for an object of a package that is not used here: keeps its state, does nothing."""

    state: object = None

    def __init__(self, *_args: object) -> None: ...

    def __call__(self, *_args: object) -> "Placeholder":
        return self

    def __setstate__(self, state: object) -> None:
        self.state = state

    def __setitem__(self, _key: object, _value: object) -> None: ...

    def append(self, _value: object) -> None: ...

    def extend(self, _values: object) -> None: ...


@dataclass(frozen=True)
class Globals:
    """The names that one kind of pickle may ask for.

    `table`: full name, as today's Python and NumPy spell it, to what is given for it.
    `is_placeholder` tells of any other name whether a `Placeholder` class is given for it.
    """

    table: Mapping[str, Any]
    is_placeholder: Callable[[str], bool] = lambda name: False

    def find(self, module: str, name: str) -> Any:
        """What a pickle gets for `module.name`; raises `RefusedGlobalError`."""
        full = f"{_modern(module)}.{name}"
        if full in self.table:
            return self.table[full]
        if self.is_placeholder(full):
            # a class of its own, so that its name tells what it stands for
            return type(name, (Placeholder,), {"__module__": module})
        raise RefusedGlobalError(full)


def open_pickle(path: Path, wanted: WantedFile, allowed: Globals) -> object:
    """What the pickle `path` (any protocol, Python 2 or 3) holds.

    Raises `EngineError` if it is no pickle, is damaged, or asks for a name that is not `allowed`.
    """
    require(path, wanted, Content.PICKLE)
    with path.open("rb") as file:
        return read_pickle(file, path, wanted, allowed)


def read_pickle(file: Readable, path: Path, wanted: WantedFile, allowed: Globals) -> object:
    """As `open_pickle`, from where `file` stands; `path` is what the errors call it."""
    try:
        return _RestrictedUnpickler(file, allowed).load()
    except RefusedGlobalError as error:
        raise refusal(path, wanted, error) from error
    except DAMAGE as error:
        raise wanted.error(path, f"it ends early or is damaged ({error})") from error


def refusal(path: Path, wanted: WantedFile, error: RefusedGlobalError) -> EngineError:
    """The `EngineError` for a file that asks for what it must not have."""
    return wanted.error(
        path,
        f"it asks for `{error}`, which no such file needs. Nothing of it was run; "
        "do not open it with other programs",
    )


class _RestrictedUnpickler(pickle.Unpickler):
    def __init__(self, file: Readable, allowed: Globals) -> None:
        # Python 2's byte strings, array data among them, are kept byte by byte by latin-1
        super().__init__(file, encoding="latin1")
        self._allowed = allowed

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        return self._allowed.find(module_name, global_name)


def _modern(module: str) -> str:
    if module.startswith("numpy.core."):
        return module.replace("numpy.core.", "numpy._core.", 1)
    return _MODERN.get(module, module)
