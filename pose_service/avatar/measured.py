"""The nine measures of a fitted body, each with its band."""

from dataclasses import replace
from functools import cache

import numpy as np

from pose_service.avatar.records import RestMesh
from pose_service.avatar.rest import rest_mesh
from pose_service.bodies.anny import AnnyBody
from pose_service.core.arrays import IntArray
from pose_service.measurement.extract import measure
from pose_service.measurement.records import Measurements
from pose_service.measurement.surface import ClosedFaces, RestBody


def rest_measures(body: AnnyBody) -> Measurements:
    """Of the free body in its T-pose; the chest with the arms down, as a tape takes it.

    Skinning pulls the flanks up and out with the arms: in the T the chest is 4 to 6 cm wider.
    """
    surface = closed(body.faces)
    level = measure(_rest_body(rest_mesh(body), surface))
    return replace(level, chest=measure(_rest_body(rest_mesh(body, arms_level=False), surface)).chest)


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
