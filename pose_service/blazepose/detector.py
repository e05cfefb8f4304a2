"""Finds where people may be, with the BlazePose detector on the whole picture and on tiles of it.

The network was made for one near person. Tiles let it see small people and several at once; a low
threshold lets it propose freely, because the landmark network tells people from ghosts better.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from pose_service.blazepose.anchors import anchor_centres
from pose_service.blazepose.boxes import around_rois
from pose_service.blazepose.candidates import (
    INPUT_SIDE_PX,
    Candidates,
    decode,
    merge_overlapping,
)
from pose_service.blazepose.files import DETECTOR_FILE
from pose_service.blazepose.interpreter import Network
from pose_service.blazepose.roi import Roi
from pose_service.blazepose.tiles import Tile, smallest_share, tiles
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.records import NEW_TRACK, Look, Regions

_WORKERS = 2
_MIN_SCORE = 0.35
_SHARPNESS = (
    1.5  # sizes of the smallest tile over the input: hits and ghosts are those of 3 and more
)
_MIN_ROI_SIDE_PX = 4.0


class BlazePoseDetector:
    """The seam's `Detector`. `folder` holds the network file."""

    def __init__(self, folder: Path, *, min_score: float = _MIN_SCORE) -> None:
        self._network = Network(folder, DETECTOR_FILE, copies=_WORKERS)
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="blazepose-detector")
        self._anchors = anchor_centres()
        self._min_score = min_score

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        """One `Regions` per picture, (height, width, 3) uint8 RGB, by falling score.

        Many are ghosts, as the threshold is low: the regressor tells them from people.
        """
        return [self._detect_one(image, look is Look.THOROUGH) for image in images]

    def _detect_one(self, image: ImageArray, thorough: bool) -> Regions:
        small = shrunk(image, _SHARPNESS * INPUT_SIDE_PX / smallest_share(thorough=thorough))
        height, width = small.shape[:2]
        looked = self._workers.map(
            lambda tile: self._look(small, tile), tiles(width, height, thorough=thorough)
        )
        found = merge_overlapping(Candidates.join(list(looked)))
        return _regions(found.placed(image.shape[1] / width, np.zeros(2)), image)

    def _look(self, image: ImageArray, tile: Tile) -> Candidates:
        outputs = self._network.run(letterbox(image, tile))
        side = max(tile.width, tile.height)
        border = np.array([side - tile.width, side - tile.height]) / 2
        origin = np.array([tile.left, tile.top]) - border
        return decode(outputs, self._anchors, self._min_score).placed(side, origin)


def shrunk(image: ImageArray, shorter_px: float) -> ImageArray:
    """`image` made smaller by area until its shorter edge is `shorter_px`; never larger.

    Done once for all tiles: none of them is then far larger than what the network sees.
    """
    factor = shorter_px / min(image.shape[:2])
    if factor >= 1:
        return image
    height, width = (max(1, round(length * factor)) for length in image.shape[:2])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def letterbox(image: ImageArray, tile: Tile) -> FloatArray:
    """(224, 224, 3) network input: the tile centred in a square, black around it, -1 to 1."""
    part = image[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]
    scale = INPUT_SIDE_PX / max(tile.width, tile.height)
    size = [max(1, round(length * scale)) for length in (tile.width, tile.height)]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left, top = ((INPUT_SIDE_PX - length) // 2 for length in size)
    square = np.full((INPUT_SIDE_PX, INPUT_SIDE_PX, 3), -1, np.float32)
    square[top : top + size[1], left : left + size[0]] = (
        cv2.resize(part, size, interpolation=way).astype(np.float32) / 127.5 - 1
    )
    return square


def _regions(found: Candidates, image: ImageArray) -> Regions:
    rois = np.array([Roi.from_points(hip, end) for hip, end, *_ in found.points]).reshape(-1, 4)
    large = rois[:, 2] >= _MIN_ROI_SIDE_PX
    rois = rois[large]
    limits = np.tile(image.shape[1::-1], 2)
    boxes = np.clip(around_rois(rois), 0, limits)
    ids = np.full(len(rois), NEW_TRACK)
    return Regions(boxes, found.scores[large], rois, ids)
