"""Finds faces in squares of a picture, by what two networks see there in several looks.

One network alone, made for people who look into their own camera, takes the back of a dark head
for a face: eight looks are asked for what they agree on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose_service.blazeface.agreement import agreed
from pose_service.blazeface.network import FULL_RANGE_GRIDS, SHORT_RANGE_GRIDS, FaceNetwork
from pose_service.blazepose.candidates import Candidates
from pose_service.blazepose.files import FULL_RANGE_FACE_FILE, SHORT_RANGE_FACE_FILE
from pose_service.blazepose.roi import Roi, crop
from pose_service.core.arrays import FloatArray, ImageArray, expect_shape

MIN_SCORE = 0.68
"""On real pictures faces of 30 px and more had 0.71 to 0.90, backs of heads 0.38 to 0.64."""
_ZOOMS = (1.0, 0.82)
"""Shares of a square's side that are looked at."""

_POINTS = 6


@dataclass(frozen=True)
class Face:
    """A face in a picture. `score`: 0 to 1, the mean of what the looks say.

    `box_xyxy_px`: (4,) around eyes and mouth, brows to chin. `points_px`: (6, 2) right eye, left
    eye, nose, mouth, right ear, left ear; the person's own right.
    """

    box_xyxy_px: FloatArray
    points_px: FloatArray
    score: float

    def __post_init__(self) -> None:
        expect_shape("box_xyxy_px", self.box_xyxy_px, (4,))
        expect_shape("points_px", self.points_px, (_POINTS, 2))


class FaceDetector:
    """Both networks, loaded; `folder` holds their files. May be used by several threads."""

    def __init__(self, folder: Path, *, min_score: float = MIN_SCORE) -> None:
        self._networks = (
            FaceNetwork(folder, SHORT_RANGE_FACE_FILE, SHORT_RANGE_GRIDS),
            FaceNetwork(folder, FULL_RANGE_FACE_FILE, FULL_RANGE_GRIDS),
        )
        self._min_score = min_score

    def detect(self, image: ImageArray, squares: Sequence[Roi] = ()) -> list[Face]:
        """The faces in `squares` of the (height, width, 3) uint8 RGB picture, the surest first.

        A square is best three to five times as wide as the face's box. A face under a sixth of the
        square, or under some 16 px, is not found. Without squares the whole picture is one.
        """
        found = [
            face
            for square in squares or [_whole(image)]
            for face in self._faces_in(image, square)
            if face.score >= self._min_score
        ]
        return sorted(found, key=lambda face: -face.score)

    def _faces_in(self, image: ImageArray, square: Roi) -> Iterator[Face]:
        looks = [look for zoom in _ZOOMS for look in self._looks(image, square, zoom)]
        seen = agreed(looks)
        for box, points, score in zip(seen.boxes_xyxy, seen.points, seen.scores, strict=True):
            corners = square.to_picture(box[[[0, 1], [2, 1], [2, 3], [0, 3]]])
            around = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
            yield Face(around, square.to_picture(points), float(score))

    def _looks(self, image: ImageArray, square: Roi, zoom: float) -> Iterator[Candidates]:
        """Candidates in shares of the whole `square`."""
        part = crop(image, square._replace(side=square.side * zoom))
        border = np.full(2, (1 - zoom) / 2)
        for network in self._networks:
            for look in (network.look, network.look_in_mirror):
                yield look(part).placed(zoom, border)


def _whole(image: ImageArray) -> Roi:
    height, width = image.shape[:2]
    return Roi(width / 2, height / 2, max(height, width), 0.0)
