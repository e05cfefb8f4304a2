"""From a token to a body and its place."""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pose_service.phalp.pose.config import PredictorSizes

_ITERATIONS: Final = 3
_PARTS: Final = (144, 10, 3)
"""Numbers of the rotations, of the shape, and of a camera that is fed back but not answered."""


class BodyHead(nn.Module):
    """(n, width) tokens to (n, 216) row-major rotations and (n, 10) betas, in three corrections.

    The regressor of HMR (Kanazawa et al. 2018), with rotations by their first two columns.
    """

    mean_pose: Tensor
    mean_betas: Tensor
    mean_camera: Tensor

    def __init__(self, sizes: PredictorSizes) -> None:
        super().__init__()
        self.first = nn.Linear(sizes.width + sum(_PARTS), sizes.body_width)
        self.second = nn.Linear(sizes.body_width, sizes.body_width)
        self.pose, self.betas, self.camera = (nn.Linear(sizes.body_width, n) for n in _PARTS)
        for name, length in zip(("pose", "betas", "camera"), _PARTS, strict=True):
            self.register_buffer(f"mean_{name}", torch.zeros(1, length))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        state = torch.cat([self.mean_pose, self.mean_betas, self.mean_camera], dim=1)
        state = state.expand(len(tokens), -1)
        for _ in range(_ITERATIONS):
            hidden = F.relu(self.first(torch.cat([tokens, state], dim=1)))
            hidden = F.relu(self.second(hidden))
            change = [self.pose(hidden), self.betas(hidden), self.camera(hidden)]
            state = state + torch.cat(change, dim=1)
        pose, betas, _camera = torch.split(state, list(_PARTS), dim=1)
        return rotations_from_6d(pose.view(len(tokens), -1, 6)).flatten(1), betas


def rotations_from_6d(pose_6d: Tensor) -> Tensor:
    """(..., 6), two columns one after the other, to (..., 3, 3); Gram and Schmidt's method."""
    first, second = pose_6d[..., :3], pose_6d[..., 3:]
    x = F.normalize(first, dim=-1)
    y = F.normalize(second - (x * second).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y, dim=-1)], dim=-1)


def place_head(width: int) -> nn.Sequential:
    """(n, width) tokens to (n, 3): x, y, and depth divided by 200."""
    return nn.Sequential(
        nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 3)
    )
