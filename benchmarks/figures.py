"""What a measurement hands over: figures with their spread, and whether a goal was reached."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pose_service.core.config import Settings

Fields = dict[str, Any]


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
    """One quantity, measured once or several times. `bound`: what keeps it from being better."""

    name: str
    unit: str
    samples: Sequence[float]
    goal: Goal | None = None
    bound: str = ""

    def fields(self) -> Fields:
        """Ready for JSON: the samples are summed up by their median, 10th and 90th percentile."""
        low, median, high = (float(value) for value in np.percentile(self.samples, (10, 50, 90)))
        fields: Fields = {
            "name": self.name,
            "unit": self.unit,
            "median": round(median, 3),
            "p10": round(low, 3),
            "p90": round(high, 3),
            "count": len(self.samples),
            "bound": self.bound,
            "goal": None,
        }
        if self.goal is not None:
            fields["goal"] = {
                "limit": self.goal.limit,
                "at_least": self.goal.at_least,
                "reached": self.goal.reached(median),
            }
        return fields


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
class Measure:
    """One chapter of the results: `run` makes its figures, `about` says how."""

    title: str
    about: str
    run: Callable[[Setup], list[Figure]] = field(repr=False)
