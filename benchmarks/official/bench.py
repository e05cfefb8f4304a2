"""What all measurements of the 4dhumans engine work on, and the engine in its variants."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.figures import BenchmarkError
from pose_service.core.config import Settings
from pose_service.engines.fourdhumans import NAME, recipe
from pose_service.engines.seam import Engine
from pose_service.fourdhumans.detector import VitDetDetector
from pose_service.fourdhumans.regressor import Hmr2Regressor
from pose_service.fourdhumans.sizes import OFFICIAL, Sizes

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
FRAME_PX = 720, 1280


@dataclass(frozen=True)
class Bench:
    """`data_dir` holds the files of `sizes`; `scratch` is an empty folder, removed afterwards.

    `threads` count on the CPU only, `compiles` (values of `POSE_COMPILE`) on a card only.
    """

    data_dir: Path
    scratch: Path
    device: torch.device
    threads: tuple[int, ...] = (1, 2)
    compiles: tuple[str, ...] = ("off", "compile")
    sizes: Sizes = OFFICIAL

    @property
    def on_card(self) -> bool:
        return self.device.type == "cuda"

    def settings(self, **changed: object) -> Settings:
        usual = {"data_dir": self.data_dir, "engine": NAME, "device": self.device.type}
        return Settings.model_validate({**usual, **changed})

    def build(self, settings: Settings) -> Engine:
        """The engine as the service builds it: loaded and run once."""
        return recipe(self.sizes).build(settings)


@dataclass(frozen=True)
class Variant:
    """In which numbers, compiled or not, and with how many threads of the CPU the nets run."""

    precision: str
    compile: str = "off"
    threads: int = 0

    @property
    def words(self) -> str:
        """
        >>> Variant("bf16", "graphs").words, Variant("fp32", threads=2).words
        ('bf16, graphs', 'fp32, 2 threads')
        """
        threads = {0: "", 1: "1 thread"}.get(self.threads, f"{self.threads} threads")
        compiled = {"off": "", "compile": "compiled"}.get(self.compile, self.compile)
        return ", ".join(word for word in (self.precision, compiled, threads) if word)


def nets_of(engine: Engine) -> tuple[VitDetDetector, Hmr2Regressor]:
    """The engine's own parts; `BenchmarkError` where others are plugged in."""
    detector, regressor = engine.detector, engine.regressor
    if isinstance(detector, VitDetDetector) and isinstance(regressor, Hmr2Regressor):
        return detector, regressor
    raise BenchmarkError(f"{engine.model_version} has not the nets that are measured here")


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """So many threads for torch; 0 leaves them as they are."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def let_go() -> None:
    """Give back what nets that nobody holds any more have taken."""
    torch.compiler.reset()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
