"""Pictures to people, each with no memory of other pictures."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from pose_service.core.arrays import FloatArray
from pose_service.core.records import (
    BodyPoses,
    Frame,
    Look,
    Observation,
    Person,
    Provenance,
    Regions,
    TrackedFrame,
)
from pose_service.engines.seam import Engine


@dataclass(frozen=True)
class Picture:
    """One picture and how to look at it.

    `boxes_xyxy_px`: (n, 4) around the people, where the caller knows them: no detector looks then.
    """

    frame: Frame
    look: Look = Look.PICTURE
    boxes_xyxy_px: FloatArray | None = None


def people_in_picture(engine: Engine, picture: Picture) -> TrackedFrame:
    """Everybody in one picture: see `people_in_pictures`."""
    (tracked,) = people_in_pictures(engine, [picture])
    return tracked


def people_in_pictures(engine: Engine, pictures: Sequence[Picture]) -> list[TrackedFrame]:
    """Everybody in each of `pictures`, which are looked at alike. Runs nets: on their owner only.

    The largest comes first, track ids are 1, 2, ... Where boxes were given, people come in their
    order, and an id is a box's place in the list; a box in which nobody is seen gives none.
    """
    started = time.perf_counter()
    look = pictures[0].look
    images = [picture.frame.image for picture in pictures]
    seen = engine.regressor.observe(images, _regions(engine, pictures, look), look)
    found = [
        (picture.frame, _people(engine, picture, of_picture))
        for picture, of_picture in zip(pictures, seen, strict=True)
    ]
    elapsed_ms = 1000 * (time.perf_counter() - started)
    return [
        TrackedFrame(
            frame.index,
            frame.time_s,
            engine.camera(frame.width_px, frame.height_px),
            people,
            elapsed_ms,
        )
        for frame, people in found
    ]


def _regions(engine: Engine, pictures: Sequence[Picture], look: Look) -> list[Regions]:
    """What the detector finds, or the caller's own boxes."""
    unknown = [picture.frame.image for picture in pictures if picture.boxes_xyxy_px is None]
    found = iter(engine.detector.detect(unknown, look) if unknown else [])
    return [
        next(found) if picture.boxes_xyxy_px is None else Regions.of_boxes(picture.boxes_xyxy_px)
        for picture in pictures
    ]


def _people(engine: Engine, picture: Picture, seen: Sequence[Observation]) -> tuple[Person, ...]:
    if picture.boxes_xyxy_px is None:
        ordered = sorted(seen, key=box_area_px, reverse=True)
        ids = list(range(1, len(ordered) + 1))
    else:
        ordered = sorted(seen, key=lambda one: one.track_id)
        ids = [one.track_id for one in ordered]
    camera = engine.camera(picture.frame.width_px, picture.frame.height_px)
    return observed_people(ordered, engine.regressor.solve(ordered, camera), ids)


def box_area_px(seen: Observation | Person) -> float:
    x1, y1, x2, y2 = seen.box_xyxy_px
    return float((x2 - x1) * (y2 - y1))


def observed_people(
    observations: Sequence[Observation], poses: BodyPoses, track_ids: Sequence[int]
) -> tuple[Person, ...]:
    """People as seen in this very frame, in the order given."""
    return tuple(
        Person(
            track_id=track_id,
            provenance=Provenance.OBSERVED,
            tracking_confidence=1.0,
            confidence=seen.confidence,
            box_xyxy_px=seen.box_xyxy_px,
            joint_confidence=seen.joint_confidence,
            pose=pose,
            identity_risk=seen.identity_risk,
        )
        for seen, pose, track_id in zip(observations, poses, track_ids, strict=True)
    )
