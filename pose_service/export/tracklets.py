"""Tracklets as PHALP's `track.py` leaves them: what is written for each frame of a clip.

Keys, types and units are those of the dictionary `final_visuals_dic` that upstream's `PHALP.track`
dumps to `outputs/results/demo_<clip>.pkl`, so that programs written for it read ours.
docs/exports.md tells the few places where the content differs.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pose_service.core.records import Person, Provenance, TrackedFrame
from pose_service.export.joblib_pickle import packed_dict
from pose_service.export.posed import PosedFrame
from pose_service.export.tracklet_person import Place, person_fields

_INTERPOLATED = -1
_LISTS = (
    "tid", "bbox", "tracked_time", "center", "scale", "size", "img_path", "img_name",
    "class_name", "conf", "annotations", "smpl", "camera", "camera_bbox", "3d_joints", "2d_joints",
    "mask", "extra_data",
)  # fmt: skip


def tracklet_file(
    frames: Iterable[PosedFrame], clip_name: str, first_seen: Mapping[int, int]
) -> Iterator[bytes]:
    """The bytes of a whole `.pkl` file, a frame at a time; `first_seen` as `first_sights` gives it.

    `BadRequestError` where the bodies are not SMPL's, with the joint set `hmr44`.
    """
    return packed_dict(frame_records(frames, clip_name, first_seen))


def frame_records(
    frames: Iterable[PosedFrame], clip_name: str, first_seen: Mapping[int, int]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and record of each frame, the people by track id.

    The paths are those that upstream writes the clip's pictures to; no such file is made here.
    """
    sights = _Sights(first_seen)
    # upstream cuts the name at the first dot
    folder = f"outputs//_DEMO/{clip_name.partition('.')[0]}/img"
    for posed in frames:
        path = f"{folder}/{posed.frame.index + 1:06d}.jpg"
        yield path, _record(posed, path, sights)


def first_sights(frames: Iterable[TrackedFrame]) -> dict[int, int]:
    """The first frame in which each track was seen, not foretold."""
    firsts: dict[int, int] = {}
    for frame in frames:
        for person in frame.people:
            if person.provenance is Provenance.OBSERVED:
                firsts.setdefault(person.track_id, frame.index)
    return firsts


class _Sights:
    """When each track was seen last."""

    def __init__(self, first_seen: Mapping[int, int]) -> None:
        self._first_seen = first_seen
        self._last_seen: dict[int, int] = {}

    def tracked_time(self, person: Person, index: int) -> int:
        """0 if seen, -1 if filled between sights, else frames from the last sight, or to the first.

        Frames must be asked for in order.
        """
        if person.provenance is Provenance.OBSERVED:
            self._last_seen[person.track_id] = index
            return 0
        if person.provenance is Provenance.INTERPOLATED:
            return _INTERPOLATED
        first = self._first_seen.get(person.track_id, index)
        return max(1, abs(index - self._last_seen.get(person.track_id, first)))


def _record(posed: PosedFrame, path: str, sights: _Sights) -> dict[str, Any]:
    index, camera = posed.frame.index, posed.frame.camera
    people = sorted(posed.people(), key=lambda one: one.person.track_id)
    fields = [
        person_fields(one, sights.tracked_time(one.person, index), Place(path, camera, number))
        for number, one in enumerate(people)
    ]
    seen = [person for person in fields if person["tracked_time"] == 0]
    return {
        "time": index,
        "shot": 0,
        "frame_path": path,
        "tracked_ids": [person["tid"] for person in seen],
        "tracked_bbox": [person["bbox"] for person in seen],
        **{key: [person[key] for person in fields] for key in _LISTS},
    }
