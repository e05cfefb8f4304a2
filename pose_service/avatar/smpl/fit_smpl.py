"""The SMPL body that HMR 2.0 saw in one picture or in many."""

from collections.abc import Sequence

import numpy as np

from pose_service.avatar.records import FittedBody, Sight, Wish
from pose_service.avatar.smpl.bodies import SmplBodies
from pose_service.avatar.smpl.mesh import rest_mesh
from pose_service.avatar.smpl.notes import smpl_notes
from pose_service.avatar.smpl.weight import shape_of_weight
from pose_service.bodies.smpl_file import SHAPE_COUNT
from pose_service.bodies.smpl_rest import SmplRest
from pose_service.core.arrays import FloatArray
from pose_service.core.geometry import vector_from_rotation
from pose_service.core.records import BodyPoses
from pose_service.core.skeletons import SMPL24
from pose_service.measurement.shape_pool import pool_shapes

SHAPE_NAMES = tuple(f"beta_{number}" for number in range(SHAPE_COUNT))


def fit_smpl(
    sights: Sequence[Sight], wish: Wish, bodies: SmplBodies, model_version: str
) -> FittedBody:
    """The one body of `sights` (at least one, in the order of time).

    Shapes are pooled over the sights by their confidence, then taken from the neutral body to the
    one of the gender that is wished for. With a height the T-pose has it, in the proportions that
    were seen; a weight besides moves the shape (`smpl_weight`). `parameters`: `betas` (10,) of that
    gender's body; `body_pose` (69,) and `global_orient` (3,), axis times angle, of the first sight
    in camera axes; `scale` (1,), by which the body of `betas` is multiplied.

    Raises `EngineError` where the body file is missing, `ValueError` without a sight or for sights
    of another engine.
    """
    poses = _seen_poses(sights)
    confidences = np.array([sight.observation.confidence for sight in sights])
    pooled = pool_shapes(poses.shapes.astype(np.float64), confidences)
    shapes = bodies.from_neutral(wish.gender)
    body = bodies.rest(wish.gender)
    betas = _weighed(body, shapes.betas(pooled.shape), wish)
    rest, scale = rest_mesh(body, betas, wish.height_cm)
    first = poses.take(slice(0, 1))
    return FittedBody(
        body_name=f"smpl-{wish.gender.value}",
        model_version=model_version,
        shape_names=SHAPE_NAMES,
        shape=betas,
        shape_covariance=shapes.covariance(pooled.error_covariance),
        rest=rest,
        scale_known=wish.height_cm is not None,
        pose=BodyPoses(first.rotations, first.translations_m, betas[None]),
        parameters={"betas": betas, **_turns(first.rotations[0]), "scale": np.array([scale])},
        notes=smpl_notes(wish, rest),
    )


def _weighed(body: SmplRest, betas: FloatArray, wish: Wish) -> FloatArray:
    """The shape that also explains the weight, if there is one and a height to hold it against."""
    if wish.height_cm is None or wish.weight_kg is None:
        return betas
    return shape_of_weight(body, betas, wish.height_cm, wish.weight_kg)


def _turns(rotations: FloatArray) -> dict[str, FloatArray]:
    """Of (24, 3, 3): `global_orient` (3,) and `body_pose` (69,), axis times angle in radians."""
    vectors_rad = vector_from_rotation(rotations.astype(np.float64))
    return {"body_pose": vectors_rad[1:].ravel(), "global_orient": vectors_rad[0]}


def _seen_poses(sights: Sequence[Sight]) -> BodyPoses:
    if not sights:
        raise ValueError("sights: expected at least one, got none")
    poses = [sight.observation.pose for sight in sights]
    known = [pose for pose in poses if pose is not None]
    if len(known) < len(poses):
        raise ValueError("observation.pose: expected the body that HMR 2.0 gave, got None")
    joined = BodyPoses.join(known)
    shape = joined.rotations.shape[1:], joined.shapes.shape[1:]
    if shape != ((len(SMPL24), 3, 3), (SHAPE_COUNT,)):
        raise ValueError(f"observation.pose: expected SMPL's, got rotations and shapes {shape}")
    return joined
