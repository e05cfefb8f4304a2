"""What bodies people have before anybody looked: the free body's six phenotype numbers.

Gaussians, cut to the shapes that there are. Muscle and weight are set so that adults come out with
the statures and body masses of ANSUR II (Gordon et al. 2014): docs/avatar-accuracy.md has the
comparison. Age, proportions and how far apart the sexes are, are assumptions.
"""

from dataclasses import dataclass

import numpy as np

from pose_service.avatar.people import CHILD_BELOW_CM
from pose_service.avatar.records import Gender, Wish
from pose_service.bodies.shapes import PHENOTYPES
from pose_service.core.arrays import FloatArray, expect_shape

_GENDERS = {
    Gender.MALE: (0.1, 0.1),
    Gender.FEMALE: (0.9, 0.1),
    Gender.NEUTRAL: (0.5, 0.35),
}
_ADULT_AGE = (0.72, 0.06)
_CHILD_AGE_SD = 0.03
_MUSCLE, _WEIGHT, _PROPORTIONS = (0.3, 0.2), (0.75, 0.25), (0.5, 0.25)
# 6.5 cm of stature in either sex, of 109 cm between the ends of the number
_HEIGHT = (0.37, 0.06)
# statures, cm, of the middle child of an age number, height at its mean
_CHILD_CM, _CHILD_AGES = (61.5, 129.5, 170.0), (0.0, 1 / 3, 2 / 3)


@dataclass(frozen=True)
class ShapePrior:
    """`mean`, `sd`: (6,) of the numbers of `PHENOTYPES`."""

    mean: FloatArray
    sd: FloatArray

    def __post_init__(self) -> None:
        expect_shape("mean", self.mean, (len(PHENOTYPES),))
        expect_shape("sd", self.sd, (len(PHENOTYPES),))


def is_child(wish: Wish) -> bool:
    """Whether the height given is a child's."""
    return wish.height_cm is not None and wish.height_cm < CHILD_BELOW_CM


def shape_prior(wish: Wish) -> ShapePrior:
    """Of adults, or of children of the height given, of the gender given."""
    age = _ADULT_AGE
    if wish.height_cm is not None and is_child(wish):
        age = (float(np.interp(wish.height_cm, _CHILD_CM, _CHILD_AGES)), _CHILD_AGE_SD)
    by_name = {
        "gender": _GENDERS[wish.gender],
        "age": age,
        "muscle": _MUSCLE,
        "weight": _WEIGHT,
        "height": _HEIGHT,
        "proportions": _PROPORTIONS,
    }
    mean, sd = np.array([by_name[name] for name in PHENOTYPES]).T
    return ShapePrior(mean, sd)
