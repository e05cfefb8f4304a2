"""How good a clip's tracks are, measured while its frames go by: constant memory at any length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.records import BodyPoses, Camera, Observation, Person, Provenance
from pose_service.core.skeletons import SKELETONS, SMPL24
from pose_service.engines.seam import BodyModel
from pose_service.pipeline.measures import apart_px, shape_difference_mm, sliding_m_s
from pose_service.pipeline.tallies import FRAMES_BEFORE, Jitter, Mean, Presence

_FEET = [SMPL24.index("left_foot"), SMPL24.index("right_foot")]
_SET_OF_LENGTH = {len(skeleton): name for name, skeleton in SKELETONS.items()}


@dataclass(frozen=True)
class TrackQuality:
    """What was measured of one track; None where there was nothing to measure.

    `coverage`, `seen`: shares of the clip's frames answered, and seen. `provenance`: shares of the
    frames answered. `jitter_m_s2`: mean acceleration of the joints about the pelvis,
    `pelvis_jitter_m_s2` of the pelvis; `raw_`: of each frame's own solution. `foot_sliding_m_s`:
    see `measures.sliding_m_s`; `foot_contact`: share of the steps from frame to frame in which a
    foot stood. `shape_drift_mm`: mean distance of the joints of each frame's own body from the
    track's, both at rest. `reprojection_px`: of the answered body from what was seen, before any
    smoothing; `reprojection_percent`: of the longer side of the box. `risk_ranges`: first and last
    frames of moments in which another track fitted nearly as well, the first fifty;
    `risk_frames`: all of them.
    """

    track_id: int
    coverage: float
    seen: float
    provenance: dict[str, float]
    longest_gap_s: float
    jitter_m_s2: float | None
    raw_jitter_m_s2: float | None
    pelvis_jitter_m_s2: float | None
    raw_pelvis_jitter_m_s2: float | None
    foot_sliding_m_s: float | None
    foot_contact: float | None
    shape_drift_mm: float | None
    reprojection_px: float | None
    reprojection_percent: float | None
    risk_frames: int
    risk_ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Passage:
    """One track in the n consecutive frames from `first` on, at `times_s` (n,).

    `people`: n as answered. `sights`: what was seen, before any smoothing, by frame.
    """

    first: int
    times_s: FloatArray
    people: Sequence[Person]
    sights: Mapping[int, Observation]


class TrackMeter:
    """Measures one track, passage after passage; holds two frames and some numbers."""

    def __init__(self, track_id: int, body: BodyModel, camera: Camera) -> None:
        self._track_id = track_id
        self._body = body
        self._camera = camera
        self._times_s: FloatArray = np.zeros(0)
        self._presence = Presence()
        self._jitter, self._raw_jitter = Jitter(), Jitter()
        self._sliding, self._contact = Mean(), Mean()
        self._drift_mm, self._off_px, self._off_percent = Mean(), Mean(), Mean()

    def add(self, passage: Passage) -> None:
        """Measure `passage` (of at least one frame), which begins where the last one ended."""
        times_s = np.concatenate([self._times_s, passage.times_s])
        poses = BodyPoses.join([person.pose for person in passage.people])
        posed = self._body.pose(poses, vertices=False)
        with_last_m = self._jitter.add(posed.joints_m + poses.translations_m[:, None], times_s)
        self._add_feet(with_last_m[:, _FEET], times_s, len(poses))
        self._add_raw(passage, times_s)
        self._add_reprojection(passage, {SMPL24.name: posed.joints_m, **posed.joint_sets_m})
        for place, person in enumerate(passage.people):
            self._presence.add(passage.first + place, float(passage.times_s[place]), person)
        self._times_s = times_s[-FRAMES_BEFORE:]

    def report(self, frame_count: int) -> TrackQuality:
        """What was measured, in a clip of `frame_count` frames."""
        counts, answered = self._presence.counts, self._presence.frames
        return TrackQuality(
            track_id=self._track_id,
            coverage=_share(answered, frame_count),
            seen=_share(counts[Provenance.OBSERVED], frame_count),
            provenance={word.value: _share(count, answered) for word, count in counts.items()},
            longest_gap_s=round(self._presence.longest_gap_s, 3),
            jitter_m_s2=self._jitter.joints.value,
            raw_jitter_m_s2=self._raw_jitter.joints.value,
            pelvis_jitter_m_s2=self._jitter.pelvis.value,
            raw_pelvis_jitter_m_s2=self._raw_jitter.pelvis.value,
            foot_sliding_m_s=self._sliding.value,
            foot_contact=self._contact.value,
            shape_drift_mm=self._drift_mm.value,
            reprojection_px=self._off_px.value,
            reprojection_percent=self._off_percent.value,
            risk_frames=self._presence.risk_frames,
            risk_ranges=tuple(self._presence.risk_ranges),
        )

    def _add_feet(self, feet_m: FloatArray, times_s: FloatArray, new: int) -> None:
        """The steps to the `new` frames; any between older ones have been counted."""
        slides_m_s = sliding_m_s(feet_m, times_s)[-new:]
        self._sliding.add(slides_m_s)
        self._contact.add(np.isfinite(slides_m_s).any(axis=1).astype(float))

    def _add_raw(self, passage: Passage, times_s: FloatArray) -> None:
        """Jitter and shape of each frame's own solution."""
        joints_m = np.full((len(passage.people), len(SMPL24), 3), np.nan)
        seen = [place for place, one in enumerate(passage.people) if one.raw_pose is not None]
        if seen:
            people = [passage.people[place] for place in seen]
            raw = BodyPoses.join([one.raw_pose for one in people if one.raw_pose is not None])
            posed = self._body.pose(raw, vertices=False)
            joints_m[seen] = posed.joints_m + raw.translations_m[:, None]
            shown = BodyPoses.join([one.pose for one in people])
            at_rest = [_rest_joints_m(self._body, poses) for poses in (shown, raw)]
            self._drift_mm.add(shape_difference_mm(*at_rest))
        self._raw_jitter.add(joints_m, times_s)

    def _add_reprojection(self, passage: Passage, sets_m: Mapping[str, FloatArray]) -> None:
        """Where the body has the very points that are seen: those of the set of their number."""
        for place, person in enumerate(passage.people):
            seen = passage.sights.get(passage.first + place)
            name = "" if seen is None else _SET_OF_LENGTH.get(len(seen.landmarks_px), "")
            if seen is None or name not in sets_m:
                continue
            points_m = sets_m[name][place] + person.pose.translations_m[0]
            off_px = apart_px(
                self._camera.project(points_m), seen.landmarks_px, seen.landmark_confidence
            )
            side_px = max(1.0, float(np.max(seen.box_xyxy_px[2:] - seen.box_xyxy_px[:2])))
            self._off_px.add(np.array(off_px))
            self._off_percent.add(np.array(100 * off_px / side_px))


def _rest_joints_m(body: BodyModel, poses: BodyPoses) -> FloatArray:
    """(n, 24, 3) joints of the bodies of `poses` with nothing turned."""
    upright = np.broadcast_to(np.eye(3), poses.rotations.shape)
    at_rest = BodyPoses(upright, np.zeros_like(poses.translations_m), poses.shapes)
    return body.pose(at_rest, vertices=False).joints_m


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
