"""The engine of toys for processes of their own: POSE_ENGINE=toy where `PLUG_IN` is on the path.

TOY_FRAME_S is what a frame costs it. An all white picture kills the process: a poison clip.
"""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from toy_engine import ToyDetector, toy_engine

from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.records import Look, Regions
from pose_service.engines.seam import Availability, Engine, EngineRecipe

PLUG_IN = Path(__file__).parent / "toys"


class SlowAndMortalDetector(ToyDetector):
    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        if any(image.min() > 250 for image in images):
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self._frame_s * len(images))
        return super().detect(images, look)


def build(settings: Settings) -> Engine:
    frame_s = float(os.environ.get("TOY_FRAME_S", "0"))
    return replace(toy_engine(), detector=SlowAndMortalDetector(frame_s))


def probe(settings: Settings) -> Availability:
    return Availability(True, "a test asked for it")


ENGINE = EngineRecipe(name="toy", rank=-10, sources=(), probe=probe, build=build)
