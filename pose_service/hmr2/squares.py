"""Which square of a picture is shown to the network for a person's box."""

from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape

# width to height of the box that the network was trained to see inside the square
_BOX_ASPECT = 192, 256
# far beyond any picture; what is farther would ask for a blur that takes minutes
_FARTHEST_PX = 100_000


@dataclass(frozen=True)
class Squares:
    """Upright squares of one picture, one per person; they may leave it.

    `centres_px`: (n, 2) x, y and `sides_px`: (n,), both float32 as in the official crop. A pixel's
    centre has whole coordinates.
    """

    centres_px: FloatArray
    sides_px: FloatArray

    def __post_init__(self) -> None:
        expect_shape("centres_px", self.centres_px, (len(self.sides_px), 2))
        expect_shape("sides_px", self.sides_px, ("n",))

    def __len__(self) -> int:
        return len(self.sides_px)


def squares_around(boxes_xyxy_px: FloatArray) -> Squares:
    """The squares around boxes (n, 4) that are first grown to three to four, width to height.

    Boxes may leave the picture. `ValueError` names the first that is no box: with a coordinate
    that is not finite or beyond 100,000 px, or without width or height.
    """
    expect_shape("boxes_xyxy_px", boxes_xyxy_px, ("n", 4))
    boxes = np.asarray(boxes_xyxy_px, np.float32)
    near = (np.abs(boxes) <= _FARTHEST_PX).all(1)
    usable = near & (boxes[:, 2:] > boxes[:, :2]).all(1)
    if not usable.all():
        first = int(np.argmin(usable))
        raise ValueError(
            f"boxes_xyxy_px[{first}]: expected x1 < x2 and y1 < y2, all within "
            f"{_FARTHEST_PX} px of 0, got {boxes_xyxy_px[first].tolist()}"
        )
    # official code stores the box's size in units of 200 px: the detour rounds
    spans = (boxes[:, 2:] - boxes[:, :2]) / np.float32(200) * np.float32(200)
    width, height = _BOX_ASPECT
    sides = np.maximum(spans[:, 1], spans[:, 0] * np.float32(height) / np.float32(width))
    return Squares((boxes[:, :2] + boxes[:, 2:]) / np.float32(2), sides)
