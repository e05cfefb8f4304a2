"""HMR 2.0 as a whole: normalised square pictures to SMPL's parameters and crop cameras."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pose_service.hmr2.backbone import Backbone
from pose_service.hmr2.config import MARGIN_PX, Hmr2Config
from pose_service.hmr2.decoder import Decoder


class BodyEstimates(NamedTuple):
    """n bodies as the network answers them, float32.

    `rotations`: (n, 24, 3, 3) of SMPL's joints in its order, the root's in camera axes.
    `betas`: (n, 10). `crop_cameras`: (n, 3) scale, tx, ty; see `pose_service.hmr2.cameras`.
    """

    rotations: Tensor
    betas: Tensor
    crop_cameras: Tensor


class Hmr2(nn.Module):
    """(n, 3, 256, 256) normalised RGB squares to n bodies; n may be 0."""

    def __init__(self, config: Hmr2Config) -> None:
        super().__init__()
        self.backbone = Backbone(config.backbone)
        self.decoder = Decoder(config.decoder, context_dim=config.backbone.dim)

    def forward(self, squares: Tensor) -> BodyEstimates:
        features = self.backbone(squares[..., MARGIN_PX:-MARGIN_PX])
        raw = self.decoder(features)
        rotations = rotations_from_6d(raw.pose_6d.unflatten(1, (-1, 6)))
        return BodyEstimates(rotations, raw.betas, raw.crop_cameras)

    def multiply_in(self, dtype: torch.dtype) -> None:
        """Let the backbone's matrix products, 98 % of all, run in a half type.

        What is read from its features stays float32: body, camera and rotations.
        """
        self.backbone.multiply_in(dtype)


def rotations_from_6d(pose_6d: Tensor) -> Tensor:
    """(..., 6) to (..., 3, 3), by Gram and Schmidt's method (Zhou et al. 2019).

    The first three numbers are the first column before it is made orthonormal, the last three the
    second. Others of this family store the two columns interleaved: their mean pose does not fit.
    A first column of zeros stays zero.
    """
    first, second = pose_6d[..., :3], pose_6d[..., 3:]
    # `normalize` divides by 1e-12 at least, as official code does
    x = F.normalize(first, dim=-1)
    across = (x * second).sum(-1, keepdim=True) * x
    y = F.normalize(second - across, dim=-1)
    z = torch.linalg.cross(x, y, dim=-1)
    return torch.stack([x, y, z], dim=-1)
