"""Steps of tracking, the same for frames of a clip and frames of sessions."""

from collections.abc import Sequence
from dataclasses import dataclass

from pose_service.core.records import Frame, Look, Observation, Regions
from pose_service.engines.seam import Engine, Tracker
from pose_service.pipeline.finite import is_finite
from pose_service.pipeline.sight_chunks import Sights


@dataclass(frozen=True)
class Step:
    """One frame, and the tracker of the clip or session that it belongs to.

    `known`: what the nets answered of this frame before, so that they need not be asked again.
    """

    tracker: Tracker
    frame: Frame
    known: Sights | None = None


@dataclass(frozen=True)
class Tracked:
    """`people` of a frame with their tracks' ids, and the nets' `sights` that led to them.

    `left_out`: how many of the sights had numbers that are not finite; no tracker saw them.
    """

    people: list[Observation]
    sights: Sights
    left_out: int


def track_frames(engine: Engine, steps: Sequence[Step], look: Look) -> list[Tracked]:
    """Who is seen in each step's frame; every net sees all frames at once that are not known.

    Steps of one tracker stand in the order of its frames, at most its `lookahead` of them. Runs
    nets: call it on their owner only.
    """
    found = _found(engine, steps, look)
    # asked of every tracker, for it goes on from what it has answered
    regions = [
        step.tracker.regions(step.frame.index, Regions.empty() if of_frame is None else of_frame)
        for step, of_frame in zip(steps, found, strict=True)
    ]
    seen = _seen(engine, steps, regions, look)
    return [
        _tracked(step, Sights(finds, of_frame))
        for step, finds, of_frame in zip(steps, found, seen, strict=True)
    ]


def _tracked(step: Step, sights: Sights) -> Tracked:
    usable = [one for one in sights.seen if is_finite(one)]
    people = step.tracker.update(step.frame.index, step.frame.image, usable)
    return Tracked(people, sights, len(sights.seen) - len(usable))


def _found(engine: Engine, steps: Sequence[Step], look: Look) -> list[Regions | None]:
    """What the detector finds in the frames whose trackers want it; None for the others."""
    found: list[Regions | None] = [step.known.found if step.known else None for step in steps]
    wants = [step.tracker.wants_detection(step.frame.index) for step in steps]
    asking = [place for place, step in enumerate(steps) if wants[place] and step.known is None]
    if asking:
        images = [steps[place].frame.image for place in asking]
        for place, regions in zip(asking, engine.detector.detect(images, look), strict=True):
            found[place] = regions
    return found


def _seen(
    engine: Engine, steps: Sequence[Step], regions: Sequence[Regions], look: Look
) -> list[Sequence[Observation]]:
    """The bodies in each step's frame, in its `regions`."""
    seen: list[Sequence[Observation]] = [step.known.seen if step.known else [] for step in steps]
    asking = [place for place, step in enumerate(steps) if step.known is None]
    if asking:
        images = [steps[place].frame.image for place in asking]
        wanted = [regions[place] for place in asking]
        for place, bodies in zip(
            asking, engine.regressor.observe(images, wanted, look), strict=True
        ):
            seen[place] = bodies
    return seen
