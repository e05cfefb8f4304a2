"""Keypoints over the picture: limbs by side, joints by how sure they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.keypoints import KeypointPerson
from pose_service.core.records import Provenance
from pose_service.core.skeletons import COCO17
from pose_service.rendering.layers import draw_dot, draw_line, ink
from pose_service.rendering.shading import Colour
from pose_service.rendering.strokes import draw_dashed_line, side_colour
from pose_service.rendering.words import RIM

# viridis, which stays a ramp to whoever sees no red or no green; the darkest tenth is left out
_RAMP = np.array([(72, 36, 117), (52, 94, 141), (33, 145, 140), (94, 201, 98), (253, 231, 37)])

_UNSEEN_OPACITY = 0.6
_MARKS_PER_BONE = 24
_TRUNK_ENDS = (COCO17.index("left_hip"), COCO17.index("right_hip"))
BONES = (*COCO17.bones, _TRUNK_ENDS)
"""Pairs of keypoints with a line between them."""


@dataclass(frozen=True)
class KeypointPaint:
    """`least_confidence`: keypoints that are less sure are not drawn. `stroke`: line width, px."""

    least_confidence: float
    stroke: int


def confidence_colour(confidence: float, least: float) -> Colour:
    """From violet at `least` over green to yellow at 1."""
    place = np.clip((confidence - least) / max(1 - least, 1e-9), 0, 1) * (len(_RAMP) - 1)
    red, green, blue = (np.interp(place, range(len(_RAMP)), channel) for channel in _RAMP.T)
    return round(float(red)), round(float(green)), round(float(blue))


def shown_keypoints(person: KeypointPerson, least_confidence: float) -> NDArray[np.bool_]:
    """(17,) whether a keypoint is sure enough, and somewhere at all."""
    sure = person.point_confidence >= least_confidence
    return np.asarray(sure & np.isfinite(person.points_px).all(axis=1))


def skeleton_marks_px(person: KeypointPerson, least_confidence: float) -> FloatArray:
    """(n, 2) points along all that `draw_keypoints` draws: what words should not hide."""
    shown = shown_keypoints(person, least_confidence)
    bones = np.array([bone for bone in BONES if shown[list(bone)].all()], np.int64).reshape(-1, 2)
    start, end = np.moveaxis(person.points_px[bones], 1, 0)
    along = np.linspace(0, 1, _MARKS_PER_BONE)[:, None, None]
    return np.concatenate([person.points_px[shown], (start + along * (end - start)).reshape(-1, 2)])


def opacity_of(person: KeypointPerson) -> float:
    """Paler for somebody who was not seen in this frame."""
    return 1.0 if person.provenance is Provenance.OBSERVED else _UNSEEN_OPACITY


def draw_keypoints(layer: ImageArray, person: KeypointPerson, paint: KeypointPaint) -> None:
    """Bones and keypoints; in dashes and pale who was not seen in this frame.

    Nothing is drawn of a keypoint below the confidence, nor a bone that ends in one.
    """
    shown, opacity = shown_keypoints(person, paint.least_confidence), opacity_of(person)
    observed = person.provenance is Provenance.OBSERVED
    bones = [bone for bone in BONES if shown[list(bone)].all()]
    places = person.points_px if observed else _near(person.points_px, layer)
    if observed:
        for bone in bones:
            draw_line(layer, places[list(bone)], ink(RIM, opacity), paint.stroke + 2)
    for bone in bones:
        colour = ink(_bone_colour(bone), opacity)
        if observed:
            draw_line(layer, places[list(bone)], colour, paint.stroke)
        else:
            draw_dashed_line(layer, places[list(bone)], colour, paint.stroke + 1)
    for joint in np.flatnonzero(shown):
        sureness = confidence_colour(float(person.point_confidence[joint]), paint.least_confidence)
        draw_dot(layer, places[joint], ink(RIM, opacity), 1.6 * paint.stroke + 1)
        draw_dot(layer, places[joint], ink(sureness, opacity), 1.6 * paint.stroke)


def _near(points_px: FloatArray, layer: ImageArray) -> FloatArray:
    """Moved near, still out of sight, from far outside, where dashes would be millions."""
    reach = np.array(layer.shape[1::-1])
    near: FloatArray = np.clip(points_px, -reach, 2 * reach)
    return near


def _bone_colour(bone: tuple[int, int]) -> Colour:
    """Of its side; the middle's where it joins both."""
    names = [COCO17.joints[joint] for joint in bone]
    sides = {name.partition("_")[0] for name in names if "_" in name}
    return side_colour(names[1] if len(sides) == 1 else "middle")
