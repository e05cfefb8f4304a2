"""A chunk of frames' sights as one file of plain arrays, which comes back bit for bit."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pose_service.core.masks import Mask
from pose_service.core.records import BodyPoses, Observation, Regions

log = logging.getLogger(__name__)

Arrays = Mapping[str, NDArray[Any]]

_REGION_ARRAYS = ("boxes_xyxy_px", "scores", "rois", "track_ids")
_SEEN_ARRAYS = (
    "box_xyxy_px", "roi", "landmarks_px", "landmarks_m", "landmark_confidence", "joint_confidence",
)  # fmt: skip
_POSE_ARRAYS = ("rotations", "translations_m", "shapes")
_NOT_ASKED = -1


@dataclass(frozen=True)
class Sights:
    """What the nets answered of one frame, before any tracker.

    `found`: by the detector, without masks; None where it was not asked. `seen`: the bodies.
    """

    found: Regions | None
    seen: Sequence[Observation]


def write_chunk(path: Path, frames: Sequence[Sights]) -> None:
    """All of `frames` in one file, which gets its name when it is whole."""
    seen = [one for frame in frames for one in frame.seen]
    found = [frame.found for frame in frames if frame.found is not None]
    joined = Regions.join(found)
    arrays: dict[str, NDArray[Any]] = {
        "found_counts": np.array(
            [_NOT_ASKED if frame.found is None else len(frame.found) for frame in frames]
        ),
        "seen_counts": np.array([len(frame.seen) for frame in frames]),
        **{f"found_{name}": getattr(joined, name) for name in _REGION_ARRAYS},
        **_seen_arrays(seen),
    }
    part = path.with_suffix(".part")
    # its stub takes every name for the one option that it has
    save: Callable[..., None] = np.savez
    with part.open("wb") as file:
        save(file, **arrays)
    os.replace(part, path)


def read_chunk(path: Path) -> list[Sights]:
    """The frames of the chunk; none if it is not there or damaged, which is logged."""
    if not path.is_file():
        return []
    try:
        # opened here: NumPy leaves what it cannot read open
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return list(_frames({name: arrays[name] for name in arrays.files}))
    except (BadZipFile, EOFError, KeyError, OSError, ValueError) as error:
        log.warning("[JOB] %s is damaged (%s): its frames are looked at again", path.name, error)
        return []


def _seen_arrays(seen: Sequence[Observation]) -> dict[str, NDArray[Any]]:
    """Of at least one observation; of none nothing but empty lists of ids."""
    arrays: dict[str, NDArray[Any]] = {
        "track_ids": np.array([one.track_id for one in seen], np.int64),
        "confidence": np.array([one.confidence for one in seen], np.float64),
    }
    if seen:
        arrays |= {name: np.stack([getattr(one, name) for one in seen]) for name in _SEEN_ARRAYS}
        arrays |= _mask_arrays([one.mask for one in seen])
    poses = [one.pose for one in seen if one.pose is not None]
    if poses:
        joined = BodyPoses.join(poses)
        arrays |= {name: getattr(joined, name) for name in _POSE_ARRAYS}
    return arrays


def _mask_arrays(masks: Sequence[Mask | None]) -> dict[str, NDArray[Any]]:
    """Sizes (n, 2), how many runs each has (n,), and all runs in a row; no runs for no mask."""
    runs = [np.zeros(0, np.int64) if mask is None else mask.runs for mask in masks]
    sizes = [(0, 0) if mask is None else (mask.height_px, mask.width_px) for mask in masks]
    return {
        "mask_sizes": np.array(sizes, np.int64),
        "mask_run_counts": np.array([len(each) for each in runs], np.int64),
        "mask_runs": np.concatenate(runs),
    }


def _frames(arrays: Arrays) -> Iterator[Sights]:
    seen = list(_observations(arrays))
    boxes, scores, rois, track_ids = (arrays[f"found_{name}"] for name in _REGION_ARRAYS)
    found = Regions(boxes, scores, rois, track_ids)
    found_at = seen_at = 0
    for found_count, seen_count in zip(
        arrays["found_counts"].tolist(), arrays["seen_counts"].tolist(), strict=True
    ):
        own = None
        if found_count != _NOT_ASKED:
            own = found.take(np.arange(found_at, found_at + found_count))
            found_at += found_count
        yield Sights(own, seen[seen_at : seen_at + seen_count])
        seen_at += seen_count


def _observations(arrays: Arrays) -> Iterator[Observation]:
    has_pose = _POSE_ARRAYS[0] in arrays
    masks = _masks(arrays)
    for place, track_id in enumerate(arrays["track_ids"].tolist()):
        own = slice(place, place + 1)
        yield Observation(
            track_id=track_id,
            confidence=float(arrays["confidence"][place]),
            pose=BodyPoses(*(arrays[name][own] for name in _POSE_ARRAYS)) if has_pose else None,
            mask=masks[place],
            **{name: arrays[name][place] for name in _SEEN_ARRAYS},
        )


def _masks(arrays: Arrays) -> list[Mask | None]:
    if "mask_sizes" not in arrays:
        return []
    ends = np.cumsum(arrays["mask_run_counts"])
    parts = np.split(arrays["mask_runs"], ends[:-1])
    return [
        Mask(int(height), int(width), runs) if len(runs) else None
        for (height, width), runs in zip(arrays["mask_sizes"], parts, strict=True)
    ]
