"""ONNX Runtime under one roof: where a net runs, with how many threads, how many pictures at once.

onnxruntime is an optional package: nothing here imports it before a net is loaded.
"""

import importlib.util
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.config import Settings
from pose_service.runtime.device import nvidia_cards
from pose_service.runtime.opening.content import WantedFile
from pose_service.runtime.opening.onnx_outline import FLOAT16, outline_of

if TYPE_CHECKING:
    import onnxruntime

INSTALL: Final = (
    "Install it: `python -m pip install -r requirements-onnx.txt` (for a card onnxruntime-gpu of "
    "the same version in its place)."
)
MOST_THREADS: Final = 8
_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seat:
    """Where nets run. `card`: the number of a CUDA device, None for the CPU.

    `threads`: of one run on the CPU. `batch`: most pictures in one run.
    """

    card: int | None
    threads: int
    batch: int


def is_installed() -> bool:
    return importlib.util.find_spec("onnxruntime") is not None


def seat_for(settings: Settings, *, batch: int) -> Seat:
    """The device of `POSE_DEVICE`, and a thread for each core that this process may use, up to 8.

    `auto` is the first card, or the CPU where there is no card.
    """
    threads = min(len(os.sched_getaffinity(0)), MOST_THREADS)
    kind, _, number = settings.device.partition(":")
    wants_card = kind == "cuda" or (kind == "auto" and nvidia_cards() > 0)
    return Seat(int(number or 0) if wants_card else None, threads, batch)


class OnnxNet:
    """One ONNX file, loaded: pictures in, arrays out. `run` may be called from several threads.

    No library of custom operators is ever loaded, whatever the file asks for.
    """

    def __init__(self, path: Path, seat: Seat, wanted: WantedFile) -> None:
        """Raises `EngineError` where `path` cannot be loaded as what is `wanted`."""
        outline = outline_of(path, wanted)
        if len(outline.inputs) != 1 or outline.inputs[0].shape is None:
            raise wanted.error(path, f"one input of pictures was expected; it {outline}")
        self.path, self._wanted = path, wanted
        self.precision = "fp16" if outline.half else "fp32"
        self._element = np.float16 if outline.inputs[0].element == FLOAT16 else np.float32
        self._session = _session(path, seat, wanted)
        self._input = self._session.get_inputs()[0].name
        self.on_card = _CUDA in self._session.get_providers()
        self.without_card = "" if seat.card is None or self.on_card else _cpu_instead()
        """Why it runs on the CPU though a card is there or was asked for."""
        if self.without_card:
            _log.warning("%s: %s", path.name, self.without_card)
        # a file made for one number of pictures gets exactly so many
        self.fixed_batch = outline.inputs[0].shape[0]
        self.batch = self.fixed_batch or seat.batch

    def run(self, pictures: FloatArray) -> list[FloatArray]:
        """The outputs for `pictures` (n, 3, height, width), n at most `batch`; each (n, ...).

        Raises `EngineError` where ONNX Runtime cannot do it: no memory left, say.
        """
        count = len(pictures)
        expect_shape("pictures", pictures, (count, 3, "height", "width"))
        if self.fixed_batch and count < self.fixed_batch:
            padding = ((0, self.fixed_batch - count), (0, 0), (0, 0), (0, 0))
            pictures = np.pad(pictures, padding)
        given = {self._input: pictures.astype(self._element, copy=False)}
        try:
            outputs: Sequence[Any] = self._session.run(None, given)
        except _refusals() as error:
            raise self._wanted.error(self.path, f"a run of it failed: {_said(error)}") from error
        return [np.asarray(output)[:count].astype(np.float32, copy=False) for output in outputs]


def _session(path: Path, seat: Seat, wanted: WantedFile) -> "onnxruntime.InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = seat.threads
    options.inter_op_num_threads = 1
    # its own warnings about every folded node are of no use to who runs a service
    options.log_severity_level = 3
    # threads that wait by spinning would take the cores from decoding
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=_providers(seat))
    except _refusals() as error:
        raise wanted.error(path, f"ONNX Runtime refuses it: {_said(error)}") from error


def _refusals() -> tuple[type[Exception], ...]:
    """ONNX Runtime's errors, which have no common class of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (
        state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf,
        state.NotImplemented, state.RuntimeException,
    )  # fmt: skip


def _said(error: Exception) -> str:
    """What it says behind its own number and name."""
    return str(error).split(" : ", 3)[-1]


def _providers(seat: Seat) -> list[Any]:
    import onnxruntime

    if seat.card is None or _CUDA not in onnxruntime.get_available_providers():
        return [_CPU]
    # trying every algorithm anew for each number of people would take seconds each time
    options = {"device_id": seat.card, "cudnn_conv_algo_search": "HEURISTIC"}
    return [(_CUDA, options), _CPU]


def _cpu_instead() -> str:
    import onnxruntime

    if _CUDA not in onnxruntime.get_available_providers():
        version = onnxruntime.__version__
        return f"on the CPU: this onnxruntime {version} has no CUDA, onnxruntime-gpu has"
    return "on the CPU: ONNX Runtime could not start CUDA (its own log says why)"
