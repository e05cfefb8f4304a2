"""Two stored clips of the same movement, put in step."""

from collections.abc import Sequence

import numpy as np

from pose_service.biomechanics.angles import ANGLES
from pose_service.biomechanics.comparison import Comparison, compare
from pose_service.biomechanics.movement import Movement
from pose_service.pipeline.keypoint_results import StoredKeypoints
from pose_service.pipeline.keypoint_tracks import (
    IN_SPACE,
    MeasuredTrack,
    TrackCurves,
    curves_of,
    measured,
)
from pose_service.pipeline.keypoint_wish import KeypointWish

KNOWN_SHARE = 0.5
"""Angles that are known in fewer frames of either clip are not compared."""


def primary_curves(clip: StoredKeypoints) -> TrackCurves | None:
    """Of the clip's primary person."""
    primary_id = clip.head.primary_id
    return None if primary_id is None else curves_of(clip).tracks.get(primary_id)


def compare_tracks(
    own: MeasuredTrack, other: TrackCurves, wish: KeypointWish
) -> tuple[Comparison | None, str]:
    """`own` against `other`, and a note of what should be known of it.

    In space only where both are; angles that are seldom known in either clip are left out.
    """
    axes, note = own.axes, ""
    if axes == IN_SPACE and other.points_cam_m is None:
        axes, note = 2, "compared in the picture: the other clip has no joints in space"
    movement = own.movement if axes == own.axes else measured(own.curves, wish, axes).movement
    second = measured(other, wish, axes).movement
    angles = _often_known(movement, second)
    if not angles:
        return None, "not compared: no angle is known in half the frames of both clips"
    return compare(movement, second, angles), note


def _often_known(first: Movement, second: Movement) -> Sequence[str]:
    shares = [np.isfinite(one.angles_deg).mean(axis=0) for one in (first, second)]
    often = np.minimum(*shares) >= KNOWN_SHARE
    return [name for name, is_often in zip(ANGLES, often, strict=True) if is_often]
