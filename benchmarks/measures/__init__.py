"""The measurements: one module each, with a `MEASURE`."""

from benchmarks.figures import Measure, Setup
from benchmarks.measures import (
    avatar,
    clip,
    encode,
    frame,
    keypoints,
    memory,
    overhead,
    people,
    stages,
    start,
)

MEASURES: dict[str, Measure[Setup]] = {
    "people": people.MEASURE,
    "clip": clip.MEASURE,
    "keypoints": keypoints.MEASURE,
    "avatar": avatar.MEASURE,
    "stages": stages.MEASURE,
    "frame": frame.MEASURE,
    "overhead": overhead.MEASURE,
    "encode": encode.MEASURE,
    "memory": memory.MEASURE,
    "start": start.MEASURE,
}
