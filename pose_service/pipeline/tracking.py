"""One step of tracking, the same for a frame of a clip and a frame of a session."""

from pose_service.core.records import Frame, Observation, Regions
from pose_service.engines.seam import Engine, Tracker


def track_frame(engine: Engine, tracker: Tracker, frame: Frame) -> list[Observation]:
    """Who is seen in `frame`, each with its track's id. Runs nets: call it on their owner only."""
    if tracker.wants_detection(frame.index):
        (found,) = engine.detector.detect([frame.image])
    else:
        found = Regions.empty()
    regions = tracker.regions(frame.index, found)
    seen = engine.regressor.observe(frame.image, regions)
    return tracker.update(frame.index, frame.image, seen)
