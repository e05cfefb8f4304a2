"""Tracklets of a file, checked: frames and the people in them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.errors import BadRequestError, EngineError
from pose_service.core.skeletons import HMR44, SMPL24
from pose_service.export.joblib_reader import numbers_of, read_joblib
from pose_service.export.padded_square import PaddedSquare
from pose_service.runtime.opening.content import WantedFile

TRACKLETS = WantedFile(
    "tracklets of PHALP",
    "Give a file that PHALP's or 4D-Humans' `track.py` left in outputs/results, or one that this "
    "service wrote.",
)

_SHAPES: dict[str, tuple[int, ...]] = {
    "bbox": (4,), "camera": (3,), "camera_bbox": (3,), "3d_joints": (len(HMR44) + 1, 3),
    "2d_joints": ((len(HMR44) + 1) * 2,),
}  # fmt: skip
_BETAS = 10
_LISTS = ("tid", "tracked_time", "size", "img_name", "conf", "smpl", *_SHAPES)


@dataclass(frozen=True)
class Tracklet:
    """One person in one frame.

    `tracked_time`: 0 if seen in this frame, more for frames since then, -1 if filled afterwards.
    `is_repeat`: nothing was foretold, all fields are those of the last sight, as upstream writes
    people who are missing. `rotations`: (24, 3, 3) camera axes. `translation_m`: (3,) before a
    camera of `PaddedSquare.focal_px` at the picture's centre. `joints_m`: (44, 3) of `HMR44`,
    camera axes, translation not added; `joints_px`: (44, 2) in the picture.
    """

    track_id: int
    tracked_time: int
    is_repeat: bool
    confidence: float
    box_xyxy_px: FloatArray
    rotations: FloatArray
    betas: FloatArray
    translation_m: FloatArray
    crop_camera: FloatArray
    joints_m: FloatArray
    joints_px: FloatArray

    @property
    def provenance(self) -> str:
        """As the answers call it, and `repeated`, which this service never answers."""
        if self.tracked_time == 0:
            return "observed"
        if self.tracked_time < 0:
            return "interpolated"
        return "repeated" if self.is_repeat else "predicted"


@dataclass(frozen=True)
class TrackletFrame:
    """`size_px`: width, height; None in a file without a single person, which does not tell."""

    path: str
    index: int
    shot: int
    size_px: tuple[int, int] | None
    people: tuple[Tracklet, ...]


def read_tracklets(path: Path) -> Iterator[TrackletFrame]:
    """The frames of a tracklet file in its order; the whole file is in memory meanwhile.

    `BadRequestError` says what is wrong with the file, or where in it.
    """
    try:
        content = read_joblib(path, TRACKLETS)
    except EngineError as error:
        raise BadRequestError(str(error), hint=error.hint) from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise _wrong(path, "a dictionary of frames was expected")
    size_px = _size(path, content)
    return (_frame(path, key, record, size_px) for key, record in content.items())


def _wrong(path: Path, problem: str) -> BadRequestError:
    return BadRequestError(
        f"{path} cannot be used as {TRACKLETS.what}: {problem}", hint=TRACKLETS.remedy
    )


def _size(path: Path, content: Mapping[str, Any]) -> tuple[int, int] | None:
    """Width and height: each person tells it, frames do not."""
    try:
        sizes = {(int(w), int(h)) for record in content.values() for h, w in record["size"]}
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise _wrong(path, f"size: pairs of height and width were expected ({error})") from error
    if len(sizes) > 1 or any(min(size) < 1 for size in sizes):
        raise _wrong(path, f"size: one size of all frames was expected, got {sorted(sizes)[:3]}")
    return next(iter(sizes), None)


def _frame(
    path: Path, key: str, record: dict[str, Any], size_px: tuple[int, int] | None
) -> TrackletFrame:
    try:
        rows = zip(*(record[name] for name in _LISTS), strict=True)
        people = [dict(zip(_LISTS, row, strict=True)) for row in rows]
        return TrackletFrame(
            path=key,
            index=int(record["time"]),
            shot=int(record["shot"]),
            size_px=size_px,
            people=tuple(_person(fields, key, size_px) for fields in people),
        )
    except KeyError as error:
        raise _wrong(path, f"frame {key!r} lacks {error}") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise _wrong(path, f"frame {key!r}: {error}") from error


def _person(fields: Mapping[str, Any], key: str, size_px: tuple[int, int] | None) -> Tracklet:
    square = PaddedSquare(*(size_px or (1, 1)))
    arrays = {name: _numbers(name, fields[name], shape) for name, shape in _SHAPES.items()}
    low, extent = arrays["bbox"][:2], arrays["bbox"][2:]
    points = arrays["2d_joints"].reshape(-1, 2)
    smpl = fields["smpl"]
    turns = [
        _numbers(name, smpl[name], (count, 3, 3))
        for name, count in (("global_orient", 1), ("body_pose", len(SMPL24) - 1))
    ]
    return Tracklet(
        track_id=int(fields["tid"]),
        tracked_time=int(fields["tracked_time"]),
        is_repeat=fields["img_name"] != key.rpartition("/")[2],
        confidence=float(fields["conf"]),
        box_xyxy_px=np.concatenate([low, low + extent]),
        rotations=np.concatenate(turns),
        betas=_numbers("betas", smpl["betas"], (_BETAS,)),
        translation_m=square.picture_translation_m(arrays["camera"]),
        crop_camera=arrays["camera_bbox"],
        joints_m=arrays["3d_joints"][: len(HMR44)],
        joints_px=square.pixels(points)[: len(HMR44)],
    )


def _numbers(name: str, value: object, shape: tuple[int, ...]) -> FloatArray:
    """`value` as float64; `ValueError` unless it has this shape and is finite."""
    numbers = numbers_of(value).astype(np.float64)
    expect_shape(name, numbers, shape)
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name}: numbers were expected, got NaN or infinity")
    return numbers
