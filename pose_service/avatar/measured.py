"""The nine measures of a fitted body, each with its band."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import numpy as np

from pose_service.avatar.calibration import Known, error_model
from pose_service.avatar.free.rest import rest_mesh
from pose_service.avatar.free.shaped import BODY_NAME, free_shapes, shaped_body
from pose_service.avatar.records import FittedBody, RestMesh
from pose_service.bodies.anny import AnnyBody
from pose_service.core.arrays import FloatArray, IntArray
from pose_service.measurement.bounds import Bound, bounded, shape_spread_cm
from pose_service.measurement.extract import measure
from pose_service.measurement.records import MEASURES, Measurements
from pose_service.measurement.shape_pool import PooledShape
from pose_service.measurement.surface import ClosedFaces, RestBody

MeasureShape = Callable[[FloatArray], Mapping[str, float]]
"""What the body of a shape (k,) measures, centimetres by name, at any scale."""


def measured(
    fitted: FittedBody, measure_shape: MeasureShape | None = None
) -> tuple[Measurements, dict[str, Bound]]:
    """The measures of `fitted` and their bands, by name.

    Where sights differ in shape, `measure_shape` carries that through to the measures; the free
    body brings its own. Raises `ValueError` where the body cannot be measured.
    """
    measurements, spread_cm = measures_and_spread(fitted, measure_shape)
    turn = bool(fitted.shape_covariance.any())
    bounds = bounded(
        measurements.centimetres(),
        spread_cm,
        error_model(fitted.body_name, Known(fitted.scale_known, turn)),
        height_given=fitted.scale_known,
    )
    return measurements, bounds


def measures_and_spread(
    fitted: FittedBody, measure_shape: MeasureShape | None = None
) -> tuple[Measurements, dict[str, float]]:
    """The measures, and by how many centimetres they differ as the sights do: see `measured`."""
    if fitted.body_name == BODY_NAME:
        measurements = rest_measures(shaped_body(free_shapes(), fitted.shape))
        measure_shape = _measure_free
    else:
        measurements = measure(_rest_body(fitted.rest, closed(fitted.rest.faces)))
    if measure_shape is None or not fitted.shape_covariance.any():
        return measurements, dict.fromkeys(MEASURES, 0.0)
    return measurements, _spread_cm(fitted, measure_shape, measurements.height.value_cm)


def rest_measures(body: AnnyBody) -> Measurements:
    """Of the free body in its T-pose; the chest with the arms down, as a tape takes it.

    Skinning pulls the flanks up and out with the arms: in the T the chest is 4 to 6 cm wider.
    """
    surface = closed(body.faces)
    level = measure(_rest_body(rest_mesh(body), surface))
    down = measure(_rest_body(rest_mesh(body, arms_level=False), surface))
    return replace(level, chest=down.chest)


def rest_values_cm(body: AnnyBody) -> dict[str, float]:
    """The nine by name."""
    return rest_measures(body).centimetres()


def closed(faces: IntArray) -> ClosedFaces:
    """The faces of one body model, checked once."""
    return _closed(faces.tobytes(), faces.dtype.str)


@cache
def _closed(content: bytes, kind: str) -> ClosedFaces:
    return ClosedFaces.of(np.frombuffer(content, kind).reshape(-1, 3))


def _rest_body(rest: RestMesh, surface: ClosedFaces) -> RestBody:
    return RestBody(rest.vertices_m, surface, rest.joints_m)


def _measure_free(shape: FloatArray) -> dict[str, float]:
    """By blending what the corners of the free body's shapes measure."""
    shapes = free_shapes()
    return shapes.values_cm(shape[:-1])


def _spread_cm(
    fitted: FittedBody, measure_shape: MeasureShape, height_cm: float
) -> dict[str, float]:
    """Standard deviations by the shape's own error; at a given height only proportions count."""

    def values_cm(shape: FloatArray) -> dict[str, float]:
        values = measure_shape(shape)
        factor = height_cm / values["height"] if fitted.scale_known else 1.0
        return {name: factor * value for name, value in values.items()}

    covariance = fitted.shape_covariance
    return shape_spread_cm(
        PooledShape(fitted.shape, covariance, covariance, np.ones(1), 1.0), values_cm
    )
