"""What was seen of everybody in a clip, on disk: memory holds only where each record lies."""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.records import BodyPoses, Observation
from pose_service.pipeline.finite import is_finite
from pose_service.pipeline.mask_file import MaskFile, MaskPlace

_NUMBERS = ("confidence", "identity_risk")
_ARRAYS = (
    "box_xyxy_px",
    "roi",
    "landmarks_px",
    "landmarks_m",
    "landmark_confidence",
    "joint_confidence",
)
_POSE_ARRAYS = ("rotations", "translations_m", "shapes")
_MASK_PLACE = "mask_place"


@dataclass
class TrackIndex:
    """Where the records of one track lie.

    `extent_px` adds up the roots of its boxes' areas, `confidence` how sure each sight was,
    `appearance` (k,) the looks of each sight times how sure it was; None where none has any.
    """

    frames: "array[int]" = field(default_factory=lambda: array("q"))
    places: "array[int]" = field(default_factory=lambda: array("q"))
    extent_px: float = 0.0
    confidence: float = 0.0
    appearance: FloatArray | None = None

    def add(self, frame_index: int, place: int, seen: Observation) -> None:
        """One more sight, in a later frame."""
        self.frames.append(frame_index)
        self.places.append(place)
        x1, y1, x2, y2 = seen.box_xyxy_px
        self.extent_px += float(np.sqrt(max(0.0, (x2 - x1) * (y2 - y1))))
        self.confidence += seen.confidence
        if seen.appearance is not None:
            self._add_appearance(seen.confidence * seen.appearance)

    def extend(self, later: "TrackIndex") -> None:
        """The sights of `later`, which begins after this track's last one, as this track's."""
        self.frames.extend(later.frames)
        self.places.extend(later.places)
        self.extent_px += later.extent_px
        self.confidence += later.confidence
        if later.appearance is not None:
            self._add_appearance(later.appearance)

    def _add_appearance(self, weighted: FloatArray) -> None:
        self.appearance = weighted if self.appearance is None else self.appearance + weighted


class ObservationLog:
    """Append the observations of each frame, then read any stretch of any track.

    All observations of one clip must have arrays of the same shapes, as those of one engine do;
    masks may be there or not. Numbers are kept as float32: a hundredth of a pixel in 100,000. An
    observation with a number that is not finite would spoil its neighbours too: it is left out and
    counted in `dropped`. Looks are kept as a sum for each track alone.
    """

    def __init__(self, path: Path) -> None:
        self.tracks: dict[int, TrackIndex] = {}
        self.dropped = 0
        self._path = path
        self._file = path.open("w+b")
        self._masks = MaskFile(path.with_suffix(".masks"))
        self._record: np.dtype[Any] | None = None
        self._count = 0

    def close(self) -> None:
        """Throw everything away."""
        # what a full disk did not take is of no use any more, either
        with suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)
        self._masks.close()

    def leave_out(self, count: int) -> None:
        """So many observations of a frame could not be used."""
        self.dropped += count

    def append(self, frame_index: int, observations: Sequence[Observation]) -> None:
        """Write what was seen in one frame; frames come in increasing order."""
        finite = [seen for seen in observations if is_finite(seen)]
        self.leave_out(len(observations) - len(finite))
        for seen in finite:
            if self._record is None:
                self._record = _record_type(seen)
            index = self.tracks.setdefault(seen.track_id, TrackIndex())
            index.add(frame_index, self._count, seen)
            row = _pack(seen, self._record)
            row[_MASK_PLACE] = self._masks.append(seen.mask)
            self._file.write(row.tobytes())
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
            row = np.frombuffer(self._file.read(self._record.itemsize), self._record)[0]
            yield _unpack(row, track_id, self._masks)


def _record_type(seen: Observation) -> np.dtype[Any]:
    shapes = [(name, np.float32, getattr(seen, name).shape) for name in _ARRAYS]
    if seen.pose is not None:
        shapes += [(name, np.float32, getattr(seen.pose, name).shape) for name in _POSE_ARRAYS]
    numbers = [(name, np.float32, ()) for name in _NUMBERS]
    return np.dtype([(_MASK_PLACE, np.int64, (len(MaskPlace._fields),)), *numbers, *shapes])


def _pack(seen: Observation, record: np.dtype[Any]) -> np.ndarray[Any, np.dtype[Any]]:
    row = np.zeros((), record)
    for name in (*_NUMBERS, *_ARRAYS):
        row[name] = getattr(seen, name)
    if seen.pose is not None:
        for name in _POSE_ARRAYS:
            row[name] = getattr(seen.pose, name)
    return row


def _unpack(row: Any, track_id: int, masks: MaskFile) -> Observation:
    has_pose = _POSE_ARRAYS[0] in row.dtype.names
    return Observation(
        track_id=track_id,
        pose=BodyPoses(*(row[name] for name in _POSE_ARRAYS)) if has_pose else None,
        mask=masks.read(MaskPlace(*row[_MASK_PLACE].tolist())),
        confidence=float(row["confidence"]),
        identity_risk=float(row["identity_risk"]),
        **{name: row[name] for name in _ARRAYS},
    )
