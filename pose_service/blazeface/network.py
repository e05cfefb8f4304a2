"""One BlazeFace network: a square picture in, candidates for faces out.

Bazarevsky et al. 2019, BlazeFace. The grids of anchors are those of MediaPipe's face detection:
short range 896 anchors of strides 8 and 16 in a square of 128 px, full range 2304 of stride 4 in
one of 192 px.
"""

from pathlib import Path

import cv2
import numpy as np

from pose_service.blazepose.anchors import anchor_centres
from pose_service.blazepose.candidates import Candidates, decode
from pose_service.blazepose.interpreter import Network
from pose_service.core.arrays import ImageArray
from pose_service.core.files import OfficialFile

SHORT_RANGE_GRIDS = ((16, 2), (8, 6))
FULL_RANGE_GRIDS = ((48, 1),)

_MIN_SCORE = 0.1
"""Of one look: what several agree on is far above, whatever each of them says."""

_MIRRORED_POINTS = (1, 0, 2, 3, 5, 4)
"""Where each of a face's points is seen in a mirror: eyes and ears change sides."""


class FaceNetwork:
    """A face network, loaded. `folder` holds `file`; `grids` as in `anchor_centres`."""

    def __init__(self, folder: Path, file: OfficialFile, grids: tuple[tuple[int, int], ...]):
        self._network = Network(folder, file)
        self._anchors = anchor_centres(grids)

    def look(self, square: ImageArray) -> Candidates:
        """Faces in a square (side, side, 3) uint8 RGB, in shares of its side.

        Points: right eye, left eye, nose, mouth, right ear, left ear; the person's own right.
        """
        side_px = self._network.input_shape[0]
        small = cv2.resize(square, (side_px, side_px), interpolation=cv2.INTER_AREA)
        outputs = self._network.run(small.astype(np.float32) / 127.5 - 1)
        return decode(outputs, self._anchors, _MIN_SCORE, side_px)

    def look_in_mirror(self, square: ImageArray) -> Candidates:
        """The same of the mirrored square, told as if there had been no mirror."""
        seen = self.look(np.ascontiguousarray(square[:, ::-1]))
        boxes = seen.boxes_xyxy[:, [2, 1, 0, 3]]
        boxes[:, [0, 2]] = 1 - boxes[:, [0, 2]]
        points = seen.points[:, _MIRRORED_POINTS]
        points[..., 0] = 1 - points[..., 0]
        return Candidates(boxes, points, seen.scores)
