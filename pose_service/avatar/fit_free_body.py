"""The free body's shape from one photograph or from many frames of one person."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from pose_service.avatar.outline import Outline
from pose_service.avatar.records import FittedBody, Sight, Wish
from pose_service.avatar.rest import rest_mesh
from pose_service.avatar.shape_prior import CHILD_BELOW_CM, is_child, shape_prior
from pose_service.avatar.shape_problem import BodyMaker, Guess, Sighted
from pose_service.avatar.shape_solve import STEPS, Clothes, ShapeSolver
from pose_service.bodies.fit import BodyFitter
from pose_service.bodies.fit_evidence import Evidence
from pose_service.bodies.shapes import PHENOTYPES, BodyShapes
from pose_service.core.arrays import FloatArray
from pose_service.core.records import BodyPoses
from pose_service.measurement.shape_pool import PooledShape, pool_shapes
from pose_service.measurement.surface import ClosedFaces

BODY_NAME = "anny"
SHAPE_NAMES = (*PHENOTYPES, "scale")
# What clothes that lie close add to each side of the outline, by the joint they hang on.
EASE_M = {
    "root": 0.010, "spine04": 0.012, "spine02": 0.010, "spine01": 0.008, "upperarm01": 0.006,
    "lowerarm01": 0.002, "upperleg01": 0.010, "lowerleg01": 0.006,
}  # fmt: skip


class FreeBodyShaper:
    """Everything of the fit that is the same for all people."""

    def __init__(self, shapes: BodyShapes) -> None:
        self.shapes = shapes
        self.surface = ClosedFaces.of(shapes.base.faces)
        self.clothes = Clothes.on(shapes.base, EASE_M)

    def fit(self, sights: Sequence[Sight], wish: Wish) -> tuple[list[Guess], PooledShape]:
        """The body as each sight shows it, and the one shape of all."""
        maker, prior = BodyMaker(self.shapes, wish), shape_prior(wish)
        solver = ShapeSolver(maker, prior, self.clothes, self.surface)
        mean = maker.settled(prior.mean)
        fitter = BodyFitter(maker.body(mean))
        guesses = []
        for sight in sights:
            pose = fitter.solve([sight.observation], sight.camera, np.ones(1))
            start = Guess(pose.rotations[0], pose.translations_m[0], mean)
            guesses.append(solver.refine(sighted(sight), start))
        confidences = np.array([sight.observation.confidence for sight in sights])
        return guesses, pool_shapes(np.array([guess.phenotypes for guess in guesses]), confidences)


def sighted(sight: Sight) -> Sighted:
    """What the fit reads of `sight`."""
    mask = sight.observation.mask
    return Sighted(
        Evidence.gather([sight.observation], sight.camera),
        None if mask is None else Outline.of(mask),
        sight.camera,
    )
