"""Where BlazePose's landmarks show a person's torso, and its colours."""

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.tracking import colours

_SHOULDER_LEFT, _SHOULDER_RIGHT, _HIP_LEFT, _HIP_RIGHT = 11, 12, 23, 24


def torso_colours(image: ImageArray, landmarks_px: FloatArray) -> FloatArray:
    """(96,) histogram of sum 1, see `tracking.colours`. `landmarks_px`: (33, 2)."""
    corners = landmarks_px[[_SHOULDER_LEFT, _SHOULDER_RIGHT, _HIP_LEFT, _HIP_RIGHT]]
    return colours.torso_colours(image, corners)
