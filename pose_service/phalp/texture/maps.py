"""Which point of the body's surface each texel of the flat layout shows."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.phalp.records import TEXTURE_PX

_SQUARE = (TEXTURE_PX, TEXTURE_PX)


@dataclass(frozen=True)
class TextureMaps:
    """The body's faces, and the n texels that lie on one of them, all on one device.

    `faces`: (faces, 3) vertices. `texels`: (n,) row-major place in the 256 x 256 texture.
    `corners`: (n, 3) vertices of the texel's face; `weights`: (n, 3) float32 what each counts.
    """

    faces: Tensor
    texels: Tensor
    corners: Tensor
    weights: Tensor

    @classmethod
    def of(
        cls, bmap: FloatArray, fmap: IntArray, faces: IntArray, device: torch.device
    ) -> "TextureMaps":
        """`bmap`: (256, 256, 3) weights. `fmap`: (256, 256) face, negative for none.

        `faces`: (faces, 3) of the body. `ValueError` for other arrays, for a face that the body
        does not have, and where the weights of a face are no numbers.
        """
        expect_shape("bmap", bmap, (*_SQUARE, 3))
        expect_shape("fmap", fmap, _SQUARE)
        expect_shape("faces", faces, ("faces", 3))
        texels = np.flatnonzero(fmap >= 0)
        chosen, weights = fmap.ravel()[texels].astype(np.int64), bmap.reshape(-1, 3)[texels]
        if len(texels) and chosen.max() >= len(faces):
            raise ValueError(f"fmap: names face {chosen.max()}, the body has {len(faces)}")
        if not np.isfinite(weights).all():
            raise ValueError("bmap: weights of a face are NaN or infinite")
        whole = faces.astype(np.int64)
        arrays = whole, texels, whole[chosen], weights.astype(np.float32)
        return cls(*(torch.from_numpy(each).to(device) for each in arrays))

    def points(self, vertices_m: Tensor) -> Tensor:
        """(people, n, 3): what each texel shows of bodies; `vertices_m`: (people, vertices, 3)."""
        parts = (
            self.weights[:, corner, None] * vertices_m[:, self.corners[:, corner]]
            for corner in range(3)
        )
        return sum(parts, start=torch.zeros((), device=vertices_m.device))
