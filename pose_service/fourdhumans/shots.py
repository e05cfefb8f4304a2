"""Where a clip is cut: PySceneDetect's content detector, one frame after the other.

Its adaptive detector, which upstream uses, knows of a cut two frames late; a tracker must know at
once. A cut that is none, as in a flash, costs little: tracks forget how their people moved.
"""

from typing import Final

import cv2
from scenedetect import ContentDetector, FrameTimecode

from pose_service.core.arrays import ImageArray

# as wide as PySceneDetect's own program makes pictures before it compares them
_WIDTH_PX: Final = 256


class ShotCuts:
    """The cuts of one clip or session. Keeps one small picture."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._detector = _new_detector()
        self._newest: int | None = None

    def begins(self, frame_index: int, image: ImageArray) -> bool:
        """Whether `image` (height, width, 3), uint8 RGB, begins a shot.

        Only pictures that follow on each other and have one size can tell.
        """
        if self._newest is None or frame_index != self._newest + 1:
            self._detector = _new_detector()
        self._newest = frame_index
        height_px = max(1, round(_WIDTH_PX * image.shape[0] / image.shape[1]))
        small = cv2.resize(image, (_WIDTH_PX, height_px), interpolation=cv2.INTER_LINEAR)
        bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
        return bool(self._detector.process_frame(FrameTimecode(frame_index, self._fps), bgr))


def _new_detector() -> ContentDetector:
    return ContentDetector(min_scene_len=0)
