"""From pictures of a person to an avatar: looked at, checked, fitted, measured, written."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pose_service.avatar.avatar_record import MEDIA_TYPES, SOURCE_NAME, AvatarError, AvatarRecord
from pose_service.avatar.records import FittedBody, Sight, Wish
from pose_service.core.arrays import ImageArray
from pose_service.core.records import Observation
from pose_service.engines.seam import Engine
from pose_service.measurement.bounds import Bound
from pose_service.measurement.records import Measurements
from pose_service.media.images import encode_jpeg
from pose_service.pipeline.frame_lines import HEAD_NAME
from pose_service.pipeline.video import ClipWatch

Seen = Sequence[Observation]
"""Everybody in one picture."""


@dataclass(frozen=True)
class Checked:
    """The pictures that can be used and the person in each.

    `places`: of the usable pictures among all, the one that shows the person best first, the others
    in the order of time. `report`: what was found, for JSON; boxes are those of the first.
    """

    places: tuple[int, ...]
    people: tuple[Observation, ...]
    report: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not self.places or len(self.places) != len(self.people):
            raise ValueError(
                f"expected a person for each of one or more places, got {len(self.people)} for"
                f" {len(self.places)}"
            )


@dataclass(frozen=True)
class Steps:
    """Who does each step, so that each can be done otherwise.

    `look` runs the nets on a few pictures. `check` refuses pictures that will not do, with what to
    change. `fit` gives the body in the pose of the first sight. `write` leaves files in a folder
    and gives their paths by name.
    """

    look: Callable[[Sequence[ImageArray]], Sequence[Seen]]
    check: Callable[[Sequence[ImageArray], Sequence[Seen]], Checked]
    fit: Callable[[Sequence[Sight], Wish], FittedBody]
    measure: Callable[[FittedBody], tuple[Measurements, Mapping[str, Bound]]]
    write: Callable[[Path, FittedBody, Measurements, Mapping[str, Bound]], Mapping[str, Path]]


def make_avatar(
    pictures: Sequence[ImageArray],
    engine: Engine,
    wish: Wish,
    folder: Path,
    steps: Steps,
    watch: ClipWatch,
) -> AvatarRecord:
    """Make an avatar of the person in `pictures` and leave its files in `folder`, the record last.

    `pictures`: (height, width, 3) uint8 RGB each, upright. Raises what the steps raise, and
    `ClipStoppedError` between two steps when `watch` says so.
    """
    seen = _looked_at(pictures, engine, steps, watch)
    count = len(pictures)
    watch.report("checking", count, count)
    checked = steps.check(pictures, seen)
    images = [pictures[place] for place in checked.places]
    sights = [
        Sight(image, engine.camera(image.shape[1], image.shape[0]), person)
        for image, person in zip(images, checked.people, strict=True)
    ]
    watch.report("fitting", count, count)
    fitted = steps.fit(sights, wish)
    watch.report("measuring", count, count)
    measurements, bounds = _measured(fitted, steps)
    watch.report("writing", count, count)
    written = steps.write(folder, fitted, measurements, bounds)
    (folder / SOURCE_NAME).write_bytes(encode_jpeg(images[0]))
    if missing := set(MEDIA_TYPES) - {*written, SOURCE_NAME}:
        raise ValueError(f"write: expected every file of an avatar, {sorted(missing)} missing")
    record = AvatarRecord(
        wish, engine.name, fitted, measurements, bounds, checked.report, count, len(images)
    )
    _write_last(folder, record)
    return record


def _looked_at(
    pictures: Sequence[ImageArray], engine: Engine, steps: Steps, watch: ClipWatch
) -> list[Seen]:
    """Who is in each picture; as many go through the nets together as they can take."""
    seen: list[Seen] = []
    for first in range(0, len(pictures), engine.frames_together):
        watch.report("looking", first, len(pictures))
        seen += steps.look(pictures[first : first + engine.frames_together])
    return seen


def _measured(fitted: FittedBody, steps: Steps) -> tuple[Measurements, Mapping[str, Bound]]:
    try:
        return steps.measure(fitted)
    except ValueError as error:
        raise AvatarError(
            f"the body that was fitted cannot be measured: {error}",
            hint="Send a photograph with the whole person upright, seen from the front, arms and"
            " legs a little apart.",
            code="UNMEASURABLE",
        ) from error


def _write_last(folder: Path, record: AvatarRecord) -> None:
    """Whoever finds the record finds everything else."""
    part = folder / f"{HEAD_NAME}.part"
    part.write_bytes(record.to_json())
    os.replace(part, folder / HEAD_NAME)
