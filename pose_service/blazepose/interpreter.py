"""One LiteRT network: a picture of fixed size in, arrays known by their shapes out."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.errors import EngineError
from pose_service.core.files import OfficialFile

Outputs = dict[tuple[int, ...], FloatArray]
"""Output arrays by their shape without the batch axis: a file may list them in any order."""

_FETCH_HINT = "Fetch the networks with `python -m pose_service fetch-weights`."


class Network:
    """A network file, loaded; `run` may be called from several threads.

    Each of the `copies` interpreters uses one thread: these networks are too small to gain from
    more, but an interpreter lets go of Python's lock while it works, so that two copies serve two
    threads in little more than the time of one.
    """

    def __init__(self, folder: Path, file: OfficialFile, *, copies: int = 1) -> None:
        content = _read(folder / file.name, file)
        self._idle: SimpleQueue[Interpreter] = SimpleQueue()
        for _ in range(copies):
            interpreter = Interpreter(model_content=content, num_threads=1)
            interpreter.allocate_tensors()
            self._idle.put(interpreter)
        self.input_shape = tuple(int(n) for n in interpreter.get_input_details()[0]["shape"][1:])

    def run(self, picture: FloatArray) -> Outputs:
        """Outputs for one float picture of `input_shape`: (height, width, 3)."""
        expect_shape("picture", picture, self.input_shape)
        with self._borrowed() as interpreter:
            details = interpreter.get_input_details()[0]
            interpreter.set_tensor(details["index"], picture[None].astype(np.float32, copy=False))
            interpreter.invoke()
            arrays = [
                interpreter.get_tensor(output["index"])[0]
                for output in interpreter.get_output_details()
            ]
        return {array.shape: array for array in arrays}

    @contextmanager
    def _borrowed(self) -> Iterator[Interpreter]:
        interpreter = self._idle.get()
        try:
            yield interpreter
        finally:
            self._idle.put(interpreter)


def _read(path: Path, file: OfficialFile) -> bytes:
    """The file's bytes, checked: LiteRT would run a flipped bit without a word."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EngineError(
            f"{path} ({file.purpose}) cannot be read: {error.strerror}", hint=_FETCH_HINT
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise EngineError(
            f"{path} ({file.purpose}) is damaged or another file: expected {file.size_bytes} bytes "
            f"with SHA-256 {file.sha256}, got {len(content)} bytes with {found}",
            hint=f"Delete it. {_FETCH_HINT}",
        )
    return content
