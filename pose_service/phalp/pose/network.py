"""PHALP's pose predictor: the poses of a track at some moments to its pose at another.

A transformer over a time axis on which every moment has a slot (Rajasegaran et al. 2022, in the
form of 4D-Humans: `phalp/models/predictors/pose_transformer_v2.py`).
"""

from typing import Final

import torch
from torch import Tensor, nn

from pose_service.phalp.pose.config import PredictorSizes
from pose_service.phalp.pose.heads import BodyHead, place_head
from pose_service.phalp.pose.transformer import Block
from pose_service.phalp.records import POSE_NUMBERS

_TINY: Final = 1e-10


class PosePredictorNet(nn.Module):
    """Poses (n, 7, 229) in slots of the time axis to the poses (n, 229) in the slots `wanted`.

    `poses` are normalised here, see `normalise_by`. `slots`: (n, 7) of each pose. `newest`: (n, 7),
    whether it is the last one of its slot, so that it counts; at least one of each n does.
    `wanted`: (n,).
    """

    mean: Tensor
    std: Tensor

    def __init__(self, sizes: PredictorSizes) -> None:
        super().__init__()
        width, window = sizes.width, (sizes.kernel, sizes.stride, sizes.padding)
        self.read_in = nn.Sequential(
            nn.Linear(POSE_NUMBERS, sizes.pose_width), nn.ReLU(), nn.Linear(sizes.pose_width, width)
        )
        self.unseen = nn.Parameter(torch.zeros(width))
        self.first_positions = nn.Parameter(torch.zeros(1, sizes.frames, width))
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.blocks))
        self.shrink = nn.Conv1d(width, width, *window)
        self.stretch = nn.ConvTranspose1d(width, width, *window)
        self.second_positions = nn.Parameter(torch.zeros(1, sizes.frames, width))
        self.last = Block(sizes)
        self.body = BodyHead(sizes)
        self.place = place_head(width)
        # not of the checkpoint: real numbers even where the weights are hollow yet
        self.register_buffer("mean", torch.zeros(POSE_NUMBERS, device="cpu"), persistent=False)
        self.register_buffer("std", torch.ones(POSE_NUMBERS, device="cpu"), persistent=False)

    def normalise_by(self, mean: Tensor, std: Tensor) -> None:
        """`mean`, `std`: (229,) of the poses that the weights were trained with."""
        self.mean, self.std = mean.to(self.mean), std.to(self.std)

    def forward(self, poses: Tensor, slots: Tensor, newest: Tensor, wanted: Tensor) -> Tensor:
        rows = slots[..., None]
        tokens = self._on_time_axis(poses, rows, newest) + self.first_positions
        for block in self.blocks:
            tokens = block(tokens, rows, newest)
        tokens = self.stretch(self.shrink(tokens.mT)).mT + self.second_positions
        token = self.last.of_one(tokens, wanted[:, None, None])
        rotations, betas = self.body(token)
        return torch.cat([rotations, betas, self.place(token)], dim=1)

    def _on_time_axis(self, poses: Tensor, rows: Tensor, newest: Tensor) -> Tensor:
        """(n, slots, width): what was seen in its slot, and in the others that nothing was."""
        seen = self.read_in((poses - self.mean) / (self.std + _TINY))
        tokens = self.unseen.repeat(len(poses), self.first_positions.shape[1], 1)
        # older poses of a slot add nothing to it
        change = (seen - self.unseen) * newest[..., None]
        return tokens.scatter_add(1, rows.expand(-1, -1, seen.shape[2]), change)
