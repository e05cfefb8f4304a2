"""DrawnPerson: what the drawing needs to know of one person."""

from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.core.records import Provenance
from pose_service.core.skeletons import SMPL24

_UNSEEN_OPACITY = 0.5
"""How clear a person is who is predicted or interpolated, not seen in this frame."""

_FINITE = ("confidence", "box_xyxy_px", "joints_cam_m", "joint_confidence")


@dataclass(frozen=True)
class DrawnPerson:
    """One person as drawn.

    `confidence` and `joint_confidence` (24,): 0 to 1. `box_xyxy_px`: (4,). `joints_cam_m`: (24, 3)
    of `SMPL24` and `vertices_cam_m`: (V, 3), camera axes, metres, translation added; the second is
    None where there is no mesh. `faces`: (F, 3), counter-clockwise seen from outside. Everything is
    finite.
    """

    track_id: int
    provenance: Provenance
    confidence: float
    box_xyxy_px: FloatArray
    joints_cam_m: FloatArray
    joint_confidence: FloatArray
    vertices_cam_m: FloatArray | None
    faces: IntArray

    def __post_init__(self) -> None:
        expect_shape("box_xyxy_px", self.box_xyxy_px, (4,))
        expect_shape("joints_cam_m", self.joints_cam_m, (len(SMPL24), 3))
        expect_shape("joint_confidence", self.joint_confidence, (len(SMPL24),))
        expect_shape("faces", self.faces, ("faces", 3))
        for name in _FINITE:
            _expect_finite(name, getattr(self, name))
        if self.vertices_cam_m is not None:
            expect_shape("vertices_cam_m", self.vertices_cam_m, ("vertices", 3))
            _expect_finite("vertices_cam_m", self.vertices_cam_m)
            count = len(self.vertices_cam_m)
            if self.faces.size and not 0 <= self.faces.min() <= self.faces.max() < count:
                raise ValueError(f"faces: expected vertex numbers from 0 to {count - 1}")

    @property
    def observed(self) -> bool:
        return self.provenance is Provenance.OBSERVED

    @property
    def opacity(self) -> float:
        return 1.0 if self.observed else _UNSEEN_OPACITY


def _expect_finite(name: str, array: FloatArray) -> None:
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
