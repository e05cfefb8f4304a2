"""RTMDet and YOLOX behind the seam: the whole picture at once, in the upper left of a square."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.pose2d.layouts import GRID_STRIDES_PX, Kind, Layout
from pose_service.pose2d.nms import keep_best
from pose_service.pose2d.session import OnnxNet

LEAST_SCORE: Final = 0.3
"""Of a person; rtmlib's threshold for the same files."""
# what MMDeploy builds into the files that sort their boxes out themselves
_MOST_OVERLAP = 0.5
_GREY = 114
_PERSON = 0


@dataclass(frozen=True)
class Colours:
    """What a net's pictures were normalised by in its training; channels in the order BGR."""

    mean_bgr: tuple[float, float, float]
    std_bgr: tuple[float, float, float]


YOLOX_COLOURS: Final = Colours((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
RTMDET_COLOURS: Final = Colours((103.53, 116.28, 123.675), (57.375, 57.12, 58.395))
"""Of MMDetection's `rtmdet_l_8xb32-300e_coco`, from which the smaller ones inherit them."""


class BoxNet:
    """The seam's `PersonDetector` on an ONNX file of `Kind.BOXES` or `Kind.GRID`."""

    def __init__(self, net: OnnxNet, layout: Layout, colours: Colours) -> None:
        self._net, self._layout, self._colours = net, layout, colours

    def detect(self, images: Sequence[ImageArray]) -> list[tuple[FloatArray, FloatArray]]:
        """See the seam."""
        return [self._of_one(image) for image in images]

    def _of_one(self, image: ImageArray) -> tuple[FloatArray, FloatArray]:
        picture, scale_xy = letterbox(image, self._layout.size_px, self._colours)
        outputs = self._net.run(picture[None])
        if self._layout.kind is Kind.BOXES:
            boxes, scores = _sorted_out(outputs, self._layout.outputs[0])
        else:
            boxes, scores = grid_boxes(outputs[self._layout.outputs[0]][0], self._layout.size_px)
            best = keep_best(boxes, scores, _MOST_OVERLAP)
            boxes, scores = boxes[best], scores[best]
        return _in_picture(boxes / np.tile(scale_xy, 2), scores, image.shape[1], image.shape[0])


def letterbox(
    image: ImageArray, size_px: tuple[int, int], colours: Colours
) -> tuple[FloatArray, FloatArray]:
    """(3, height, width) for the net, and its pixels per picture pixel in x and y (2,).

    The picture keeps its shape, to a pixel; what it does not fill, right and below, is grey.
    """
    width, height = size_px
    rows, columns = image.shape[:2]
    scale = min(width / columns, height / rows)
    inner = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    small = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
    out = np.empty((3, height, width), np.float32)
    for channel, (mean, std) in enumerate(zip(colours.mean_bgr, colours.std_bgr, strict=True)):
        out[channel] = (_GREY - mean) / std
        out[channel, : inner[1], : inner[0]] = (small[..., 2 - channel] - np.float32(mean)) / std
    return out, np.array([inner[0] / columns, inner[1] / rows])


def grid_boxes(grid: FloatArray, size_px: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """People (n, 4) in pixels of the square and their scores, out of YOLOX's cells.

    `grid`: (cells, 5 + classes): centre x and y from the cell's corner in strides, the logarithms
    of width and height in strides, how sure it is of anything, and of each class, people first.
    Ge et al., "YOLOX: Exceeding YOLO Series in 2021".
    """
    scores = grid[:, 4] * grid[:, 5 + _PERSON]
    sure = scores >= LEAST_SCORE
    corners, strides = _cells(size_px)
    centres = (grid[sure, :2] + corners[sure]) * strides[sure]
    # no box is larger than a thousand pictures: what would overflow is cut
    sides = np.exp(np.minimum(grid[sure, 2:4], np.log(1e3 * max(size_px)))) * strides[sure]
    return np.hstack([centres - sides / 2, centres + sides / 2]), scores[sure]


def _cells(size_px: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Corners (cells, 2) as x, y in strides and strides (cells, 1): finest first, row by row."""
    corners, strides = [], []
    for stride in GRID_STRIDES_PX:
        rows, columns = np.mgrid[: size_px[1] // stride, : size_px[0] // stride]
        corners.append(np.stack([columns.ravel(), rows.ravel()], axis=1).astype(float))
        strides.append(np.full((rows.size, 1), float(stride)))
    return np.concatenate(corners), np.concatenate(strides)


def _sorted_out(outputs: list[FloatArray], which: int) -> tuple[FloatArray, FloatArray]:
    """People of the first picture; the output (n, boxes) beside the boxes, if any, has classes."""
    boxes = outputs[which][0]
    labels = [output[0] for output in outputs if output.ndim == 2]
    if labels:
        boxes = boxes[labels[0] == _PERSON]
    boxes = boxes[boxes[:, 4] >= LEAST_SCORE]
    return boxes[:, :4], boxes[:, 4]


def _in_picture(
    boxes: FloatArray, scores: FloatArray, width_px: int, height_px: int
) -> tuple[FloatArray, FloatArray]:
    """The boxes cut at the picture's border, empty ones left out, the largest first."""
    limits = np.array([width_px, height_px, width_px, height_px], float)
    cut = np.clip(boxes.astype(np.float64), 0.0, limits)
    areas = (cut[:, 2:] - cut[:, :2]).clip(0).prod(axis=1)
    order = np.argsort(-areas, kind="stable")
    order = order[areas[order] > 0]
    return cut[order], np.clip(scores[order].astype(np.float64), 0.0, 1.0)
