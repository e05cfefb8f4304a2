"""What was seen of everybody in a clip, on disk: memory holds only where each record lies."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pose_service.core.records import BodyPoses, Observation

_ARRAYS = (
    "box_xyxy_px",
    "roi",
    "landmarks_px",
    "landmarks_m",
    "landmark_confidence",
    "joint_confidence",
)
_POSE_ARRAYS = ("rotations", "translations_m", "shapes")


@dataclass
class TrackIndex:
    """Where the records of one track lie.

    `extent_px` adds up the roots of its boxes' areas, `confidence` how sure each sight was.
    """

    frames: "array[int]" = field(default_factory=lambda: array("q"))
    places: "array[int]" = field(default_factory=lambda: array("q"))
    extent_px: float = 0.0
    confidence: float = 0.0


class ObservationLog:
    """Append the observations of each frame, then read any stretch of any track.

    All observations of one clip must have arrays of the same shapes, as those of one engine do.
    Numbers are kept as float32: a hundredth of a pixel in 100,000.
    """

    def __init__(self, path: Path) -> None:
        self.tracks: dict[int, TrackIndex] = {}
        self._path = path
        self._file: BinaryIO = path.open("w+b")
        self._record: np.dtype[Any] | None = None
        self._count = 0

    def close(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def append(self, frame_index: int, observations: Sequence[Observation]) -> None:
        """Write what was seen in one frame; frames come in increasing order."""
        for seen in observations:
            if self._record is None:
                self._record = _record_type(seen)
            index = self.tracks.setdefault(seen.track_id, TrackIndex())
            index.frames.append(frame_index)
            index.places.append(self._count)
            x1, y1, x2, y2 = seen.box_xyxy_px
            index.extent_px += float(np.sqrt(max(0.0, (x2 - x1) * (y2 - y1))))
            index.confidence += seen.confidence
            self._file.write(_pack(seen, self._record).tobytes())
            self._count += 1

    def read(self, track_id: int, first: int, last: int) -> list[Observation]:
        """The records `first` up to, not including, `last` of a track, counted from its start."""
        places = self.tracks[track_id].places[max(first, 0) : last]
        return list(self._read(places, track_id))

    def _read(self, places: Sequence[int], track_id: int) -> Iterator[Observation]:
        if self._record is None:
            return
        for place in places:
            self._file.seek(place * self._record.itemsize)
            data = self._file.read(self._record.itemsize)
            yield _unpack(np.frombuffer(data, self._record)[0], track_id)


def _record_type(seen: Observation) -> np.dtype[Any]:
    shapes = [(name, np.float32, getattr(seen, name).shape) for name in _ARRAYS]
    if seen.pose is not None:
        shapes += [(name, np.float32, getattr(seen.pose, name).shape) for name in _POSE_ARRAYS]
    return np.dtype([("confidence", np.float32, ()), *shapes])


def _pack(seen: Observation, record: np.dtype[Any]) -> np.ndarray[Any, np.dtype[Any]]:
    row = np.zeros((), record)
    row["confidence"] = seen.confidence
    for name in _ARRAYS:
        row[name] = getattr(seen, name)
    if seen.pose is not None:
        for name in _POSE_ARRAYS:
            row[name] = getattr(seen.pose, name)
    return row


def _unpack(row: Any, track_id: int) -> Observation:
    has_pose = _POSE_ARRAYS[0] in row.dtype.names
    return Observation(
        track_id=track_id,
        confidence=float(row["confidence"]),
        pose=BodyPoses(*(row[name] for name in _POSE_ARRAYS)) if has_pose else None,
        **{name: row[name] for name in _ARRAYS},
    )
