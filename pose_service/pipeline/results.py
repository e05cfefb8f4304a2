"""A finished clip on disk: one line of JSON per frame, and a head that says it is complete.

Poses are stored, meshes are not: they are made again from the poses when an answer is written.
"""

import os
from array import array
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal, Protocol, Self

import numpy as np
import orjson

from pose_service.core.errors import NotFoundError
from pose_service.core.geometry import rotation_from_vector, vector_from_rotation
from pose_service.core.masks import Mask
from pose_service.core.records import (
    BodyPoses,
    Camera,
    ClipInfo,
    Person,
    Provenance,
    TrackedFrame,
)
from pose_service.pipeline.quality import TrackQuality
from pose_service.pipeline.tracks import MergedTrack
from pose_service.pipeline.video import ClipRun

FRAMES_NAME = "frames.ndjson"
HEAD_NAME = "result.json"
_RAW_DECIMALS = 5
STARTS_NAME = "frames.starts"
"""Eight bytes per frame, little-endian: where its line begins. A slice need not be sought."""

_START_BYTES = 8


class ResultFile(Protocol):
    """What is read of a file: a `Path` has it, and so has an object of a store."""

    def open(self, mode: Literal["rb"]) -> AbstractContextManager[IO[bytes]]: ...

    def read_bytes(self) -> bytes: ...


class ResultFolder(Protocol):
    """What is read of a folder: a `Path` has it, and so has a prefix of a store."""

    def __truediv__(self, name: str) -> ResultFile: ...


@dataclass(frozen=True)
class ResultHead:
    """What is known of a finished clip apart from its frames; older results lack the last two."""

    info: ClipInfo
    primary_id: int | None
    model_version: str
    body_name: str
    merged_tracks: tuple[MergedTrack, ...] = ()
    quality: tuple[TrackQuality, ...] = ()


def write_result(folder: Path, run: ClipRun) -> ResultHead:
    """Stream the frames of `run` into `folder`; the head is written last, in one step."""
    with closing(run):
        return _written(folder, run)


def _written(folder: Path, run: ClipRun) -> ResultHead:
    starts = array("Q")
    with (folder / FRAMES_NAME).open("wb") as file:
        for frame in run.frames:
            starts.append(file.tell())
            file.write(_frame_line(frame))
    (folder / STARTS_NAME).write_bytes(np.asarray(starts, "<u8").tobytes())
    head = ResultHead(
        run.info,
        run.primary_id,
        run.model_version,
        run.body_name,
        run.merged_tracks,
        # it was measured while the frames were written
        run.quality(),
    )
    part = folder / f"{HEAD_NAME}.part"
    part.write_bytes(orjson.dumps(asdict(head)))
    os.replace(part, folder / HEAD_NAME)
    return head


@dataclass(frozen=True)
class StoredClip:
    """A finished clip in its folder; frames are read as they are asked for."""

    folder: ResultFolder
    head: ResultHead

    @classmethod
    def open(cls, folder: ResultFolder) -> Self:
        """`NotFoundError` if no complete result lies in `folder`."""
        try:
            head = orjson.loads((folder / HEAD_NAME).read_bytes())
        except FileNotFoundError as error:
            raise NotFoundError("the result of this clip is not there") from error
        return cls(folder, _head_from(head))

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[TrackedFrame]:
        """The frames `start` up to, not including, `stop`, in order."""
        if start >= self.head.info.frame_count or (stop is not None and stop <= start):
            return
        offset = self._start_of(start) if start else 0
        with (self.folder / FRAMES_NAME).open("rb") as file:
            if offset is not None:
                file.seek(offset)
                stop = None if stop is None else stop - start
                start = 0
            for line in islice(file, start, stop):
                yield _frame_from(orjson.loads(line))

    def _start_of(self, frame: int) -> int | None:
        """Where the line of `frame` begins; None in a result that is older than the list of it."""
        try:
            with (self.folder / STARTS_NAME).open("rb") as file:
                file.seek(_START_BYTES * frame)
                return int.from_bytes(file.read(_START_BYTES), "little")
        except (FileNotFoundError, NotFoundError):
            return None


