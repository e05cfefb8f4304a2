"""Where on SMPL each of the 44 joints lies that HMR 2.0 answers with.

The 25 are SMPL joints or vertices of the face and feet; the 19 are taken from the whole surface by
a matrix of their own.
"""

from pose_service.core.skeletons import COCO17, HMR44, SMPL24

_BODY25_COUNT = 25

# of the 25: joints that SMPL calls otherwise, and those that are a vertex
_SMPL_NAMES = {"mid_hip": "pelvis"}
_VERTICES = {
    "nose": 332, "right_eye": 6260, "left_eye": 2800, "right_ear": 4071, "left_ear": 583,
    "left_big_toe": 3216, "left_small_toe": 3226, "left_heel": 3387,
    "right_big_toe": 6617, "right_small_toe": 6624, "right_heel": 6787,
}  # fmt: skip

REGRESSED_COUNT = len(HMR44) - _BODY25_COUNT

SURFACE_VERTICES = tuple(_VERTICES.values())
"""The vertices that stand for joints of the 25, in the order they appear there."""

BODY25_SOURCES = tuple(
    len(SMPL24) + SURFACE_VERTICES.index(_VERTICES[joint])
    if joint in _VERTICES
    else SMPL24.index(_SMPL_NAMES.get(joint, joint))
    for joint in HMR44.joints[:_BODY25_COUNT]
)
"""The 25 as places in SMPL's 24 joints followed by `SURFACE_VERTICES`."""

COCO17_FROM_HMR44 = tuple(HMR44.index(joint) for joint in COCO17.joints)
"""COCO-17 as places in HMR44: the joints of the 25 that have the same names."""
