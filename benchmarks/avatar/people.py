"""Who is photographed: random bodies of the free body's family, and how they stand and dress."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pose_service.avatar.measured import rest_values_cm
from pose_service.avatar.records import Gender
from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.segments import FREE_JOINTS
from pose_service.bodies.shapes import PHENOTYPES, BodyShapes
from pose_service.core.arrays import FloatArray
from pose_service.core.geometry import rotation_from_vector

# Adults: mean and standard deviation of each number, cut to 0..1. The fit's prior is no narrower.
_NUMBERS = {
    "age": (0.72, 0.06),
    "muscle": (0.3, 0.2),
    "weight": (0.75, 0.25),
    "height": (0.37, 0.06),
    "proportions": (0.5, 0.25),
}
_ENDS = {"age": (0.6, 0.95), "height": (0.2, 0.6)}
_GENDERS = {Gender.MALE: 0.1, Gender.FEMALE: 0.9}
_GENDER_SD = 0.1
_STATED_SD_CM = 1.5
_SWAY_RAD = 0.06
# a body that faces the camera: from its rest axes (x left, y back, z up) to camera axes
_FACING = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])

POSTURES: dict[str, dict[str, tuple[float, float, float]]] = {
    "arms clear": {},
    "arms low": {"upperarm01.L": (0, 0.45, 0), "upperarm01.R": (0, -0.45, 0)},
    "arms level": {"upperarm01.L": (0, -0.7, 0), "upperarm01.R": (0, 0.7, 0)},
    "a step": {
        "upperleg01.L": (-0.35, 0, 0), "upperleg01.R": (0.25, 0, 0), "lowerleg01.R": (0.3, 0, 0),
        "upperarm01.L": (0.3, 0.3, 0), "upperarm01.R": (-0.3, -0.3, 0),
    },
}  # fmt: skip
"""Rotation vectors, radians, by free joint; small random ones are added to every joint."""


@dataclass(frozen=True, eq=False)
class Person:
    """`phenotypes`: (6,). `values_cm`: what the body measures. `stated_cm`: of their own height.

    `asked`: the gender that is told. `looseness`: how far clothes stand off above and below the
    waist, 1 what the fit expects.
    """

    phenotypes: FloatArray
    body: AnnyBody
    values_cm: dict[str, float]
    stated_cm: float
    asked: Gender
    looseness: tuple[float, float]


def people(
    shapes: BodyShapes, count: int, rng: np.random.Generator, gender: Gender | None = None
) -> Iterator[Person]:
    """So many random adults, men and women unless a `gender` is named."""
    for _ in range(count):
        either = Gender.MALE if rng.random() < 0.5 else Gender.FEMALE
        yield _person(shapes, rng, gender or either)


def strangers(shapes: BodyShapes, count: int, rng: np.random.Generator) -> Iterator[Person]:
    """So many adults who are as likely to be at the ends of every number as in its middle."""
    low, high = np.array([_ENDS.get(name, (0.0, 1.0)) for name in PHENOTYPES]).T
    for _ in range(count):
        yield _dressed(shapes, rng.uniform(low, high), Gender.NEUTRAL, rng)


def _person(shapes: BodyShapes, rng: np.random.Generator, gender: Gender) -> Person:
    numbers = {name: rng.normal(*_NUMBERS[name]) for name in _NUMBERS}
    numbers["gender"] = rng.normal(_GENDERS[gender], _GENDER_SD)
    phenotypes = np.clip([numbers[name] for name in PHENOTYPES], 0, 1)
    asked = gender if rng.random() < 2 / 3 else Gender.NEUTRAL
    return _dressed(shapes, phenotypes, asked, rng)


def _dressed(
    shapes: BodyShapes, phenotypes: FloatArray, asked: Gender, rng: np.random.Generator
) -> Person:
    body = shapes.body(phenotypes)
    values_cm = rest_values_cm(body)
    upper, lower = np.clip(rng.normal(1.0, 0.5, 2), 0, None)
    return Person(
        phenotypes,
        body,
        values_cm,
        values_cm["height"] + float(rng.normal(0, _STATED_SD_CM)),
        asked,
        (float(upper), float(lower)),
    )


def posed(posture: str, yaw_rad: float, rng: np.random.Generator) -> FloatArray:
    """(20, 3, 3) turns of the free joints: a posture, a little sway, and the way they look."""
    vectors = rng.normal(0, _SWAY_RAD, (len(FREE_JOINTS), 3))
    for joint, turn in POSTURES[posture].items():
        vectors[FREE_JOINTS.index(joint)] += turn
    rotations = rotation_from_vector(vectors)
    lean = rotation_from_vector(np.array([rng.normal(0, 0.04), rng.normal(0, 0.04), yaw_rad]))
    rotations[0] = _FACING @ lean
    return rotations
