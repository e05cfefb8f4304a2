"""detectron2's checkpoints: a pickled dict of named arrays."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pose_service.runtime.opening.content import WantedFile
from pose_service.runtime.opening.numpy_pickles import NUMPY_GLOBALS
from pose_service.runtime.opening.pickles import Globals, open_pickle

_GLOBALS = Globals({**NUMPY_GLOBALS, "collections.OrderedDict": OrderedDict})
_WRAPPER = "module."


def open_detectron2(path: Path, remedy: str) -> dict[str, NDArray[np.float32]]:
    """Parameter name to float32 array; a `module.` before all names is taken off.

    Names and shapes are not compared with any net. Raises `EngineError` with `remedy`.
    """
    wanted = WantedFile("a detectron2 checkpoint", remedy)
    content = open_pickle(path, wanted, _GLOBALS)
    if not isinstance(content, dict) or not {"model", "__author__"} <= content.keys():
        raise wanted.error(path, "it lacks the entries `model` and `__author__`")
    if content.get("matching_heuristics"):
        raise wanted.error(path, "its names belong to another model (`matching_heuristics` is set)")
    parameters = content["model"]
    if not isinstance(parameters, dict) or not parameters:
        raise wanted.error(path, "its `model` is no table of parameters")
    if wrong := [f"{name} ({_kind(value)})" for name, value in parameters.items() if _odd(value)]:
        raise wanted.error(path, f"float32 arrays were expected, got {', '.join(wrong[:5])}")
    wrapped = all(str(name).startswith(_WRAPPER) for name in parameters)
    return {
        str(name).removeprefix(_WRAPPER if wrapped else ""): np.asarray(value)
        for name, value in parameters.items()
    }


def _odd(value: object) -> bool:
    return not isinstance(value, np.ndarray) or value.dtype != np.float32


def _kind(value: object) -> str:
    return str(value.dtype) if isinstance(value, np.ndarray) else type(value).__name__
