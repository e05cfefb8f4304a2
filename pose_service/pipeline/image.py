"""One picture to people, with no memory of other pictures."""

import time
from collections.abc import Sequence

from pose_service.core.records import (
    BodyPoses,
    Frame,
    Observation,
    Person,
    Provenance,
    TrackedFrame,
)
from pose_service.engines.seam import Engine


def people_in_picture(engine: Engine, frame: Frame, *, thorough: bool = False) -> TrackedFrame:
    """Everybody in `frame`, the largest first, track ids 1, 2, ... Runs nets: on their owner only.

    `thorough` also looks for small and crowded people, at several times the cost.
    """
    started = time.perf_counter()
    camera = engine.camera(frame.width_px, frame.height_px)
    (regions,) = engine.detector.detect([frame.image], thorough=thorough)
    seen = sorted(engine.regressor.observe(frame.image, regions), key=box_area_px, reverse=True)
    people = observed_people(seen, engine.regressor.solve(seen, camera), range(1, len(seen) + 1))
    elapsed_ms = 1000 * (time.perf_counter() - started)
    return TrackedFrame(frame.index, frame.time_s, camera, people, elapsed_ms)


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
        )
        for seen, pose, track_id in zip(observations, poses, track_ids, strict=True)
    )
