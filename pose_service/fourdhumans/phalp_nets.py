"""PHALP's nets as they serve: what each runs on, and what if memory is short."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.fourdhumans.textures import SeenTextures
from pose_service.phalp.appearance.looks import TextureLooks
from pose_service.phalp.pose.predictor import TransformerPredictor
from pose_service.phalp.records import (
    HISTORY,
    POSE_NUMBERS,
    TEXTURE_PX,
    BoolArray,
    Compat,
)
from pose_service.phalp.texture.sampling import CHANNELS
from pose_service.runtime.memory import MemoryGuard

# tracks, or people of a frame: crowds are smaller
_TOGETHER = 64


@dataclass(frozen=True)
class GuardedLooks:
    """A `phalp.parts.Looks` whose net may be moved for want of memory, and textures after it."""

    looks: TextureLooks
    guard: MemoryGuard

    def costs(
        self, tracks: Sequence[Tensor], detections: Sequence[Tensor], possible: BoolArray
    ) -> FloatArray:
        """See `TextureLooks.costs`."""

        def work(_one: Sequence[None]) -> list[FloatArray]:
            device = next(self.looks.encoder.parameters()).device
            rows, columns = ([each.to(device) for each in some] for some in (tracks, detections))
            return [self.looks.costs(rows, columns, possible)]

        (costs,) = self.guard.run([None], work)
        return costs

    def mixed(
        self, kept: Sequence[Tensor], seen: Sequence[Tensor], scores: FloatArray
    ) -> list[Tensor]:
        """See `TextureLooks.mixed`."""
        beside = [old.to(new.device) for old, new in zip(kept, seen, strict=True)]
        return self.looks.mixed(beside, seen, scores)


@dataclass(frozen=True)
class GuardedPredictor:
    """A `phalp.parts.PosePredictor` that takes fewer tracks at once where memory is short."""

    predictor: TransformerPredictor
    guard: MemoryGuard

    def __call__(self, poses: FloatArray, times: IntArray, missed: IntArray) -> FloatArray:
        """See `phalp.parts.PosePredictor`."""

        def work(part: Sequence[int]) -> list[FloatArray]:
            rows = np.array(part)
            return list(self.predictor(poses[rows], times[rows], missed[rows]))

        rows = self.guard.run(range(len(poses)), work)
        return np.reshape(rows, (len(poses), POSE_NUMBERS))

    def in_compat(self, compat: Compat) -> "GuardedPredictor":
        """The same net, read as `compat` says."""
        return replace(self, predictor=replace(self.predictor, compat=compat))


@dataclass(frozen=True)
class PhalpNets:
    """What PHALP's tracker asks nets for: textures of people, how alike they are, poses to come."""

    textures: SeenTextures
    looks: GuardedLooks
    predict_poses: GuardedPredictor

    def run_once(self) -> None:
        """So that the first caller does not wait for kernels to be chosen."""
        texture = torch.ones(CHANNELS, TEXTURE_PX, TEXTURE_PX)
        self.looks.costs([texture], [texture], np.ones((1, 1), bool))
        nobody = np.zeros((1, HISTORY, POSE_NUMBERS)), np.zeros((1, HISTORY), np.int64)
        self.predict_poses(*nobody, np.zeros(1, np.int64))


def guarded(net: torch.nn.Module, device: torch.device, *, cpu_fallback: bool) -> MemoryGuard:
    """The guard of one of these nets."""
    return MemoryGuard(net, device, _TOGETHER, cpu_fallback=cpu_fallback)
