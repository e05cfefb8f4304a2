"""The free body of a fitted shape: six phenotype numbers and a scale."""

from functools import cache

import numpy as np

from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.shapes import PHENOTYPES, BodyShapes
from pose_service.core.arrays import FloatArray, expect_shape

BODY_NAME = "anny"
SHAPE_NAMES = (*PHENOTYPES, "scale")
"""`scale`: what the body of the phenotypes is enlarged by to reach the height given."""


@cache
def free_shapes() -> BodyShapes:
    """The shapes that come with the service, read once."""
    return BodyShapes.load()


def shaped_body(shapes: BodyShapes, shape: FloatArray) -> AnnyBody:
    """The body of `shape` (7,), named by `SHAPE_NAMES`."""
    expect_shape("shape", shape, (len(SHAPE_NAMES),))
    return shapes.body(np.asarray(shape[:-1]), float(shape[-1]))
