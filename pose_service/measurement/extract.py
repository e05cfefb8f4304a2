"""The nine measures of one body at rest."""

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.measurement.limbs import SIDES, armpit, crotch, neck, thigh
from pose_service.measurement.parting import Parting
from pose_service.measurement.records import Measure, Measurements
from pose_service.measurement.sections import Sections
from pose_service.measurement.surface import RestBody
from pose_service.measurement.trunk import Trunk


def measure(body: RestBody) -> Measurements:
    """Measure `body` as docs/measurements.md defines.

    Raises `ValueError` where a definition finds nothing to hold on to: legs or arms that are not
    free, joints outside the body.
    """
    upright = Sections(body, body.up)
    trunk = Trunk(body, upright, crotch(body, upright), tuple(armpit(body, side) for side in SIDES))
    return Measurements(
        height=_height(body),
        chest=trunk.chest(),
        waist=trunk.waist(),
        hip=trunk.hip(),
        inseam=_inseam(body, trunk.crotch),
        shoulder_width=_line(body, [("left_shoulder", "right_shoulder")]),
        arm_length=_line(body, [(f"{s}_shoulder", f"{s}_elbow", f"{s}_wrist") for s in SIDES]),
        thigh=thigh(body),
        neck=neck(body),
    )


def _height(body: RestBody) -> Measure:
    """From the highest vertex straight down to the level of the lowest."""
    top_m = body.vertices_m[np.argmax(body.vertices_m @ body.up)]
    return Measure((_plumb(top_m, body.height_m, body.up),), closed=False)


def _inseam(body: RestBody, fork: Parting) -> Measure:
    """From the crotch straight down to the level of the ankle joints."""
    ankles_m = np.mean([body.joint(f"{side}_ankle") for side in SIDES], axis=0)
    top_m = fork.point_m + (fork.offset_m - float(fork.point_m @ body.up)) * body.up
    drop_m = fork.offset_m - float(ankles_m @ body.up)
    return Measure((_plumb(top_m, drop_m, body.up),), closed=False)


def _plumb(top_m: FloatArray, drop_m: float, up: FloatArray) -> FloatArray:
    return np.stack([top_m, top_m - drop_m * up])


def _line(body: RestBody, lines: list[tuple[str, ...]]) -> Measure:
    """Through joints, in straight pieces."""
    paths_m = (np.stack([body.joint(name) for name in names]) for names in lines)
    return Measure(tuple(paths_m), closed=False)
