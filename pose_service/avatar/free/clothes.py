"""What a person's outline has that the bare body has not."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.segments import FREE_JOINTS, Segments
from pose_service.core.arrays import FloatArray

EASE_M = {
    "root": 0.010, "spine04": 0.012, "spine02": 0.010, "spine01": 0.008, "upperarm01": 0.006,
    "lowerarm01": 0.002, "upperleg01": 0.010, "lowerleg01": 0.006,
}  # fmt: skip
"""Metres that clothes which lie close add to each side of the outline, by the free joint they hang
on: an assumption, and what the people of the calibration wear on average."""
# Hair, hands and shoes are not the body's own outline.
_OUTLINE_TRUST = {"head": 0.1, "neck01": 0.5, "wrist": 0.05, "foot": 0.1, "clavicle": 0.5}


@dataclass(frozen=True, eq=False)
class Clothes:
    """What the outline has that the body has not.

    `ease_m`: (v,) how far it is expected to stand off each vertex. `trust`: (v,) weights.
    """

    ease_m: FloatArray
    trust: FloatArray

    @classmethod
    def on(cls, body: AnnyBody) -> Self:
        """Those that are expected on any shape of `body`."""
        carried = body.bone_weights.T @ np.eye(len(FREE_JOINTS))[Segments.of(body).of_bone]
        names = [name.partition(".")[0] for name in FREE_JOINTS]
        return cls(
            carried @ [EASE_M.get(name, 0.0) for name in names],
            carried @ [_OUTLINE_TRUST.get(name, 1.0) for name in names],
        )
