"""One track: what was seen of a person, and what is expected."""

from dataclasses import dataclass, replace

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.phalp.records import DEPTH, POINT, Compat, Detection
from pose_service.phalp.track.history import History
from pose_service.phalp.track.rules import TrackRules


@dataclass(frozen=True)
class Track:
    """One person (phalp/trackers/track.py).

    `hits`: sights so far. `seen_at`: frame of the last one, which is `seen`.
    `location` (99,) and `pose` (229,): what is expected in the frame that comes.
    """

    track_id: int
    hits: int
    confirmed: bool
    seen_at: int
    seen: Detection
    history: History
    location: FloatArray
    pose: FloatArray

    @classmethod
    def begun(cls, track_id: int, frame_index: int, seen: Detection) -> "Track":
        """A track of one sight, which is also what is expected until more is known."""
        return cls(
            track_id=track_id,
            hits=1,
            confirmed=False,
            seen_at=frame_index,
            seen=seen,
            history=History.begun(frame_index, seen),
            location=seen.location,
            pose=seen.pose,
        )

    def missed(self, frame_index: int) -> int:
        """Frames since the person was seen; sessions may step back, which counts alike."""
        return abs(frame_index - self.seen_at)

    def may_return(self, frame_index: int, rules: TrackRules) -> bool:
        """Whether somebody seen in this frame may be this person: misses before it are few enough.

        Always so in a clip; frames of a session may lie far apart.
        """
        return self.missed(frame_index) - 1 <= rules.max_age

    def outlives(self, frame_index: int, rules: TrackRules) -> bool:
        """Whether the track is kept though the person is not in this frame."""
        if self.confirmed:
            return self.missed(frame_index) <= rules.max_age
        return self.hits > 1 and self.missed(frame_index) <= rules.tentative_misses

    def updated(
        self, frame_index: int, seen: Detection, rules: TrackRules, *, shot: bool
    ) -> "Track":
        """With one more sight."""
        hits = self.hits + 1
        return replace(
            self,
            hits=hits,
            confirmed=self.confirmed or hits >= rules.n_init,
            seen_at=frame_index,
            seen=seen,
            history=self.history.after(frame_index, seen, shot=shot),
        )

    def expecting(self, location: FloatArray, pose: FloatArray) -> "Track":
        return replace(self, location=location, pose=pose)

    def shown(self, frame_index: int, compat: Compat) -> Detection:
        """What a frame shows of the person: the sight, or else what is expected.

        Upstream shows the last sight once more.
        """
        if compat == "upstream" or self.seen_at == frame_index:
            return self.seen
        return self._expected()

    def _expected(self) -> Detection:
        """The last box goes and grows as the prediction says."""
        corners_px = self.seen.box_xyxy_px.reshape(2, 2)
        centre_px = corners_px.mean(axis=0)
        moved_px = (self.location[POINT] - self.seen.location[POINT]) * self.seen.square_px
        growth = self.seen.location[DEPTH] / self.location[DEPTH]
        box = (corners_px - centre_px) * growth + centre_px + moved_px
        return replace(self.seen, box_xyxy_px=np.ravel(box), location=self.location, pose=self.pose)