def _head_from(record: dict[str, Any]) -> ResultHead:
    info = record["info"]
    merged = record.get("merged_tracks", ())
    quality = record.get("quality", ())
    return ResultHead(
        info=ClipInfo(**{**info, "notes": tuple(info["notes"])}),
        primary_id=record["primary_id"],
        model_version=record["model_version"],
        body_name=record["body_name"],
        merged_tracks=tuple(
            MergedTrack(**{**one, "joined": tuple(one["joined"])}) for one in merged
        ),
        quality=tuple(
            TrackQuality(**{**one, "risk_ranges": tuple(map(tuple, one["risk_ranges"]))})
            for one in quality
        ),
    )


def _frame_line(frame: TrackedFrame) -> bytes:
    record = {
        "index": frame.index,
        "time_s": frame.time_s,
        "camera": asdict(frame.camera),
        "processing_ms": round(frame.processing_ms, 3),
        "people": [_person_record(person) for person in frame.people],
    }
    return orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)


def _person_record(person: Person) -> dict[str, Any]:
    mask = {} if person.mask is None else {"mask": person.mask.text()}
    return {
        "track_id": person.track_id,
        "provenance": person.provenance,
        "tracking_confidence": person.tracking_confidence,
        "confidence": person.confidence,
        "box_xyxy_px": _packed(person.box_xyxy_px),
        "joint_confidence": _packed(person.joint_confidence),
        "rotations": _packed(person.pose.rotations),
        "translations_m": _packed(person.pose.translations_m),
        "shapes": _packed(person.pose.shapes),
        "identity_risk": round(person.identity_risk, 4),
        "raw": None if person.raw_pose is None else _raw_record(person.raw_pose),
        **mask,
    }


def _raw_record(pose: BodyPoses) -> dict[str, Any]:
    """One body; rotations as axis times angle, a third of the numbers of a matrix."""
    return {
        "rotations_rad": _packed(vector_from_rotation(pose.rotations[0]).round(_RAW_DECIMALS)),
        "translation_m": _packed(pose.translations_m[0]),
        "shape": _packed(pose.shapes[0]),
    }


def _packed(values: Any) -> Any:
    return np.ascontiguousarray(values, np.float32)


def _frame_from(record: dict[str, Any]) -> TrackedFrame:
    camera = Camera(**record["camera"])
    return TrackedFrame(
        index=record["index"],
        time_s=record["time_s"],
        camera=camera,
        people=tuple(_person_from(person, camera) for person in record["people"]),
        processing_ms=record["processing_ms"],
    )


def _person_from(record: dict[str, Any], camera: Camera) -> Person:
    """Results that were written by earlier versions have neither masks nor risks."""
    pose = BodyPoses(
        *(np.array(record[name], np.float32) for name in ("rotations", "translations_m", "shapes"))
    )
    text = record.get("mask")
    return Person(
        track_id=record["track_id"],
        provenance=Provenance(record["provenance"]),
        tracking_confidence=record["tracking_confidence"],
        confidence=record["confidence"],
        box_xyxy_px=np.array(record["box_xyxy_px"]),
        joint_confidence=np.array(record["joint_confidence"]),
        pose=pose,
        raw_pose=_raw_pose(record.get("raw")),
        mask=None if text is None else Mask.read(text, camera.height_px, camera.width_px),
        identity_risk=record.get("identity_risk", 0.0),
    )


def _raw_pose(record: dict[str, Any] | None) -> BodyPoses | None:
    if record is None:
        return None
    return BodyPoses(
        rotation_from_vector(np.array([record["rotations_rad"]])),
        np.array([record["translation_m"]]),
        np.array([record["shape"]]),
    )
