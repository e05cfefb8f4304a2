"""Figures that the tests of the BlazePose room share: a standing person and looks at it."""

import numpy as np

from pose_service.blazepose.landmarks import BODY_LANDMARKS, LandmarkResult
from pose_service.blazepose.roi import Roi
from pose_service.core.arrays import FloatArray
from pose_service.core.records import NEW_TRACK, Observation
from pose_service.core.skeletons import BLAZEPOSE33

SIDE = 100.0
_PLACES = {  # left side of the body, shares of the square, from its middle
    "shoulder": (0.08, -0.2), "elbow": (0.12, -0.1), "wrist": (0.14, 0.0), "hip": (0.05, 0.0),
    "knee": (0.06, 0.2), "ankle": (0.06, 0.38),
}  # fmt: skip


def standing(x: float, y: float, side: float = SIDE) -> FloatArray:
    """(33, 2) landmarks of a person facing the camera, mid-hip at (x, y)."""
    points = np.tile([0.0, -0.3], (BODY_LANDMARKS, 1))
    for joint, (across, down) in _PLACES.items():
        points[BLAZEPOSE33.index(f"left_{joint}")] = (across, down)
        points[BLAZEPOSE33.index(f"right_{joint}")] = (-across, down)
    return points * side + (x, y)


def look(
    x: float, y: float, side: float = SIDE, *, hq: float = 0.8, flag: float = 1.0
) -> LandmarkResult:
    """What the network says of a standing person."""
    return LandmarkResult(
        landmarks_px=standing(x, y, side),
        landmarks_m=np.zeros((BODY_LANDMARKS, 3)),
        visibility=np.full(BODY_LANDMARKS, 0.9),
        heat=np.full(BODY_LANDMARKS, hq),
        flag=flag,
        roi=Roi(x, y, side, 0.0),
        box_xyxy_px=np.array([x - 0.2 * side, y - 0.4 * side, x + 0.2 * side, y + 0.4 * side]),
    )


def observation(
    x: float, y: float, side: float = SIDE, *, track_id: int = NEW_TRACK
) -> Observation:
    """A standing person as the regressor tells of it."""
    seen = look(x, y, side)
    return Observation(
        track_id, seen.box_xyxy_px, seen.hq, np.array(seen.roi), seen.landmarks_px,
        seen.landmarks_m, seen.visibility, np.full(24, 0.8),
    )  # fmt: skip
