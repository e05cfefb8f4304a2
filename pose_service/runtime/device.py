"""Where the nets run, and in which numbers: tried before anything large is loaded.

Nothing here loads torch until `choose` is called.
"""

import ctypes
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pose_service.core.config import Settings
from pose_service.core.errors import EngineError

if TYPE_CHECKING:
    import torch

_DRIVER_LIBRARY = "libcuda.so.1"
# bfloat16 products are native from this compute capability on (Ampere)
_NATIVE_BF16 = (8, 0)
_USE_CPU = "or set POSE_DEVICE=cpu, which is slow"


@dataclass(frozen=True)
class Compute:
    """`half` is the 16-bit type that the nets' products run in, None for float32."""

    device: "torch.device"
    half: "torch.dtype | None"

    def __str__(self) -> str:
        """Such as `cuda:0 in bfloat16`."""
        numbers = "float32" if self.half is None else str(self.half).removeprefix("torch.")
        return f"{self.device} in {numbers}"


def kind_of(compute: Compute) -> str:
    """What is alike on all machines whose nets answer alike, to the last bit, as far as we know.

    Two cards of one model are of one kind, whatever their numbers are.
    """
    import torch

    if compute.device.type == "cuda":
        where = torch.cuda.get_device_name(compute.device)
    else:
        where = f"CPU with {torch.backends.cpu.get_cpu_capability()}"
    return f"{where}, {compute.half or 'float32'}, torch {torch.__version__}"


def nvidia_cards() -> int:
    """How many cards the NVIDIA driver offers to this process; 0 without a driver."""
    try:
        driver = ctypes.CDLL(_DRIVER_LIBRARY)
    except OSError:
        return 0
    count = ctypes.c_int(0)
    works = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return count.value if works else 0


def choose(settings: Settings) -> Compute:
    """The device of `POSE_DEVICE`, tried, and the numbers of `POSE_PRECISION`.

    `auto` is the first card, or the CPU where there is no card at all: a card that is there but
    cannot be used is an `EngineError`, as is one that is asked for and missing. Float32 products
    are exact from here on (no TF32).
    """
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    device = _device(settings.device)
    if device.type == "cuda":
        _expect_card(device)
        _try_products(device)
    return Compute(device, _half(settings.precision, device))


def _device(wanted: str) -> "torch.device":
    import torch

    if wanted == "auto":
        wanted = "cuda" if nvidia_cards() else "cpu"
    return torch.device("cuda:0" if wanted == "cuda" else wanted)


def _half(precision: str, device: "torch.device") -> "torch.dtype | None":
    import torch

    if precision == "auto" and device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= _NATIVE_BF16
        precision = "bf16" if native else "fp16"
    return {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision)


def _expect_card(device: "torch.device") -> None:
    """`EngineError` unless this torch can be used with the card `device`."""
    import torch

    if torch.version.cuda is None:
        raise EngineError(
            f"{device}: the installed PyTorch ({torch.__version__}) is built without CUDA",
            hint=f"Run setup-4d-humans-wsl.sh, which installs a build with it, {_USE_CPU}.",
        )
    if not nvidia_cards():
        raise EngineError(
            f"{device}: no NVIDIA card can be seen",
            hint="`nvidia-smi` must list it: install the driver (under WSL: in Windows); start a "
            f"container with --gpus all; look at CUDA_VISIBLE_DEVICES; {_USE_CPU}.",
        )
    _start_cuda(device)
    count = torch.cuda.device_count()
    if (device.index or 0) >= count:
        raise EngineError(
            f"{device}: there is no such card, the last one is cuda:{count - 1}",
            hint="Set POSE_DEVICE to one of those that `nvidia-smi` lists.",
        )


def _start_cuda(device: "torch.device") -> None:
    import torch

    try:
        # a driver that is too old is told by a warning first, then by the error
        with warnings.catch_warnings(action="ignore"):
            torch.cuda.init()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise EngineError(
            f"{device}: the card is there but CUDA {torch.version.cuda} does not start: {error}",
            hint="Most often the driver is older than this PyTorch wants: update it, or run "
            f"setup-4d-humans-wsl.sh, which picks a build for the driver; {_USE_CPU}.",
        ) from error


def _try_products(device: "torch.device") -> None:
    """A small product on the card: it may have no memory left, or no kernels in this build."""
    import torch

    try:
        ones = torch.ones(8, 8, device=device)
        (ones @ ones).sum().item()
    except torch.OutOfMemoryError as error:
        raise EngineError(
            f"{device}: the card's memory is full before anything is loaded",
            hint="`nvidia-smi` tells which programs hold it: end them and start again.",
        ) from error
    except RuntimeError as error:
        raise EngineError(
            f"{device}: the card is there but cannot compute: {str(error).splitlines()[0]}",
            hint=f"PyTorch {torch.__version__} has kernels for {_architectures()}: run "
            f"setup-4d-humans-wsl.sh for a build that has the card's, {_USE_CPU}.",
        ) from error


def _architectures() -> str:
    import torch

    return ", ".join(torch.cuda.get_arch_list()) or "no card"
