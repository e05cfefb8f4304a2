"""The keypoints of a clip on disk: what `/pose` answers, drawings and reports are made from."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson

from pose_service.core.arrays import FloatArray
from pose_service.core.keypoints import KeypointFrame, KeypointModel, KeypointPerson
from pose_service.core.records import ClipInfo, Provenance
from pose_service.pipeline.frame_lines import (
    ResultFolder,
    read_head,
    read_lines,
    write_head,
    write_lines,
)

_PX_DECIMALS = 2
_METRE_DECIMALS = 4
_CONFIDENCE_DECIMALS = 4


@dataclass(frozen=True)
class KeypointHead:
    """What is known of a finished clip apart from its frames. `primary_id`: None for nobody."""

    info: ClipInfo
    primary_id: int | None
    model: KeypointModel


@dataclass(frozen=True)
class KeypointRun:
    """A clip being worked on: exactly `info.frame_count` frames, the primary first in each."""

    info: ClipInfo
    primary_id: int | None
    model: KeypointModel
    frames: Iterator[KeypointFrame]
    close: Callable[[], None] = lambda: None


def write_keypoints(folder: Path, run: KeypointRun) -> None:
    """Stream the frames of `run` into `folder`; the head is written last, in one step."""
    with closing(run):
        write_lines(folder, map(_frame_line, run.frames))
        head = KeypointHead(run.info, run.primary_id, run.model)
        write_head(folder, orjson.dumps(asdict(head)))


@dataclass(frozen=True)
class StoredKeypoints:
    """A finished clip in its folder; frames are read as they are asked for."""

    folder: ResultFolder
    head: KeypointHead

    @classmethod
    def open(cls, folder: ResultFolder) -> Self:
        """`NotFoundError` if no complete result lies in `folder`."""
        record = orjson.loads(read_head(folder))
        info = record["info"]
        head = KeypointHead(
            info=ClipInfo(**{**info, "notes": tuple(info["notes"])}),
            primary_id=record["primary_id"],
            model=KeypointModel(**record["model"]),
        )
        return cls(folder, head)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[KeypointFrame]:
        """The frames `start` up to, not including, `stop`, in order."""
        if start >= self.head.info.frame_count or (stop is not None and stop <= start):
            return
        for line in read_lines(self.folder, start, stop):
            yield _frame_from(orjson.loads(line))


def _frame_line(frame: KeypointFrame) -> bytes:
    record = {
        "index": frame.index,
        "time_s": frame.time_s,
        "people": [_person_record(person) for person in frame.people],
    }
    return orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)


def _person_record(person: KeypointPerson) -> dict[str, Any]:
    points_cam_m = person.points_cam_m
    return {
        "track_id": person.track_id,
        "provenance": person.provenance,
        "confidence": round(float(person.confidence), _CONFIDENCE_DECIMALS),
        "box_xyxy_px": _rounded(person.box_xyxy_px, _PX_DECIMALS),
        "points_px": _rounded(person.points_px, _PX_DECIMALS),
        "point_confidence": _rounded(person.point_confidence, _CONFIDENCE_DECIMALS),
        "points_cam_m": None if points_cam_m is None else _rounded(points_cam_m, _METRE_DECIMALS),
    }


def _rounded(values: FloatArray, decimals: int) -> FloatArray:
    return np.ascontiguousarray(np.round(np.asarray(values, np.float64), decimals))


def _frame_from(record: dict[str, Any]) -> KeypointFrame:
    people = tuple(_person_from(person) for person in record["people"])
    return KeypointFrame(record["index"], record["time_s"], people)


def _person_from(record: dict[str, Any]) -> KeypointPerson:
    points_cam_m = record["points_cam_m"]
    return KeypointPerson(
        track_id=record["track_id"],
        provenance=Provenance(record["provenance"]),
        confidence=record["confidence"],
        box_xyxy_px=np.array(record["box_xyxy_px"]),
        points_px=np.array(record["points_px"]),
        point_confidence=np.array(record["point_confidence"]),
        points_cam_m=None if points_cam_m is None else np.array(points_cam_m),
    )
