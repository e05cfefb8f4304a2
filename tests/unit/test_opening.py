"""Pickles and archives: what may be read is read exactly, nothing a file says is run."""

import os
import pickle
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from standin_smpl import write_pickle, write_python2_pickle

from pose_service.core.errors import EngineError
from pose_service.runtime.opening.arrays import open_npz
from pose_service.runtime.opening.content import WantedFile, content_of
from pose_service.runtime.opening.numpy_pickles import NUMPY_GLOBALS
from pose_service.runtime.opening.pickles import Globals, Placeholder, open_pickle

WANTED = WantedFile("a table of arrays", "Ask for the right file.")
ARRAYS = Globals(NUMPY_GLOBALS)
ARRAYS_AND_CHUMPY = Globals(NUMPY_GLOBALS, lambda name: name.startswith("chumpy."))
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

TABLE = {
    "float32": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4),
    "float64 in columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big end first": np.arange(5, dtype=">i4"),
    "bytes": np.arange(256, dtype=np.uint8),
    "yes and no": np.array([True, False]),
    "one number": np.float64(0.1),
    "whole number": np.int64(-3),
    "text": "lbs",
    "a list": [1, 2.5, None],
}


class Calls:
    """Pickles as the call `function(*arguments)`."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def opened(path: Path, allowed: Globals = ARRAYS) -> Any:
    return open_pickle(path, WANTED, allowed)


def native(value: object) -> np.dtype[Any]:
    """The type of its numbers; which end of them comes first is no part of a value."""
    return np.asarray(value).dtype.newbyteorder("=")


def refused(path: Path, allowed: Globals = ARRAYS) -> str:
    """The message of the error that opening `path` ends with; it names the file."""
    with pytest.raises(EngineError) as caught:
        open_pickle(path, WANTED, allowed)
    assert str(path) in str(caught.value)
    assert caught.value.hint == WANTED.remedy
    return str(caught.value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_come_back_bit_for_bit_at_every_protocol(tmp_path: Path, protocol: int) -> None:
    content = opened(write_pickle(tmp_path / "table.pkl", TABLE, protocol))
    assert content.keys() == TABLE.keys()
    for name, value in TABLE.items():
        np.testing.assert_array_equal(content[name], value)
        assert native(content[name]) == native(value)


def test_a_pickle_of_python_2_and_numpy_1_comes_back_bit_for_bit(tmp_path: Path) -> None:
    path = write_python2_pickle(tmp_path / "table.pkl", TABLE)
    assert b"numpy.core.multiarray" in path.read_bytes()
    content = opened(path)
    for name, value in TABLE.items():
        np.testing.assert_array_equal(content[name], value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_hostile_pickle_is_not_run_and_its_function_is_named(
    tmp_path: Path, protocol: int
) -> None:
    trace = tmp_path / "trace"
    payload = {**TABLE, "then": Calls(os.system, f"touch {trace}")}
    path = write_pickle(tmp_path / "table.pkl", payload, protocol)
    assert f"`{os.system.__module__}.system`" in refused(path)
    assert not trace.exists()
    pickle.loads(path.read_bytes())  # noqa: S301 - the proof that the payload works elsewhere
    assert trace.exists()


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (eval, "`builtins.eval`"),
        (getattr, "`builtins.getattr`"),
        (__import__, "`builtins.__import__`"),
        (subprocess.Popen, ".Popen`"),
        (np.load, "`numpy.load`"),
        (np.ndarray.tofile, "`"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_every_name_outside_of_the_table_is_refused(
    tmp_path: Path, function: Callable[..., object], named: str, protocol: int
) -> None:
    path = write_pickle(tmp_path / "table.pkl", [Calls(function, "1")], protocol)
    assert named in refused(path)


def test_an_allowed_name_is_no_way_to_what_lies_below_it(tmp_path: Path) -> None:
    path = tmp_path / "table.pkl"
    path.write_bytes(b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.")
    assert "`numpy.ndarray.tofile`" in refused(path)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (np.array([{"a": 1}], object), "'O8'"),
        (np.array(["text"]), "'U4'"),
        (np.zeros(2, [("x", "f4"), ("y", "f4")]), "'V8'"),
        (np.zeros(2, "datetime64[s]"), "'M8'"),
        (np.zeros(2, np.complex64), "'c8'"),
    ],
)
def test_arrays_of_anything_but_plain_numbers_are_refused(
    tmp_path: Path, value: object, named: str
) -> None:
    assert named in refused(write_pickle(tmp_path / "table.pkl", value))


def test_a_dtype_with_fields_hidden_in_its_state_is_refused(tmp_path: Path) -> None:
    class Odd:
        def __reduce__(self) -> tuple[object, ...]:
            fields = {"x": (np.dtype("f8"), 99)}
            return np.dtype, ("f8", False, True), (3, "<", None, ("x",), fields, 8, 8, 0)

    assert "records" in refused(write_pickle(tmp_path / "table.pkl", Odd()))


def test_a_file_cannot_turn_the_byte_order_of_the_whole_process(tmp_path: Path) -> None:
    class Turned:
        def __reduce__(self) -> tuple[object, ...]:
            # not a copy: NumPy itself would hand out, and change, the dtype that all share
            return np.dtype, ("f8", False, False), (3, ">", None, None, None, -1, -1, 0)

    opened(write_pickle(tmp_path / "table.pkl", Turned()))
    assert np.dtype("f8").isnative
    assert np.frombuffer(b"\0\0\0\0\0\0\xf0\x3f", "f8")[0] == 1.0


def test_a_file_cannot_change_the_placeholder_of_the_next_file(tmp_path: Path) -> None:
    path = tmp_path / "table.pkl"
    # the class itself is given the state (None, {"state": "bad"}): attributes to be set on it
    path.write_bytes(b"\x80\x02cchumpy.ch\nCh\nN}(X\x05\0\0\0stateX\x03\0\0\0badu\x86b.")
    assert "damaged" in refused(path, ARRAYS_AND_CHUMPY)
    assert Placeholder.state is None
    path.write_bytes(b"\x80\x02cchumpy.ch\nCh\n.")
    assert opened(path, ARRAYS_AND_CHUMPY).state is None


def test_text_is_encoded_as_latin_1_only(tmp_path: Path) -> None:
    path = tmp_path / "table.pkl"
    path.write_bytes(b"\x80\x02c_codecs\nencode\nX\x01\0\0\0aX\x05\0\0\0rot13\x86R.")
    assert "'rot13'" in refused(path)


@pytest.mark.parametrize("kept", [2, 40, 300, 0.5, 0.99])
def test_a_pickle_that_ends_early_is_called_damaged(tmp_path: Path, kept: float) -> None:
    path = write_pickle(tmp_path / "table.pkl", TABLE)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept if kept > 1 else kept * len(whole))])
    assert "ends early or is damaged" in refused(path)


def test_any_changed_byte_gives_an_answer_or_a_clear_error(tmp_path: Path) -> None:
    path = write_pickle(tmp_path / "table.pkl", TABLE)
    whole = path.read_bytes()
    outcomes = set()
    for place in range(2, len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
        try:
            opened(path)
            outcomes.add("read")
        except EngineError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>please log in", "a web page"),
        (b"\n<html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"PK\x03\x04 and no end", "ends early"),
        (b"\x89PNG\r\n\x1a\n", "of no known kind (first bytes 89 50"),
        (b"data/".ljust(257, b"\0") + b"ustar", "a tar archive"),
    ],
)
def test_what_came_instead_is_told(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "table.pkl"
    path.write_bytes(content)
    assert named in refused(path)


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    assert "there is no such file" in refused(tmp_path / "none.pkl")
    assert "cannot be read" in refused(tmp_path)


def test_an_archive_is_one_by_any_name_and_only_what_is_asked_for_is_read(tmp_path: Path) -> None:
    path = tmp_path / "body.pkl"
    with path.open("wb") as file:
        np.savez(file, wanted=np.arange(3), other=np.array([{"a": 1}], object))
    assert open_npz(path, WANTED, ["wanted", "absent"])["wanted"].tolist() == [0, 1, 2]
    assert "a pickle was expected" in refused(path)
    with pytest.raises(EngineError, match="Python objects"):
        open_npz(path, WANTED, ["other"])


def test_a_pickle_named_npz_is_a_pickle(tmp_path: Path) -> None:
    path = write_pickle(tmp_path / "body.npz", TABLE)
    assert opened(path).keys() == TABLE.keys()
    with pytest.raises(EngineError, match="it is a pickle, an "):
        open_npz(path, WANTED, ["float32"])


def test_an_object_array_in_an_archive_is_never_unpickled(tmp_path: Path) -> None:
    trace, path = tmp_path / "trace", tmp_path / "body.npz"
    np.savez(path, wanted=np.array([Calls(os.system, f"touch {trace}")], object))
    with pytest.raises(EngineError, match="Python objects"):
        open_npz(path, WANTED, ["wanted"])
    assert not trace.exists()


def test_a_damaged_archive_is_told(tmp_path: Path) -> None:
    path = tmp_path / "body.npz"
    np.savez_compressed(path, wanted=np.random.default_rng(1).random(1000))
    whole = path.read_bytes()
    path.write_bytes(whole[:500] + b"\xff" * 200 + whole[700:])
    with pytest.raises(EngineError, match="damaged"):
        open_npz(path, WANTED, ["wanted"])
    path.write_bytes(whole[:-40])
    with pytest.raises(EngineError, match="ends early"):
        open_npz(path, WANTED, ["wanted"])


def test_another_zip_archive_is_to_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "body.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("SMPL_NEUTRAL.pkl", b"\x80\x02.")
    with pytest.raises(EngineError, match="unpack it first"):
        content_of(path, WANTED)
