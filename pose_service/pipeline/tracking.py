"""Steps of tracking, the same for frames of a clip and frames of sessions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pose_service.core.records import Frame, Look, Observation, Regions
from pose_service.engines.seam import Engine, Tracker
from pose_service.pipeline.finite import is_finite


@dataclass(frozen=True)
class Step:
    """One frame, and the tracker of the clip or session that it belongs to."""

    tracker: Tracker
    frame: Frame


def track_frames(
    engine: Engine,
    steps: Sequence[Step],
    look: Look,
    left_out: Callable[[int], None] = lambda count: None,
) -> list[list[Observation]]:
    """Who is seen in each step's frame, with their tracks' ids; every net sees all frames at once.

    Steps of one tracker stand in the order of its frames, at most its `lookahead` of them. Whoever
    came out with numbers that are not finite is kept from the trackers; `left_out` is told how
    many. Runs nets: call it on their owner only.
    """
    found = _detections(engine, steps, look)
    regions = [
        step.tracker.regions(step.frame.index, of_frame)
        for step, of_frame in zip(steps, found, strict=True)
    ]
    seen = engine.regressor.observe([step.frame.image for step in steps], regions, look)
    usable = [[one for one in of_frame if is_finite(one)] for of_frame in seen]
    left_out(sum(map(len, seen)) - sum(map(len, usable)))
    return [
        step.tracker.update(step.frame.index, step.frame.image, of_frame)
        for step, of_frame in zip(steps, usable, strict=True)
    ]


def _detections(engine: Engine, steps: Sequence[Step], look: Look) -> list[Regions]:
    """What the detector finds in the frames whose trackers want it; nothing in the others."""
    found = [Regions.empty() for _ in steps]
    wanting = [
        place for place, step in enumerate(steps) if step.tracker.wants_detection(step.frame.index)
    ]
    if wanting:
        images = [steps[place].frame.image for place in wanting]
        for place, regions in zip(wanting, engine.detector.detect(images, look), strict=True):
            found[place] = regions
    return found
