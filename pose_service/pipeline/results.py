"""A finished clip on disk: one line of JSON per frame, and a head that says it is complete.

Poses are stored, meshes are not: they are made again from the poses when an answer is written.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import orjson

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
from pose_service.pipeline.frame_lines import (
    ResultFolder,
    read_head,
    read_lines,
    write_head,
    write_lines,
)
from pose_service.pipeline.quality import TrackQuality
from pose_service.pipeline.tracks import MergedTrack
from pose_service.pipeline.video import ClipRun

_RAW_DECIMALS = 5


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
    write_lines(folder, map(_frame_line, run.frames))
    head = ResultHead(
        run.info,
        run.primary_id,
        run.model_version,
        run.body_name,
        run.merged_tracks,
        # it was measured while the frames were written
        run.quality(),
    )
    write_head(folder, orjson.dumps(asdict(head)))
    return head


@dataclass(frozen=True)
class StoredClip:
    """A finished clip in its folder; frames are read as they are asked for."""

    folder: ResultFolder
    head: ResultHead

    @classmethod
    def open(cls, folder: ResultFolder) -> Self:
        """`NotFoundError` if no complete result lies in `folder`."""
        return cls(folder, _head_from(orjson.loads(read_head(folder))))

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[TrackedFrame]:
        """The frames `start` up to, not including, `stop`, in order."""
        if start >= self.head.info.frame_count or (stop is not None and stop <= start):
            return
        for line in read_lines(self.folder, start, stop):
            yield _frame_from(orjson.loads(line))


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
