"""Where a clip is cut: PySceneDetect's content detector, one frame after the other.

Its adaptive detector, which upstream uses, knows of a cut two frames late; a tracker must know at
once. A cut that is none, as in a flash, costs little: tracks forget how their people moved.
"""

from typing import Final

import cv2
from scenedetect import ContentDetector, FrameTimecode

from pose_service.core.arrays import ImageArray

# as wide as PySceneDetect's own program makes pictures before it compares them; all alike, for a
# session's pictures may change their size
_SIZE_PX: Final = 256, 144
# only the shortest length of a shot, which is none here, goes by time
_ANY_TIME: Final = FrameTimecode(0, 30.0)


class ShotCuts:
    """The cuts of one clip or session. Keeps one small picture."""

    def __init__(self) -> None:
        self._detector = _new_detector()
        self._newest: int | None = None

    def begins(self, frame_index: int, image: ImageArray) -> bool:
        """Whether `image` (height, width, 3), uint8 RGB, begins a shot.

        Only the frame right after the one before can tell.
        """
        if self._newest is None or frame_index != self._newest + 1:
            self._detector = _new_detector()
        self._newest = frame_index
        small = cv2.resize(image, _SIZE_PX, interpolation=cv2.INTER_LINEAR)
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        return bool(self._detector.process_frame(_ANY_TIME, bgr))


def _new_detector() -> ContentDetector:
    return ContentDetector(min_scene_len=0)
