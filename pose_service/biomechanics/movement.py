"""Everything that is measured in a series of joints, frame by frame."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from pose_service.biomechanics.alignment import Alignment, alignment
from pose_service.biomechanics.angles import ANGLES, angles_deg, rates
from pose_service.biomechanics.joints import JointSeries, optional
from pose_service.biomechanics.mass import Sex, centre_of_mass
from pose_service.biomechanics.scores import (
    Scores,
    athletic_readiness,
    pose_quality,
    stability_score,
    symmetry_index,
)
from pose_service.biomechanics.support import Support, support
from pose_service.core.arrays import FloatArray, expect_shape


@dataclass(frozen=True)
class Movement:
    """Measures of n frames as arrays; NaN where not known. `frames` gives them with None instead.

    `angles_deg`, `angular_velocities_deg_s`: (n, 8), columns as `ANGLES`. `centre_of_mass`,
    `centre_of_mass_velocity`: (n, axes), in the units of the joints and those per second.
    """

    times_s: FloatArray
    angles_deg: FloatArray
    angular_velocities_deg_s: FloatArray
    centre_of_mass: FloatArray
    centre_of_mass_velocity: FloatArray
    alignment: Alignment
    support: Support
    scores: Scores

    def __post_init__(self) -> None:
        count = len(self.times_s)
        expect_shape("angles_deg", self.angles_deg, (count, len(ANGLES)))
        expect_shape("centre_of_mass", self.centre_of_mass, (count, "axes"))

    def __len__(self) -> int:
        return len(self.times_s)

    def angle_deg(self, name: str) -> FloatArray:
        """(n,) the curve of one of `ANGLES`."""
        curve: FloatArray = self.angles_deg[:, ANGLES.index(name)]
        return curve

    def frames(self) -> Iterator["FrameMeasures"]:
        """One record per frame."""
        return (self.frame(index) for index in range(len(self)))

    def frame(self, index: int) -> "FrameMeasures":
        """The measures of one frame."""
        return FrameMeasures(
            time_s=float(self.times_s[index]),
            joint_angles_deg=_named(ANGLES, self.angles_deg[index]),
            angular_velocities_deg_s=_named(ANGLES, self.angular_velocities_deg_s[index]),
            movement_analysis=_row(self.scores, index),
            body_alignment=_row(self.alignment, index),
            support=_row(self.support, index),
            centre_of_mass=_place(self.centre_of_mass[index]),
            centre_of_mass_velocity=_place(self.centre_of_mass_velocity[index]),
        )


@dataclass(frozen=True)
class FrameMeasures:
    """One frame of a `Movement`, by name; None where not known."""

    time_s: float
    joint_angles_deg: dict[str, float | None]
    angular_velocities_deg_s: dict[str, float | None]
    movement_analysis: dict[str, float | None]
    body_alignment: dict[str, float | None]
    support: dict[str, float | None]
    centre_of_mass: tuple[float, ...] | None
    centre_of_mass_velocity: tuple[float, ...] | None


def measure(series: JointSeries, sex: Sex = Sex.MEAN) -> Movement:
    """All measures of `series`. Smooth it first (`smoothing.smoothed`) where rates matter."""
    angles = angles_deg(series)
    centre = centre_of_mass(series, sex)
    under, aligned = support(series, centre), alignment(series)
    stability = stability_score(under.offset)
    return Movement(
        times_s=series.times_s,
        angles_deg=angles,
        angular_velocities_deg_s=rates(angles, series.times_s),
        centre_of_mass=centre,
        centre_of_mass_velocity=rates(centre, series.times_s),
        alignment=aligned,
        support=under,
        scores=Scores(
            pose_quality(series),
            stability,
            symmetry_index(angles),
            athletic_readiness(angles, aligned.spine_angle_deg, stability),
        ),
    )


def _named(names: tuple[str, ...], values: FloatArray) -> dict[str, float | None]:
    return dict(zip(names, map(optional, values.tolist()), strict=True))


def _row(arrays: Alignment | Support | Scores, index: int) -> dict[str, float | None]:
    return {field.name: optional(getattr(arrays, field.name)[index]) for field in fields(arrays)}


def _place(point: FloatArray) -> tuple[float, ...] | None:
    return tuple(point.tolist()) if np.all(np.isfinite(point)) else None
