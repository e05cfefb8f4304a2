"""Frozen records of an avatar's making: what was asked, what was seen, what body came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray, IntArray, expect_shape
from pose_service.core.records import BodyPoses, Camera, Observation
from pose_service.core.skeletons import SMPL24


class Gender(StrEnum):
    """Which body is wanted, in the words of the interface."""

    MALE = "male"
    FEMALE = "female"
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class Wish:
    """What the caller says of the person. `height_cm`, `weight_kg`: None where not told."""

    gender: Gender = Gender.NEUTRAL
    height_cm: float | None = None
    weight_kg: float | None = None


@dataclass(frozen=True)
class Sight:
    """The person in one picture. `image`: (height, width, 3) uint8 RGB, upright.

    `observation.mask` is the person's outline, where it is known.
    """

    image: ImageArray
    camera: Camera
    observation: Observation


@dataclass(frozen=True)
class RestMesh:
    """A body in its T-pose: x to its left, y up, z to its front, metres, lowest vertex at y = 0.

    `vertices_m`: (n, 3). `faces`: (f, 3), closed, anticlockwise seen from outside. `joints_m`:
    (24, 3) in SMPL's order.
    """

    vertices_m: FloatArray
    faces: IntArray
    joints_m: FloatArray

    def __post_init__(self) -> None:
        expect_shape("vertices_m", self.vertices_m, ("n", 3))
        expect_shape("faces", self.faces, ("f", 3))
        expect_shape("joints_m", self.joints_m, (len(SMPL24), 3))


@dataclass(frozen=True)
class FittedBody:
    """The body that the sights show.

    `body_name`, `model_version`: which body and which engine. `shape`: (k,), numbers named by
    `shape_names`. `shape_covariance`: (k, k), the error of `shape` as far as the sights tell (zero
    for one sight). `rest` is at the true scale where a height was given, else at a guessed one
    (`scale_known`). `pose`: the body in the first sight, camera axes. `parameters`: the arrays of
    the `.npz` file by name; with SMPL `betas` (10,), `body_pose` (69,), `global_orient` (3,).
    `notes`: what the caller should know, in whole sentences.
    """

    body_name: str
    model_version: str
    shape_names: tuple[str, ...]
    shape: FloatArray
    shape_covariance: FloatArray
    rest: RestMesh
    scale_known: bool
    pose: BodyPoses
    parameters: Mapping[str, FloatArray]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.shape_names)
        expect_shape("shape", self.shape, (count,))
        expect_shape("shape_covariance", self.shape_covariance, (count, count))
        if not np.isfinite(self.shape).all():
            raise ValueError("shape: expected finite numbers")
