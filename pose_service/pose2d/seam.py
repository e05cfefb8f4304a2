"""The seam of the 2D nets: who is where, and where their joints are. NumPy in, NumPy out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.keypoints import KeypointModel


class PersonDetector(Protocol):
    """Finds people."""

    def detect(self, images: Sequence[ImageArray]) -> list[tuple[FloatArray, FloatArray]]:
        """For each picture `boxes_xyxy_px` (n, 4) and `scores` (n,) 0 to 1, the largest box first.

        `images`: (height, width, 3) uint8 RGB each, of any sizes. Boxes lie inside the picture.
        """
        ...


class KeypointNet(Protocol):
    """Finds the 17 joints of COCO of each person whose box is known."""

    def keypoints(
        self, image: ImageArray, boxes_xyxy_px: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """`points_px` (n, 17, 2) and `confidence` (n, 17) 0 to 1, one person per box.

        A joint that was not seen has confidence 0; where it is then said to be means nothing, but
        is a number. Pixels of `image` (height, width, 3) uint8 RGB; whole numbers are the middles
        of pixels. A box may reach out of the picture or lie beside it (then no joint is seen).
        """
        ...


@dataclass(frozen=True)
class Pose2D:
    """A detector, a net for keypoints, and what callers are told of them."""

    detector: PersonDetector
    net: KeypointNet
    model: KeypointModel


@dataclass(frozen=True)
class NotChosen:
    """No 2D net can be taken here: why not of each, and what to do about it."""

    reason: str
    remedy: str = ""
