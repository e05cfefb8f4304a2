"""What the tracker says of one frame."""

from dataclasses import dataclass

from pose_service.core.arrays import FloatArray
from pose_service.phalp.matching import Assignment
from pose_service.phalp.records import Detection


@dataclass(frozen=True)
class TrackedPerson:
    """A track in one frame. `missed`: frames since it was seen, 0 if in this one.

    `confirmed`: whether the track is believed by now. `began`: whether this very sight made it so;
    the sights before it are then believed, too. `detection`: what was seen; of somebody missed,
    what is expected (upstream: what was seen last).
    """

    track_id: int
    missed: int
    confirmed: bool
    began: bool
    detection: Detection


@dataclass(frozen=True)
class TrackedFrame:
    """One frame. `track_ids`: each detection's track, `NEW_TRACK` for one that belongs to none.

    `people`: all tracks that live, by their rising ids. `costs`: (tracks, detections) of the tracks
    before the frame with the detections that are on a track now, and how they were assigned.
    """

    frame_index: int
    track_ids: tuple[int, ...]
    people: tuple[TrackedPerson, ...]
    costs: FloatArray
    assignment: Assignment
