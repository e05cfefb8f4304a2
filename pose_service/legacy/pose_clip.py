"""The answer to a clip of keypoints: the contract of the 2D service, written piece by piece."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np

from pose_service.biomechanics.comparison import Comparison
from pose_service.biomechanics.summary import summarise
from pose_service.core.keypoints import KeypointFrame
from pose_service.legacy.encode import encode, json_list, object_with_lists
from pose_service.legacy.frame import Fields
from pose_service.legacy.pose_frame import FrameWriter
from pose_service.legacy.pose_summary import (
    analysis_notes,
    comparison_fields,
    summary_fields,
)
from pose_service.pipeline.keypoint_clip import MeasuredClip
from pose_service.pipeline.keypoint_compare import compare_tracks, primary_curves
from pose_service.pipeline.keypoint_results import StoredKeypoints
from pose_service.pipeline.keypoint_tracks import IN_SPACE, MeasuredTrack
from pose_service.pipeline.keypoint_wish import KeypointWish
from pose_service.pose2d.config import BiomechanicsConfig

NOBODY = "nobody was found in the clip"


@dataclass(frozen=True)
class Other:
    """The clip to compare with: its job's id, and the clip itself unless it is there no more."""

    job_id: str
    clip: StoredKeypoints | None


@dataclass(frozen=True)
class PoseAnswer:
    """A finished clip and how it is to be answered.

    `fields` stand beside the data: the job's id, the clip's name, the address of the annotated
    clip. `first`, `last`: the slice of frames to send, first included, last not.
    `other`: to be compared with.
    """

    clip: StoredKeypoints
    wish: KeypointWish
    analysis: BiomechanicsConfig
    fields: Fields
    first: int = 0
    last: int | None = None
    other: Other | None = None

    def sliced(self, first: int | None, last: int | None) -> "PoseAnswer":
        """Only frames `first` up to, not including, `last`; bounds beyond the clip are cut."""
        count = self.clip.head.info.frame_count
        last = count if last is None else min(last, count)
        first = min(first or 0, last)
        fields = {**self.fields, "slice": {"from": first, "to": last}}
        return replace(self, fields=fields, first=first, last=last)

    @cached_property
    def measured(self) -> MeasuredClip:
        return MeasuredClip.of(self.clip, self.wish)

    @cached_property
    def comparison(self) -> tuple[Comparison | None, str]:
        """With `other`, and what should be known of it."""
        if self.other is None or not self.analysis.enabled:
            return None, ""
        if self.other.clip is None:
            return None, f"not compared: the result of job {self.other.job_id} is not there"
        curves, own = primary_curves(self.other.clip), self.measured.primary
        if own is None or curves is None:
            return None, "not compared: nobody was found in one of the clips"
        return compare_tracks(own, curves, self.wish)

    def write(self) -> Iterator[bytes]:
        """The whole object; `data` is null where the numbers are not wanted."""
        fields = {"status": "success", **self.fields}
        if not self.wish.data:
            return object_with_lists({**fields, "data": None}, {})
        return object_with_lists(fields, {"data": self._data()})

    def _data(self) -> Iterator[bytes]:
        writer = FrameWriter(self.measured, self.analysis)
        head = {
            "processing_summary": self._processing(),
            "summary": self._summary(self.measured.primary),
            "people": [self._person(track) for track in self.measured.tracks.values()],
            "comparison": self._comparison(),
        }
        poses, people = (map(write, self._frames()) for write in (writer.pose, writer.people))
        return object_with_lists(
            head,
            {
                "poses_per_frame": json_list(map(encode, poses)),
                "people_per_frame": json_list(map(encode, people)),
            },
        )

    def _frames(self) -> Iterator[KeypointFrame]:
        return self.measured.frames(self.first, self.last)

    def _summary(self, track: MeasuredTrack | None) -> Fields | None:
        if track is None or not self.analysis.enabled:
            return None
        return summary_fields(summarise(track.movement, self.wish.limits), self.analysis)

    def _person(self, track: MeasuredTrack) -> Fields:
        """Somebody of the clip; the primary's summary stands by itself."""
        is_primary = track is self.measured.primary
        return {
            "track_id": track.curves.track_id,
            "primary": is_primary,
            "first_frame": track.frames.start,
            "last_frame": track.frames.stop - 1,
            "frames_seen": int(track.curves.seen.sum()),
            "summary": None if is_primary else self._summary(track),
        }

    def _comparison(self) -> Fields | None:
        comparison, _ = self.comparison
        if comparison is None or self.other is None:
            return None
        return comparison_fields(comparison, self.other.job_id)

    def _processing(self) -> Fields:
        head, track, wish = self.clip.head, self.measured.primary, self.wish
        info, (_, note) = head.info, self.comparison
        seen = 0 if track is None else int(track.curves.seen.sum())
        return {
            "total_frames": info.frame_count,
            "successful_poses": seen,
            "average_confidence": _average_confidence(track),
            "model_info": asdict(head.model),
            "fps": info.fps,
            "resolution": [info.width_px, info.height_px],
            "video_duration": info.duration_s,
            "source_frames": {"first": info.first_frame, "every": info.every},
            "primary_track_id": head.primary_id,
            "angles": "3d" if self.measured.axes == IN_SPACE else "2d",
            "confidence": wish.confidence,
            "smoothing_hz": wish.cutoff_hz,
            "reason": None if seen else NOBODY,
            "notes": [*info.notes, *analysis_notes(self.analysis), *filter(None, [note])],
        }


def _average_confidence(track: MeasuredTrack | None) -> float | None:
    """Of all 17 keypoints, over the frames in which the primary person was seen."""
    if track is None or not track.curves.seen.any():
        return None
    mean = np.mean(track.curves.confidence[track.curves.seen])
    return round(float(mean), 4)
