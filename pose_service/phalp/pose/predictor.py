"""Tracks' next poses, as arrays: what the tracker asks the network."""

from dataclasses import dataclass

import numpy as np
import torch

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.phalp.pose.network import PosePredictorNet
from pose_service.phalp.pose.slots import time_slots
from pose_service.phalp.records import HISTORY, POSE_NUMBERS, Compat


@dataclass(frozen=True)
class TransformerPredictor:
    """The net as the `phalp.parts.PosePredictor` that the tracker asks.

    `compat`: with `upstream` every track is read at the moment that the first one asks for.
    """

    network: PosePredictorNet
    compat: Compat = "fixed"

    def __call__(self, poses: FloatArray, times: IntArray, missed: IntArray) -> FloatArray:
        """(n, 229) float32, in one pass and in float32; `ValueError` for other shapes."""
        expect_shape("poses", poses, (len(times), HISTORY, POSE_NUMBERS))
        if not len(poses):
            return np.zeros((0, POSE_NUMBERS), np.float32)
        length = self.network.first_positions.shape[1]
        slots = time_slots(times, missed, length, self.compat)
        arrays = poses.astype(np.float32), slots.slots, slots.newest, slots.wanted
        device = self.network.mean.device
        with torch.inference_mode():
            # copies, as torch takes no array that must not be written
            predicted = self.network(*(torch.from_numpy(each.copy()).to(device) for each in arrays))
        return np.asarray(predicted.numpy(force=True))
