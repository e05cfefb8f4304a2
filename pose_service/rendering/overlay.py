"""People drawn over the picture: layers, blurred faces, a view from the side."""

from collections.abc import Sequence

import numpy as np

from pose_service.core.arrays import FloatArray, ImageArray, expect_shape
from pose_service.core.records import Camera
from pose_service.rendering.blur import blur_circles, face_circle
from pose_service.rendering.layers import empty_layer, lay_over
from pose_service.rendering.meshes import draw_mesh
from pose_service.rendering.person import DrawnPerson
from pose_service.rendering.shading import colour_of, lit_colours
from pose_service.rendering.side_view import side_view
from pose_service.rendering.strokes import (
    draw_box,
    draw_dashed_box,
    draw_skeleton,
    label_layer,
    stroke_px,
)
from pose_service.rendering.style import Layer, OverlayStyle


def draw_people(
    image: ImageArray, people: Sequence[DrawnPerson], camera: Camera, style: OverlayStyle
) -> ImageArray:
    """A copy of `image` (height, width, 3) RGB with `people` drawn over it, the first on top.

    Meshes hide each other by their depth, pixel by pixel. Who is not seen in this frame is half
    transparent and has a dashed box or a word that says so. `camera` must have the picture's size;
    with a side view the copy is as large as `style.size_px` says.
    """
    expect_shape("image", image, (camera.height_px, camera.width_px, 3))
    size = style.size_px(camera.width_px, camera.height_px)
    drawn = np.empty((size[1], size[0], 3), np.uint8)
    picture, panel = drawn[:, : camera.width_px], drawn[:, camera.width_px :]
    picture[:] = image
    if style.face_blur:
        circles = (face_circle(person.joints_cam_m, camera) for person in people)
        blur_circles(picture, (circle for circle in circles if circle is not None))
    if Layer.MESH in style.layers:
        _draw_meshes(picture, people, camera, style.mesh_opacity)
    _draw_strokes(picture, people, camera, style)
    for person in reversed(people):
        _draw_label(picture, person, style)
    if style.side_view:
        panel[:] = side_view(people[0] if people else None, (panel.shape[1], panel.shape[0]))
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


def _draw_strokes(
    image: ImageArray, people: Sequence[DrawnPerson], camera: Camera, style: OverlayStyle
) -> None:
    if not people or not style.layers & {Layer.BOXES, Layer.SKELETON}:
        return
    layer = empty_layer(image)
    stroke = stroke_px(image)
    for person in reversed(people):
        if Layer.BOXES in style.layers:
            draw = draw_box if person.observed else draw_dashed_box
            draw(layer, person.box_xyxy_px, colour_of(person.track_id), person.opacity, stroke)
        if Layer.SKELETON in style.layers:
            opacities = person.opacity * person.joint_confidence
            draw_skeleton(layer, camera.project(person.joints_cam_m), opacities, stroke)
    lay_over(image, layer)


def _draw_label(image: ImageArray, person: DrawnPerson, style: OverlayStyle) -> None:
    """On top of the box, or just inside where the picture leaves no room; none far outside."""
    height, width = image.shape[:2]
    left, top, right, bottom = person.box_xyxy_px
    text = _label(person, style)
    if not text or right <= 0 or bottom <= 0 or left >= width or top >= height:
        return
    # always solid: it is what says that somebody is faint for being unseen
    layer = label_layer(text, colour_of(person.track_id), stroke_px(image))
    x = np.clip(left, 0, max(width - layer.shape[1], 0))
    y = np.clip(top - layer.shape[0], 0, max(height - layer.shape[0], 0))
    lay_over(image, layer, round(float(x)), round(float(y)))


def _label(person: DrawnPerson, style: OverlayStyle) -> str:
    """Who it is, and how sure; of somebody unseen the word for it, unless a dashed box says it."""
    if Layer.IDS in style.layers:
        said = f"{person.confidence:.2f}" if person.observed else person.provenance.value
        return f"{person.track_id}  {said}"
    without_sign = style.layers & {Layer.MESH, Layer.SKELETON} and Layer.BOXES not in style.layers
    return person.provenance.value if without_sign and not person.observed else ""
