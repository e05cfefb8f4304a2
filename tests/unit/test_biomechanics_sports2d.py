"""Angles against those of Sports2D (Pagnon & Kim 2024), an independent tool, on the same points."""

import numpy as np
import pytest

from pose_service.biomechanics.angles import ANGLES, angles_deg
from pose_service.biomechanics.joints import observed
from pose_service.core.skeletons import COCO17

sports2d = pytest.importorskip(
    "Pose2Sim.common", reason="Sports2D is not installed here: pip install sports2d"
)

POINTS_PX = np.random.default_rng(0).uniform(0, 1000, (200, 17, 2))


def theirs_deg(name: str) -> np.ndarray:
    """(200,) the angle of this name, made an inner angle like ours: theirs are signed flexions."""
    seen = observed(COCO17, np.arange(200.0), POINTS_PX, np.ones((200, 17)))
    points = {"Neck": seen.middle("shoulder"), "Hip": seen.middle("hip")}
    points |= {
        f"{side[0].upper()}{joint.capitalize()}": seen.point(f"{side}_{joint}")
        for side in ("left", "right")
        for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    }
    theirs = name.replace("_", " ")
    used = np.stack([points[point] for point in sports2d.angle_dict[theirs][0]], axis=1)
    signed = [sports2d.fixed_angles(list(of_frame), theirs) for of_frame in used]
    return np.abs(signed) if name.endswith("shoulder") else 180 - np.abs(signed)


@pytest.mark.parametrize("name", ANGLES)
def test_angles_are_those_of_sports2d(name: str) -> None:
    seen = observed(COCO17, np.arange(200.0), POINTS_PX, np.ones((200, 17)))
    ours = angles_deg(seen)[:, ANGLES.index(name)]
    # arccos against arctan2 of the same: rounding only
    np.testing.assert_allclose(ours, theirs_deg(name), atol=1e-5)
