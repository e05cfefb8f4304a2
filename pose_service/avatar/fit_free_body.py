"""The free body's pose and shape from one photograph, or from many frames of one person."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from pose_service.avatar.body_maker import BodyMaker
from pose_service.avatar.notes import free_body_notes
from pose_service.avatar.outline import Outline
from pose_service.avatar.records import FittedBody, Sight, Wish
from pose_service.avatar.rest import rest_mesh
from pose_service.avatar.shape_prior import shape_prior
from pose_service.avatar.shape_problem import Guess, Sighted
from pose_service.avatar.shape_solve import Clothes, ShapeSolver
from pose_service.avatar.shaped import BODY_NAME, SHAPE_NAMES, free_shapes, shaped_body
from pose_service.bodies.fit import BodyFitter
from pose_service.bodies.fit_evidence import Evidence
from pose_service.bodies.shapes import PHENOTYPES, BodyShapes
from pose_service.core.arrays import FloatArray
from pose_service.core.records import BodyPoses
from pose_service.engines.embedded import MODEL_VERSION
from pose_service.measurement.shape_pool import pool_shapes
from pose_service.measurement.surface import ClosedFaces

# What clothes that lie close add to each side of the outline, by the joint they hang on: an
# assumption, and what the calibration's people wear on average.
EASE_M = {
    "root": 0.010, "spine04": 0.012, "spine02": 0.010, "spine01": 0.008, "upperarm01": 0.006,
    "lowerarm01": 0.002, "upperleg01": 0.010, "lowerleg01": 0.006,
}  # fmt: skip


def fit_free_body(sights: Sequence[Sight], wish: Wish) -> FittedBody:
    """The free body that `sights` (at least one, of one person) show.

    One shape is pooled of all sights; each sight's own is fitted to its landmarks and, where
    `Observation.mask` has one, to the person's outline. Raises `ValueError` without a sight or
    where landmarks are not finite.
    """
    if not sights:
        raise ValueError("sights: expected at least one, got none")
    fitting = _fitting()
    maker = BodyMaker(fitting.shapes, wish)
    guesses = [fitting.fit(sight, maker, wish) for sight in sights]
    pooled = pool_shapes(np.array([guess.phenotypes for guess in guesses]), _confidences(sights))
    phenotypes = guesses[0].phenotypes if len(sights) == 1 else maker.settled(pooled.shape)
    shape = np.append(phenotypes, maker.scale(phenotypes))
    body = shaped_body(fitting.shapes, shape)
    pose = _pose(guesses[0], shape)
    if len(sights) > 1:
        first = BodyFitter(body).solve([sights[0].observation], sights[0].camera, np.ones(1))
        pose = BodyPoses(first.rotations, first.translations_m, shape[None])
    covariance = np.zeros((len(SHAPE_NAMES), len(SHAPE_NAMES)))
    covariance[: len(PHENOTYPES), : len(PHENOTYPES)] = pooled.error_covariance
    return FittedBody(
        body_name=BODY_NAME,
        model_version=MODEL_VERSION,
        shape_names=SHAPE_NAMES,
        shape=shape,
        shape_covariance=covariance,
        rest=rest_mesh(body),
        scale_known=wish.height_cm is not None,
        pose=pose,
        parameters={
            "phenotypes": phenotypes,
            "scale": shape[-1:],
            "rotations": pose.rotations[0],
            "translation_m": pose.translations_m[0],
        },
        notes=free_body_notes(sights, wish, body, pose),
    )


class FreeBodyFitting:
    """What the fits of all people share."""

    def __init__(self, shapes: BodyShapes) -> None:
        self.shapes = shapes
        self._surface = ClosedFaces.of(shapes.base.faces)
        self._clothes = Clothes.on(shapes.base, EASE_M)

    def fit(self, sight: Sight, maker: BodyMaker, wish: Wish) -> Guess:
        """Pose and phenotypes of one sight, from the likeliest body in the pose seen."""
        prior = shape_prior(wish)
        likeliest = maker.settled(prior.mean)
        fitter = BodyFitter(maker.body(likeliest))
        pose = fitter.solve([sight.observation], sight.camera, np.ones(1))
        start = Guess(pose.rotations[0], pose.translations_m[0], likeliest)
        solver = ShapeSolver(maker, prior, self._clothes, self._surface)
        return solver.refine(_sighted(sight), start)


@cache
def _fitting() -> FreeBodyFitting:
    return FreeBodyFitting(free_shapes())


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


def _pose(guess: Guess, shape: FloatArray) -> BodyPoses:
    return BodyPoses(guess.rotations[None], guess.translation_m[None], shape[None])
