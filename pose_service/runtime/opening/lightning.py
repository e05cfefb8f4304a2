"""Checkpoints of PyTorch and Lightning: one table of tensors and much else that stays shut.

The rest of such a file (training settings, optimizer) names classes of packages that are not
needed to run a net. They become placeholders, so that any such file opens and none can act.
"""

import logging
import pickle
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from pose_service.runtime.opening.content import Content, WantedFile, require
from pose_service.runtime.opening.pickles import DAMAGE, Globals, RefusedGlobalError, refusal

_log = logging.getLogger(__name__)

# A placeholder would make these harmless as well; but a file that asks for them means harm, and
# its owner should hear of it.
_HARMFUL = (
    "os.", "posix.", "nt.", "sys.", "subprocess.", "commands.", "shutil.", "socket.", "runpy.",
    "pty.",
)  # fmt: skip
_HARMFUL_BUILTINS = ("eval", "exec", "compile", "open", "__import__", "breakpoint")


def open_lightning(path: Path, remedy: str) -> dict[str, Tensor]:
    """The tensors of a Lightning checkpoint's `state_dict`; see `open_tensors`."""
    return open_tensors(path, WantedFile("a PyTorch Lightning checkpoint", remedy), "state_dict")


def open_tensors(path: Path, wanted: WantedFile, entry: str) -> dict[str, Tensor]:
    """The tensors under `entry` by name, on the CPU and memory-mapped: read when first used.

    Names and shapes are not compared with any net. Raises `EngineError` with `wanted`'s remedy.
    """
    require(path, wanted, Content.CHECKPOINT)
    try:
        content = torch.load(
            path, map_location="cpu", mmap=True, weights_only=False,
            pickle_module=SimpleNamespace(__name__=__name__, Unpickler=_CheckpointUnpickler),
        )  # fmt: skip
    except RefusedGlobalError as error:
        raise refusal(path, wanted, error) from error
    except (*DAMAGE, RuntimeError) as error:
        raise wanted.error(path, f"it ends early or is damaged ({error})") from error
    if not isinstance(content, dict) or not isinstance(content.get(entry), dict):
        raise wanted.error(path, f"it has no `{entry}`")
    state: dict[Any, Any] = content[entry]
    odd = [str(name) for name, value in state.items() if not isinstance(value, Tensor)]
    if odd or not state:
        problem = f"no tensors at {', '.join(odd[:5])}" if odd else "it is empty"
        raise wanted.error(path, f"its `{entry}` is none: {problem}")
    return {str(name): value for name, value in state.items()}


class _CheckpointUnpickler(pickle.Unpickler):
    """What `torch.load` reads with; torch itself looks after the storages."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        return _GLOBALS.find(module_name, global_name)


def _is_placeholder(name: str) -> bool:
    builtin = name.removeprefix("builtins.")
    if name.startswith(_HARMFUL) or (builtin != name and builtin in _HARMFUL_BUILTINS):
        return False
    _log.debug("a checkpoint asks for %s: left out", name)
    return True


def _rebuild_tensor(storage: Any, offset: int, size: Any, stride: Any, *_hooks: object) -> Tensor:
    empty = torch.empty(0, dtype=storage.dtype)
    return empty.set_(storage._untyped_storage, offset, size, stride)


def _rebuild_parameter(data: Tensor, *_hooks: object) -> Tensor:
    return data


_DTYPES = {str(value): value for value in vars(torch).values() if isinstance(value, torch.dtype)}
_GLOBALS = Globals(
    {
        **_DTYPES,
        "collections.OrderedDict": OrderedDict,
        "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
        "torch._utils._rebuild_parameter": _rebuild_parameter,
        "torch.Size": torch.Size,
    },
    _is_placeholder,
)
