"""A clip through nets that see keypoints in the picture's plane, without bodies.

As with bodies, frame after frame is looked at and tracked first, to a log on disk; who is a person
of the clip is known when all of it was seen.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pose_service.core.keypoints import KeypointFrame, KeypointPerson
from pose_service.core.records import (
    NEW_TRACK,
    Frame,
    Observation,
    Provenance,
    Regions,
)
from pose_service.core.skeletons import COCO17, SMPL24
from pose_service.media.decode import Clip, open_clip
from pose_service.media.prefetch import prefetch
from pose_service.pipeline.keypoint_results import KeypointRun
from pose_service.pipeline.observation_log import ObservationLog
from pose_service.pipeline.tracks import KeptTrack, choose_tracks
from pose_service.pipeline.video import ClipOptions, ClipWatch, least_frames, noted
from pose_service.pose2d.seam import Pose2D
from pose_service.tracking.boxes import BoxTracker

_REPORT_EVERY = 120


def keypoints_by_nets(
    source: Path, nets: Pose2D, options: ClipOptions, scratch: Path, watch: ClipWatch
) -> KeypointRun:
    """Everybody's keypoints in the clip `source`; `scratch` is a folder for the log.

    A person who is not seen in a frame is not in it: nothing is filled. Raises as
    `pipeline.video.process_clip` does.
    """
    log = ObservationLog(scratch / "observations.bin")
    try:
        clip = open_clip(source, max_pixels=options.max_pixels, part=options.part)
        total = least_frames(clip.stated_frame_count, options.max_frames)
        look = NetPass(nets, log, partial(watch.report, "tracking", total=total))
        times_s = look.run(clip, options.max_frames)
        info = noted(clip.info(), log)
    except BaseException:
        log.close()
        raise
    tracks = choose_tracks(log.tracks, info.frame_count, info.fps)
    done = partial(watch.report, "keypoints", info.frame_count, info.frame_count)
    return KeypointRun(
        info=info,
        primary_id=next((track.track_id for track in tracks if track.primary), None),
        model=nets.model,
        frames=_frames(log, tracks, times_s, done),
        close=log.close,
    )


@dataclass(frozen=True)
class NetPass:
    """Every frame looked at once, by `nets`. `log` takes who was tracked, `report` frames done."""

    nets: Pose2D
    log: ObservationLog
    report: Callable[[int], None]

    def run(self, clip: Clip, max_frames: int | None) -> "array[float]":
        """Track everybody in `clip`; the times of its frames in seconds."""
        tracker, times_s = BoxTracker(clip.fps_hint), array("d")
        with closing(prefetch(clip.frames(max_frames))) as frames:
            for frame in frames:
                self.report(len(times_s))
                seen = _observe(self.nets, frame)
                self.log.append(frame.index, tracker.update(frame.index, frame.image, seen))
                times_s.append(frame.time_s)
        self.report(len(times_s))
        return times_s


def _observe(nets: Pose2D, frame: Frame) -> list[Observation]:
    ((boxes, scores),) = nets.detector.detect([frame.image])
    if not len(boxes):
        return []
    points_px, confidence = nets.net.keypoints(frame.image, boxes)
    rois = Regions.of_boxes(boxes).rois
    return [
        Observation(
            track_id=NEW_TRACK,
            box_xyxy_px=box,
            confidence=float(score),
            roi=roi,
            landmarks_px=points,
            landmarks_m=np.zeros((len(COCO17), 3)),
            landmark_confidence=sure,
            joint_confidence=np.zeros(len(SMPL24)),
        )
        for box, score, roi, points, sure in zip(
            boxes, scores, rois, points_px, confidence, strict=True
        )
    ]


def _frames(
    log: ObservationLog,
    tracks: Sequence[KeptTrack],
    times_s: Sequence[float],
    report: Callable[[], None],
) -> Iterator[KeypointFrame]:
    """Every frame of the clip with whom of `tracks` was seen in it."""
    next_place = dict.fromkeys((track.logged_id for track in tracks), 0)
    try:
        for index, time_s in enumerate(times_s):
            if index % _REPORT_EVERY == 0:
                report()
            people = []
            for track in tracks:
                frames, place = log.tracks[track.logged_id].frames, next_place[track.logged_id]
                if place < len(frames) and frames[place] == index:
                    (seen,) = log.read(track.logged_id, place, place + 1)
                    people.append(_person(track.track_id, seen))
                    next_place[track.logged_id] += 1
            yield KeypointFrame(index, time_s, tuple(people))
    finally:
        log.close()


def _person(track_id: int, seen: Observation) -> KeypointPerson:
    return KeypointPerson(
        track_id=track_id,
        provenance=Provenance.OBSERVED,
        confidence=seen.confidence,
        box_xyxy_px=seen.box_xyxy_px,
        points_px=seen.landmarks_px,
        point_confidence=seen.landmark_confidence.clip(0.0, 1.0),
    )
