"""What is known of a clip's tracks when they are compared: how each begins, ends and looks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.records import Observation
from pose_service.pipeline.observation_log import ObservationLog, TrackIndex

# Of a track this short the appearance is not known well enough.
FEWEST_SIGHTS = 5
_END_SIGHTS = 5


@dataclass(frozen=True)
class TrackEnd:
    """How a track begins or ends: `place_px` (2,), `size_px` of the square, `depth_m` if known."""

    frame: int
    time_s: float
    place_px: FloatArray
    size_px: float
    depth_m: float | None = None


@dataclass(frozen=True)
class Piece:
    """What is known of a track when it is compared with others.

    `appearance`: (k,) its mean, sum 1. `shape`: of its body, where the net gives one.
    """

    track_id: int
    start: TrackEnd
    finish: TrackEnd
    appearance: FloatArray
    shape: FloatArray | None = None


def pieces_of(log: ObservationLog, times_s: FloatArray) -> Iterator[Piece]:
    """The tracks of `log` of which enough is known. `times_s`: (frames,) of the clip."""
    for track_id, index in log.tracks.items():
        if index.appearance is None or len(index.frames) < FEWEST_SIGHTS:
            continue
        first = log.read(track_id, 0, _END_SIGHTS)
        last = log.read(track_id, len(index.frames) - _END_SIGHTS, len(index.frames))
        poses = [seen.pose for seen in (*first, *last) if seen.pose is not None]
        yield Piece(
            track_id,
            _end(first, index, 0, times_s),
            _end(last[::-1], index, -1, times_s),
            index.appearance / max(float(index.appearance.sum()), 1e-9),
            np.mean([pose.shapes[0] for pose in poses], axis=0) if poses else None,
        )


def _end(
    sights: Sequence[Observation], index: TrackIndex, place: int, times_s: FloatArray
) -> TrackEnd:
    """Of `sights`, the outermost first: the place is where that one was, the rest are medians."""
    frame = index.frames[place]
    depths_m = [seen.pose.translations_m[0, 2] for seen in sights if seen.pose is not None]
    return TrackEnd(
        frame,
        float(times_s[frame]),
        sights[0].roi[:2],
        float(np.median([seen.roi[2] for seen in sights])),
        float(np.median(depths_m)) if depths_m else None,
    )
