"""A body of a person's form and what it measures, ready to be written."""

from functools import cache

import numpy as np
from standin_person import t_pose

from pose_service.avatar.records import FittedBody, RestMesh
from pose_service.avatar.sheet.data import SheetData
from pose_service.bodies.anny import AnnyBody
from pose_service.core.arrays import FloatArray
from pose_service.core.records import BodyPoses
from pose_service.measurement.bounds import Bound, ErrorModel, bounded
from pose_service.measurement.extract import measure
from pose_service.measurement.records import MEASURES, Measurements
from pose_service.measurement.surface import ClosedFaces, RestBody

HEIGHT_CM = 172.0


@cache
def surface() -> ClosedFaces:
    return ClosedFaces.of(AnnyBody.load().faces)


@cache
def mesh() -> RestMesh:
    """In a T, 172 cm tall."""
    return placed(*t_pose(), HEIGHT_CM)


def placed(vertices: FloatArray, joints: FloatArray, height_cm: float) -> RestMesh:
    """On the floor, of this height."""
    scale = height_cm / 100 / float(np.ptp(vertices[:, 1]))
    floor = np.array([0.0, vertices[:, 1].min(), 0.0])
    return RestMesh(scale * (vertices - floor), surface().faces, scale * (joints - floor))


@cache
def measurements() -> Measurements:
    return measured(mesh())


def measured(rest: RestMesh) -> Measurements:
    return measure(RestBody(rest.vertices_m, surface(), rest.joints_m))


def bounds(given: Measurements, *, height_given: bool = True) -> dict[str, Bound]:
    spread = dict.fromkeys(MEASURES, 0.5)
    return bounded(given.centimetres(), spread, ErrorModel(), height_given=height_given)


def fitted(rest: RestMesh, *, scale_known: bool = True, notes: tuple[str, ...] = ()) -> FittedBody:
    """Two numbers of shape, and SMPL's parameters."""
    return FittedBody(
        body_name="smpl-neutral",
        model_version="4dhumans/test",
        shape_names=("beta_0", "beta_1"),
        shape=np.array([0.5, -1.25]),
        shape_covariance=np.zeros((2, 2)),
        rest=rest,
        scale_known=scale_known,
        pose=BodyPoses(np.tile(np.eye(3), (1, 24, 1, 1)), np.zeros((1, 3)), np.zeros((1, 10))),
        parameters={
            "betas": np.linspace(-1, 1, 10),
            "body_pose": np.linspace(0, 0.1, 69),
            "global_orient": np.array([np.pi, 0.0, 0.0]),
        },
        notes=notes,
    )


def sheet_data(**changed: object) -> SheetData:
    """The page of the body above."""
    usual = {"fitted": fitted(mesh()), "measurements": measurements()}
    usual["bounds"] = bounds(measurements())
    return SheetData(**{**usual, **changed})  # type: ignore[arg-type]
