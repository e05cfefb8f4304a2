"""What a measurement hands over: figures with their spread, and whether a goal was reached."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from pose_service.core.config import Settings

Fields = dict[str, Any]
Bed = TypeVar("Bed")

DIGITS = 3
"""Of what is kept after the point."""


class BenchmarkError(Exception):
    """Something that a measurement needs is not there, or answered otherwise than it must."""


@dataclass(frozen=True)
class Goal:
    """The median must be at most `limit`, or at least with `at_least`."""

    limit: float
    at_least: bool = False

    def reached(self, median: float) -> bool:
        return median >= self.limit if self.at_least else median <= self.limit


@dataclass(frozen=True)
class Figure:
    """One quantity, measured once or several times, or not at all where it cannot be.

    `bound`: what keeps it from being better.
    """

    name: str
    unit: str
    samples: Sequence[float]
    goal: Goal | None = None
    bound: str = ""

    def fields(self) -> Fields:
        """Ready for JSON: the samples are summed up by their median, 10th and 90th percentile."""
        low, median, high = self._percentiles()
        fields: Fields = {
            "name": self.name,
            "unit": self.unit,
            "median": median,
            "p10": low,
            "p90": high,
            "count": len(self.samples),
            "bound": self.bound,
            "goal": None,
        }
        if self.goal is not None:
            fields["goal"] = {
                "limit": self.goal.limit,
                "at_least": self.goal.at_least,
                "reached": None if median is None else self.goal.reached(median),
            }
        return fields

    def _percentiles(self) -> tuple[float | None, ...]:
        if not len(self.samples):
            return None, None, None
        values = np.percentile(self.samples, (10, 50, 90))
        return tuple(round(float(value), DIGITS) for value in values)


@dataclass(frozen=True)
class Setup:
    """What measurements work on. `mediapipe_python`: a Python that has mediapipe, if there is one.

    `scratch` is an empty folder that is removed afterwards.
    """

    settings: Settings
    media: Path
    scratch: Path
    mediapipe_python: Path | None = None

    def medium(self, name: str) -> Path:
        path = self.media / name
        if not path.is_file():
            raise BenchmarkError(f"{path} is missing: give the folder that has it by --media")
        return path


@dataclass(frozen=True)
class Measure(Generic[Bed]):
    """One chapter of the results: `run` makes its figures on a test bed, `about` says how."""

    title: str
    about: str
    run: Callable[[Bed], list[Figure]] = field(repr=False)
