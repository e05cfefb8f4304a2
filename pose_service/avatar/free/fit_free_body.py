"""The free body's pose and shape from one photograph, or from many frames of one person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pose_service.avatar.free.body_maker import BodyMaker
from pose_service.avatar.free.clothes import Clothes
from pose_service.avatar.free.notes import free_body_notes
from pose_service.avatar.free.outline import Outline
from pose_service.avatar.free.rest import rest_mesh
from pose_service.avatar.free.shape_prior import shape_prior
from pose_service.avatar.free.shape_problem import Guess, Sighted
from pose_service.avatar.free.shape_solve import ShapeSolver
from pose_service.avatar.free.shaped import BODY_NAME, SHAPE_NAMES, free_shapes, shaped_body
from pose_service.avatar.measured import closed
from pose_service.avatar.records import FittedBody, Sight, Wish
from pose_service.bodies.fit import BodyFitter
from pose_service.bodies.fit_evidence import Evidence
from pose_service.bodies.shapes import PHENOTYPES
from pose_service.core.arrays import FloatArray
from pose_service.core.records import BodyPoses
from pose_service.engines.embedded import MODEL_VERSION
from pose_service.measurement.shape_pool import pool_shapes

_STEPS_TOGETHER = 4


@dataclass(frozen=True)
class _Found:
    """`shape`: (7,) and `covariance`: (7, 7) of `SHAPE_NAMES`; `pose`: in the first sight."""

    shape: FloatArray
    covariance: FloatArray
    pose: BodyPoses


def fit_free_body(sights: Sequence[Sight], wish: Wish) -> FittedBody:
    """The free body that `sights` (at least one, of one person) show.

    Each sight is fitted to its landmarks and, where `Observation.mask` has one, to the person's
    outline; of several the shapes are pooled, and from there on all sights, without those that are
    strays among them, are fitted together with one shape. Raises `ValueError` without a sight or
    where landmarks are not finite.
    """
    if not sights:
        raise ValueError("sights: expected at least one, got none")
    found = _found(sights, wish)
    body = shaped_body(free_shapes(), found.shape)
    return FittedBody(
        body_name=BODY_NAME,
        model_version=MODEL_VERSION,
        shape_names=SHAPE_NAMES,
        shape=found.shape,
        shape_covariance=found.covariance,
        rest=rest_mesh(body),
        scale_known=wish.height_cm is not None,
        pose=found.pose,
        parameters={
            "phenotypes": found.shape[:-1],
            "scale": found.shape[-1:],
            "rotations": found.pose.rotations[0],
            "translation_m": found.pose.translations_m[0],
        },
        notes=free_body_notes(sights, wish, body, found.pose),
    )


def _found(sights: Sequence[Sight], wish: Wish) -> _Found:
    shapes, prior, maker = free_shapes(), shape_prior(wish), BodyMaker(free_shapes(), wish)
    solver = ShapeSolver(maker, prior, Clothes.on(shapes.base), closed(shapes.base.faces))
    seen = [_sighted(sight) for sight in sights]
    starts = _starts(sights, maker, maker.settled(prior.mean))
    guesses = [solver.refine(*pair) for pair in zip(seen, starts, strict=True)]
    pooled = pool_shapes(np.array([guess.phenotypes for guess in guesses]), _confidences(sights))
    if len(sights) > 1:
        # each alone leans on what is likely; together they lean on it once
        common = maker.settled(pooled.shape)
        guesses = [replace(guess, phenotypes=common) for guess in guesses]
        guesses = solver.refine_together(seen, guesses, pooled.weights, _STEPS_TOGETHER)
    first = guesses[0]
    shape = np.append(first.phenotypes, maker.scale(first.phenotypes))
    covariance = np.zeros((len(SHAPE_NAMES), len(SHAPE_NAMES)))
    covariance[: len(PHENOTYPES), : len(PHENOTYPES)] = pooled.error_covariance
    pose = BodyPoses(first.rotations[None], first.translation_m[None], shape[None])
    return _Found(shape, covariance, pose)


def _starts(sights: Sequence[Sight], maker: BodyMaker, phenotypes: FloatArray) -> list[Guess]:
    """The likeliest body in the pose that each sight shows."""
    fitter = BodyFitter(maker.body(phenotypes))
    poses = (fitter.solve([sight.observation], sight.camera, np.ones(1)) for sight in sights)
    return [Guess(pose.rotations[0], pose.translations_m[0], phenotypes) for pose in poses]


def _sighted(sight: Sight) -> Sighted:
    mask = sight.observation.mask
    return Sighted(
        Evidence.gather([sight.observation], sight.camera),
        None if mask is None else Outline.of(mask),
        sight.camera,
    )


def _confidences(sights: Sequence[Sight]) -> FloatArray:
    """(n,) what each sight's shape counts; one alone counts whatever it is."""
    confidences = np.array([max(sight.observation.confidence, 0.0) for sight in sights])
    return confidences if confidences.any() else np.ones(len(sights))
