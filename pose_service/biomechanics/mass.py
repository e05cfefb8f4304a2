"""Centre of mass from segments, by the table of de Leva (1996).

P. de Leva, "Adjustments to Zatsiorsky-Seluyanov's segment inertia parameters", Journal of
Biomechanics 29(9), 1996, table 4: each segment's share of the body's mass, and how far along the
segment from its upper end its centre lies.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from pose_service.biomechanics.joints import JointSeries
from pose_service.core.arrays import FloatArray


class Sex(StrEnum):
    """Which column of the table; `MEAN` is the mean of the two, for people not asked."""

    FEMALE = "female"
    MALE = "male"
    MEAN = "mean"


@dataclass(frozen=True)
class Segment:
    """From joint `upper` to joint `lower`; per cent, (female, male)."""

    upper: str
    lower: str
    mass_pct: tuple[float, float]
    centre_pct: tuple[float, float]


# A trunk reaches from mid-shoulder to mid-hip, a shank to the ankle's centre: the table's
# alternatives MIDS-MIDH and KJC-AJC. Hands and feet, which not every joint set shows, lie at wrist
# and ankle; the head at the point between the ears.
TRUNK = Segment("shoulder", "hip", (42.57, 43.46), (37.82, 43.10))
LIMBS = (
    Segment("shoulder", "elbow", (2.55, 2.71), (57.54, 57.72)),
    Segment("elbow", "wrist", (1.38, 1.62), (45.59, 45.74)),
    Segment("wrist", "wrist", (0.56, 0.61), (0.0, 0.0)),
    Segment("hip", "knee", (14.78, 14.16), (36.12, 40.95)),
    Segment("knee", "ankle", (4.81, 4.33), (43.52, 43.95)),
    Segment("ankle", "ankle", (1.29, 1.37), (0.0, 0.0)),
)
HEAD_MASS_PCT = (6.68, 6.94)


def joint_weights(sex: Sex = Sex.MEAN) -> dict[str, float]:
    """Share of each joint, left and right together, in the centre of mass; the sum is 1.

    `centre = head * p_head + sum(weight * (p_left + p_right) / 2)`, since every segment's centre
    lies on the line between two joints.
    """
    weights = {"head": _of(HEAD_MASS_PCT, sex)}
    for segment, sides in ((TRUNK, 1), *((limb, 2) for limb in LIMBS)):
        mass, far = sides * _of(segment.mass_pct, sex), _of(segment.centre_pct, sex) / 100
        for joint, share in ((segment.upper, 1 - far), (segment.lower, far)):
            weights[joint] = weights.get(joint, 0.0) + mass * share
    total = sum(weights.values())
    return {joint: weight / total for joint, weight in weights.items()}


def centre_of_mass(series: JointSeries, sex: Sex = Sex.MEAN) -> FloatArray:
    """(n, axes) in the units of the joints; NaN where any of the joints was not seen."""
    weights = joint_weights(sex)
    centre = weights.pop("head") * head(series)
    both = [f"{side}_{joint}" for joint in weights for side in ("left", "right")]
    shares = np.repeat(list(weights.values()), 2) / 2
    limbs: FloatArray = np.einsum("j,njd->nd", shares, series.named(*both))
    return centre + limbs


def head(series: JointSeries) -> FloatArray:
    """(n, axes): the joint `head` where the set has one, else the middle of the ears.

    From the side a single ear is seen; it stands for both.
    """
    if "head" in series.skeleton.joints:
        return series.point("head")
    left, right = series.point("left_ear"), series.point("right_ear")
    return (np.where(np.isnan(left), right, left) + np.where(np.isnan(right), left, right)) / 2


def _of(female_male: tuple[float, float], sex: Sex) -> float:
    female, male = female_male
    return {Sex.FEMALE: female, Sex.MALE: male, Sex.MEAN: (female + male) / 2}[sex]
