"""Where the 33 BlazePose landmarks lie on the free body."""

from functools import cache

import numpy as np

from pose_service.bodies.anny import AnnyBody
from pose_service.core.arrays import FloatArray
from pose_service.core.skeletons import BLAZEPOSE33

# The body's keypoints have the eye's centre only. Lids and lips are rigid with the skull, so they
# are given as fixed mixtures of its keypoints, measured on the rest mesh; shares sum to 1.
_FACE = {
    "{side}_eye_inner": {"{side}_eye": 0.75, "{other}_eye": 0.25},
    "{side}_eye_outer": {"{side}_eye": 0.8, "{side}_ear": 0.2},
    "mouth_{side}": {
        "nose": 2.01, "{side}_eye": -0.335, "{other}_eye": -1.135,
        "{side}_ear": 0.23, "{other}_ear": 0.23,
    },
}  # fmt: skip
_FOOT = {"{side}_foot_index": {"{side}_big_toe": 0.65, "{side}_small_toe": 0.35}}
# Knuckles for the little and the index finger, the middle joint for the thumb.
_HAND = {
    "{side}_pinky": "finger5-1.{letter}",
    "{side}_index": "finger2-1.{letter}",
    "{side}_thumb": "finger1-2.{letter}",
}


def landmark_masses(body: AnnyBody) -> tuple[FloatArray, FloatArray]:
    """Shares of each landmark: (33, 23) of the body's keypoints and (33, bones) of bone heads.

    A landmark is the sum of its shares of both, in any pose.
    """
    keypoints, heads = list(body.keypoint_names), list(body.bone_names)
    mixtures, knuckles = _mixtures()
    of_keypoints = np.zeros((len(BLAZEPOSE33), len(keypoints)))
    of_heads = np.zeros((len(BLAZEPOSE33), len(heads)))
    for row, landmark in enumerate(BLAZEPOSE33.joints):
        if landmark in knuckles:
            of_heads[row, heads.index(knuckles[landmark])] = 1.0
            continue
        for keypoint, share in mixtures.get(landmark, {landmark: 1.0}).items():
            of_keypoints[row, keypoints.index(keypoint)] = share
    return of_keypoints, of_heads


def landmark_moments(body: AnnyBody) -> tuple[FloatArray, FloatArray]:
    """The landmarks as points carried by the bones: (33, bones, 3) metres and (33, bones).

    What `Segments.levers` takes: sums of weight times rest position, and of weight.
    """
    of_keypoints, of_heads = landmark_masses(body)
    moment_m = np.einsum("lk,kbx->lbx", of_keypoints, body.keypoint_moment_m)
    moment_m += of_heads[:, :, None] * body.bone_heads_m
    return moment_m, of_keypoints @ body.keypoint_mass + of_heads


@cache
def _mixtures() -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """Landmark to its shares of keypoints, and landmark to bone head, both sides written out."""
    mixtures: dict[str, dict[str, float]] = {}
    knuckles: dict[str, str] = {}
    for side, other in (("left", "right"), ("right", "left")):
        for landmark, shares in (_FACE | _FOOT).items():
            mixtures[landmark.format(side=side)] = {
                keypoint.format(side=side, other=other): share for keypoint, share in shares.items()
            }
        for landmark, bone in _HAND.items():
            knuckles[landmark.format(side=side)] = bone.format(letter=side[0].upper())
    return mixtures, knuckles
