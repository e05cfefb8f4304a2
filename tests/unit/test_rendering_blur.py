"""Faces that are blurred: what is left of them is known in advance."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.records import Camera, Provenance
from pose_service.core.skeletons import SMPL24
from pose_service.rendering.blur import blur_circles, face_circle
from pose_service.rendering.overlay import draw_people
from pose_service.rendering.person import DrawnPerson
from pose_service.rendering.style import OverlayStyle

CAMERA = Camera(1000.0, 320, 240)
# block 20 pixels: the blocks lie on a grid of whole pixels
CIRCLE = np.array([160.0, 120.0, 38.0])


def noise(seed: int = 0) -> ImageArray:
    return np.random.default_rng(seed).integers(0, 256, (240, 320, 3), np.uint8)


def disc(circle: FloatArray, grow_px: float = 0.0) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:240, :320] + 0.5
    return np.asarray(np.hypot(columns - circle[0], rows - circle[1]) <= circle[2] + grow_px)


def joints_m(head: tuple[float, float, float], way: tuple[float, float, float]) -> FloatArray:
    """(24, 3): all in the head's place, but for the neck, which is where `way` comes from."""
    joints = np.tile(head, (24, 1)).astype(float)
    joints[SMPL24.index("neck")] = np.subtract(head, way)
    return joints


def person(**changed: Any) -> DrawnPerson:
    """An adult five metres away in the middle of the picture."""
    upright = DrawnPerson(
        track_id=1,
        provenance=Provenance.OBSERVED,
        confidence=0.9,
        box_xyxy_px=np.array([120.0, 80, 200, 230]),
        joints_cam_m=joints_m((0, 0, 5), (0, -0.105, 0)),
        joint_confidence=np.ones(24),
        vertices_cam_m=None,
        faces=np.zeros((0, 3), int),
    )
    return replace(upright, **changed)


def test_the_circle_is_twice_a_neck_around_the_middle_of_the_head() -> None:
    circle = face_circle(person().joints_cam_m, CAMERA)
    # 0.105 m at 5 m are 21 pixels: half of them above the joint, which lies on the axis
    np.testing.assert_allclose(circle, [160, 120 - 10.5, 42])


def test_the_circle_grows_as_the_head_comes_near_and_follows_a_head_that_hangs_down() -> None:
    near = face_circle(joints_m((0, 0, 2.5), (0, -0.105, 0)), CAMERA)
    down = face_circle(joints_m((0, 0, 5), (0, 0.105, 0)), CAMERA)
    np.testing.assert_allclose(near, [160, 120 - 21, 84])
    np.testing.assert_allclose(down, [160, 120 + 10.5, 42])


def test_a_far_head_has_a_circle_of_four_pixels_and_one_behind_the_camera_none() -> None:
    far = face_circle(joints_m((0, 0, 500), (0, -0.105, 0)), CAMERA)
    assert far is not None and far[2] == 4
    assert face_circle(joints_m((0, 0, -5), (0, -0.105, 0)), CAMERA) is None


def test_no_detail_of_a_face_survives() -> None:
    """Two faces of the same mean colours, one a checkerboard, one plain, come out as one."""
    plain = np.full((240, 320, 3), 100, np.uint8)
    plain[:, 160:] = 160
    detailed = plain.copy()
    squares = np.indices((240, 320)).sum(axis=0) % 2
    detailed += np.where(squares[..., None] > 0, 50, -50).astype(np.uint8)
    assert (detailed != plain).all()
    blurred = []
    for image in (plain, detailed):
        blur_circles(image, [CIRCLE])
        blurred.append(image[disc(CIRCLE)])
    np.testing.assert_array_equal(*blurred)


def test_no_pixel_of_a_face_is_left_as_it_was() -> None:
    image = noise()
    blur_circles(image, [CIRCLE])
    face = disc(CIRCLE)
    # noise has all values: as many pixels as chance gives have one that equals the smear
    assert (image == noise())[face].mean() < 0.02
    assert image[face].std() < 0.1 * noise()[face].std()


def test_what_is_outside_of_the_circle_is_left_alone() -> None:
    image = noise()
    blur_circles(image, [CIRCLE])
    outside = ~disc(CIRCLE, grow_px=2)
    np.testing.assert_array_equal(image[outside], noise()[outside])


@pytest.mark.parametrize("place", [(0, 0), (319, 120), (160, 245), (-20, 120)])
def test_the_part_of_a_circle_that_lies_in_the_picture_is_blurred(place: tuple[int, int]) -> None:
    image, circle = noise(), np.array([*place, 40.0])
    blur_circles(image, [circle])
    inside = disc(circle)
    assert inside.any()
    assert image[inside].std() < 0.25 * noise()[inside].std()


@pytest.mark.parametrize("place", [(-500, 0), (160, 900), (-1e7, 1e7)])
def test_a_circle_outside_of_the_picture_changes_nothing(place: tuple[float, float]) -> None:
    image = noise()
    blur_circles(image, [np.array([*place, 40.0])])
    np.testing.assert_array_equal(image, noise())


@pytest.mark.parametrize("radius_px", [4.0, 10_000.0])
def test_circles_of_any_size_can_be_blurred(radius_px: float) -> None:
    image = noise()
    blur_circles(image, [np.array([160, 120, radius_px])])
    assert (image != noise()).any()


@pytest.mark.parametrize("provenance", Provenance)
def test_faces_are_blurred_of_everybody_also_where_they_are_predicted(
    provenance: Provenance,
) -> None:
    style = OverlayStyle(frozenset(), face_blur=True)
    drawn = draw_people(noise(), [person(provenance=provenance)], CAMERA, style)
    face = disc(np.array([160, 109.5, 42]))
    assert drawn[face].std() < 0.1 * noise()[face].std()
    kept = draw_people(noise(), [person(provenance=provenance)], CAMERA, OverlayStyle(frozenset()))
    np.testing.assert_array_equal(kept, noise())


def test_layers_are_drawn_over_the_blur_not_blurred_with_it() -> None:
    picture = np.full((240, 320, 3), 100, np.uint8)
    with_blur, without = (
        draw_people(picture, [person()], CAMERA, OverlayStyle(face_blur=blur))
        for blur in (True, False)
    )
    # a plain picture is the same blurred, but for a rounding
    np.testing.assert_allclose(with_blur.astype(int), without, atol=1)
    assert (without != 100).any()
