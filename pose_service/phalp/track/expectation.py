"""What tracks lead to expect of the frame that comes."""

from collections.abc import Sequence

import numpy as np

from pose_service.phalp.location.predictor import predicted_locations
from pose_service.phalp.parts import PosePredictor
from pose_service.phalp.records import Compat
from pose_service.phalp.track.track import Track


def expecting(
    tracks: Sequence[Track], frame_index: int, predict_poses: PosePredictor, compat: Compat
) -> list[Track]:
    """`tracks` with the location and pose they should have in frame `frame_index`: one batch."""
    if not tracks:
        return []
    times = np.stack([each.history.times for each in tracks])
    ahead = frame_index - times[:, -1]
    locations = predicted_locations(
        np.stack([each.history.locations for each in tracks]), times, ahead, compat
    )
    poses = np.stack([each.history.poses for each in tracks])
    poses = predict_poses(poses, times, np.maximum(ahead - 1, 0))
    return [
        each.expecting(location, pose)
        for each, location, pose in zip(tracks, locations, poses, strict=True)
    ]
