"""The chapters on clip jobs."""

from benchmarks.clip_jobs import flat, overlay, scaling, taking_in
from benchmarks.clip_jobs.bed import Bed
from benchmarks.figures import Measure

MEASURES: dict[str, Measure[Bed]] = {
    "taking-in": taking_in.MEASURE,
    "scaling": scaling.MEASURE,
    "overlay": overlay.MEASURE,
    "flat": flat.MEASURE,
}
