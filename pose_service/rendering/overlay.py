"""People drawn over the picture: mesh, skeleton, box and label."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray, IntArray, expect_shape
from pose_service.core.records import Camera
from pose_service.core.skeletons import SMPL24
from pose_service.rendering.layers import empty_layer, lay_over
from pose_service.rendering.meshes import draw_mesh
from pose_service.rendering.shading import colour_of, lit_colours
from pose_service.rendering.strokes import (
    draw_box,
    draw_dashed_box,
    draw_skeleton,
    label_layer,
    stroke_px,
)

_UNSEEN_OPACITY = 0.5
"""How clear a person is who is predicted or interpolated, not seen in this frame."""


@dataclass(frozen=True)
class DrawnPerson:
    """One person as drawn. `observed` is false for predicted and interpolated people.

    `confidence` and `joint_confidence` (24,): 0 to 1. `box_xyxy_px`: (4,). `joints_px`: (24, 2) of
    `SMPL24`. `vertices_cam_m`: (V, 3) camera axes, metres, translation added, or None where there
    is no mesh; `faces`: (F, 3), counter-clockwise seen from outside. Everything is finite.
    """

    track_id: int
    observed: bool
    confidence: float
    box_xyxy_px: FloatArray
    joints_px: FloatArray
    joint_confidence: FloatArray
    vertices_cam_m: FloatArray | None
    faces: IntArray

    def __post_init__(self) -> None:
        expect_shape("box_xyxy_px", self.box_xyxy_px, (4,))
        expect_shape("joints_px", self.joints_px, (len(SMPL24), 2))
        expect_shape("joint_confidence", self.joint_confidence, (len(SMPL24),))
        expect_shape("faces", self.faces, ("faces", 3))
        for name in ("confidence", "box_xyxy_px", "joints_px", "joint_confidence"):
            _expect_finite(name, getattr(self, name))
        if self.vertices_cam_m is not None:
            expect_shape("vertices_cam_m", self.vertices_cam_m, ("vertices", 3))
            _expect_finite("vertices_cam_m", self.vertices_cam_m)
            count = len(self.vertices_cam_m)
            if self.faces.size and not 0 <= self.faces.min() <= self.faces.max() < count:
                raise ValueError(f"faces: expected vertex numbers from 0 to {count - 1}")

    @property
    def opacity(self) -> float:
        return 1.0 if self.observed else _UNSEEN_OPACITY


@dataclass(frozen=True)
class OverlayStyle:
    """What is drawn; `mesh_opacity`, 0 to 1, is that of an observed person's mesh."""

    mesh: bool = True
    skeleton: bool = True
    box: bool = True
    label: bool = True
    mesh_opacity: float = 0.75


def draw_people(
    image: ImageArray, people: Sequence[DrawnPerson], camera: Camera, what: OverlayStyle
) -> ImageArray:
    """A copy of `image` (height, width, 3) RGB with `people` drawn over it, the first on top.

    Meshes hide each other by their depth, pixel by pixel. `camera` must have the picture's size.
    """
    expect_shape("image", image, (camera.height_px, camera.width_px, 3))
    drawn = image.copy()
    if what.mesh:
        _draw_meshes(drawn, people, camera, what.mesh_opacity)
    if what.skeleton or what.box:
        _draw_strokes(drawn, people, what)
    if what.label:
        for person in reversed(people):
            _draw_label(drawn, person)
    return drawn


def _draw_meshes(
    image: ImageArray, people: Sequence[DrawnPerson], camera: Camera, opacity: float
) -> None:
    """All bodies as one mesh, so that they hide each other where they are nearer."""
    meshes = [
        (person.vertices_cam_m, person.faces, _inks(person, person.vertices_cam_m, opacity))
        for person in people
        if person.vertices_cam_m is not None
    ]
    if not meshes:
        return
    vertices, faces, inks = zip(*meshes, strict=True)
    starts = np.cumsum([0, *(len(body) for body in vertices[:-1])])
    joined = np.concatenate([body + start for body, start in zip(faces, starts, strict=True)])
    draw_mesh(image, camera, np.concatenate(vertices), joined, np.concatenate(inks))


def _inks(person: DrawnPerson, vertices_cam_m: FloatArray, opacity: float) -> FloatArray:
    """(V, 4), as `draw_mesh` wants them."""
    colours = lit_colours(vertices_cam_m, person.faces, np.array(colour_of(person.track_id)))
    opaque = np.full((len(colours), 1), 255.0)
    return person.opacity * opacity * np.hstack([colours, opaque])


def _draw_strokes(image: ImageArray, people: Sequence[DrawnPerson], what: OverlayStyle) -> None:
    layer = empty_layer(image)
    stroke = stroke_px(image)
    for person in reversed(people):
        if what.box:
            draw = draw_box if person.observed else draw_dashed_box
            draw(layer, person.box_xyxy_px, colour_of(person.track_id), person.opacity, stroke)
        if what.skeleton:
            opacities = person.opacity * person.joint_confidence
            draw_skeleton(layer, person.joints_px, opacities, stroke)
    lay_over(image, layer)


def _draw_label(image: ImageArray, person: DrawnPerson) -> None:
    """On top of the box, or just inside where the picture leaves no room; none far outside."""
    height, width = image.shape[:2]
    left, top, right, bottom = person.box_xyxy_px
    if right <= 0 or bottom <= 0 or left >= width or top >= height:
        return
    text = f"{person.track_id}  {person.confidence:.2f}"
    layer = label_layer(text, colour_of(person.track_id), person.opacity, stroke_px(image))
    x = np.clip(left, 0, max(width - layer.shape[1], 0))
    y = np.clip(top - layer.shape[0], 0, max(height - layer.shape[0], 0))
    lay_over(image, layer, round(float(x)), round(float(y)))


def _expect_finite(name: str, array: FloatArray) -> None:
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
