"""People drawn over pictures, on figures whose pixels are known."""

from dataclasses import replace

import numpy as np
import pytest

from pose_service.core.arrays import ImageArray
from pose_service.core.records import Camera, Provenance
from pose_service.rendering.overlay import draw_people
from pose_service.rendering.person import DrawnPerson
from pose_service.rendering.shading import colour_of
from pose_service.rendering.style import Layer, OverlayStyle

CAMERA = Camera(200.0, 160, 120)
NOTHING = OverlayStyle(frozenset())
MESH_ONLY = OverlayStyle(frozenset({Layer.MESH}))
UNSEEN = (Provenance.PREDICTED, Provenance.INTERPOLATED)
FACES = np.array([[0, 1, 2], [0, 2, 3]])


def grey_image(camera: Camera = CAMERA) -> ImageArray:
    return np.full((camera.height_px, camera.width_px, 3), 100, np.uint8)


def flat_person(z_m: float = 2.0, *, side_m: float = 0.4, track_id: int = 0) -> DrawnPerson:
    """A square body around the camera's axis, its joints on a diagonal of its box."""
    half = side_m / 2
    corners = [(-half, -half), (-half, half), (half, half), (half, -half)]
    joints_m = np.linspace((-half, -half, z_m), (half, half, z_m), 24)
    return DrawnPerson(
        track_id=track_id,
        provenance=Provenance.OBSERVED,
        confidence=0.9,
        box_xyxy_px=CAMERA.project(joints_m[[0, -1]]).ravel(),
        joints_cam_m=joints_m,
        joint_confidence=np.ones(24),
        vertices_cam_m=np.array([(x, y, z_m) for x, y in corners]),
        faces=FACES,
    )


def moved(person: DrawnPerson, x_m: float) -> DrawnPerson:
    assert person.vertices_cam_m is not None
    shift_px = CAMERA.focal_px * x_m / person.vertices_cam_m[0, 2]
    return replace(
        person,
        box_xyxy_px=person.box_xyxy_px + np.array([shift_px, 0, shift_px, 0]),
        joints_cam_m=person.joints_cam_m + np.array([x_m, 0, 0]),
        vertices_cam_m=person.vertices_cam_m + np.array([x_m, 0, 0]),
    )


def hue_at_centre(image: ImageArray) -> int:
    """Which channel is strongest in the middle of the picture."""
    return int(image[60, 80].argmax())


def test_the_picture_given_is_never_changed() -> None:
    image = grey_image()
    drawn = draw_people(image, [flat_person()], CAMERA, OverlayStyle())
    assert (image == 100).all()
    assert (drawn != 100).any()


def test_nothing_is_drawn_where_nothing_is_wanted_or_nobody_is_there() -> None:
    np.testing.assert_array_equal(
        draw_people(grey_image(), [flat_person()], CAMERA, NOTHING), grey_image()
    )
    np.testing.assert_array_equal(
        draw_people(grey_image(), [], CAMERA, OverlayStyle()), grey_image()
    )


@pytest.mark.parametrize("layer", Layer)
def test_each_layer_can_be_drawn_alone(layer: Layer) -> None:
    style = OverlayStyle(frozenset({layer}))
    drawn = draw_people(grey_image(), [flat_person()], CAMERA, style)
    changed = (drawn != 100).any(axis=2)
    inside = changed[45:75, 66:94]
    assert changed.any()
    assert inside.all() == (layer is Layer.MESH)
    assert inside.any() == (layer in (Layer.MESH, Layer.SKELETON))


@pytest.mark.parametrize("nearer_first", [True, False])
def test_the_nearer_body_hides_the_farther_whatever_their_order(nearer_first: bool) -> None:
    # blue is track 0, green is track 2
    near, far = flat_person(2.0, track_id=0), flat_person(3.0, side_m=1.2, track_id=2)
    people = [near, far] if nearer_first else [far, near]
    drawn = draw_people(grey_image(), people, CAMERA, replace(MESH_ONLY, mesh_opacity=1.0))
    assert hue_at_centre(drawn) == 2
    assert drawn[60, 45].argmax() == 1


def test_bodies_that_cut_through_each_other_are_told_apart_pixel_by_pixel() -> None:
    upright, tilted = flat_person(2.0, track_id=0), flat_person(2.0, track_id=2)
    assert tilted.vertices_cam_m is not None
    depths = tilted.vertices_cam_m + [0, 0, 1] * tilted.vertices_cam_m[:, :1]
    drawn = draw_people(
        grey_image(), [upright, replace(tilted, vertices_cam_m=depths)], CAMERA, MESH_ONLY
    )
    assert drawn[60, 68].argmax() == 1
    assert drawn[60, 92].argmax() == 2


def test_a_mesh_is_mixed_with_the_picture_by_its_opacity() -> None:
    solid = draw_people(
        grey_image(), [flat_person()], CAMERA, replace(MESH_ONLY, mesh_opacity=1.0)
    )[60, 80].astype(float)
    for opacity in (0.75, 0.25):
        style = replace(MESH_ONLY, mesh_opacity=opacity)
        observed = draw_people(grey_image(), [flat_person()], CAMERA, style)
        # three roundings down to whole numbers
        np.testing.assert_allclose(
            observed[60, 80], opacity * solid + (1 - opacity) * 100, atol=2.5
        )
        for provenance in UNSEEN:
            person = replace(flat_person(), provenance=provenance)
            unseen = draw_people(grey_image(), [person], CAMERA, style)
            half = opacity / 2
            np.testing.assert_allclose(unseen[60, 80], half * solid + (1 - half) * 100, atol=2.5)


def test_edges_are_soft_except_where_the_picture_ends() -> None:
    style = replace(MESH_ONLY, mesh_opacity=1.0)
    inside = draw_people(grey_image(), [flat_person()], CAMERA, style)[60, :, 2].astype(int)
    # the square covers columns 60 to 99
    assert 100 == inside[58] < inside[59] < inside[60] < inside[61] == inside[62]
    filled = draw_people(grey_image(), [flat_person(side_m=9.0)], CAMERA, style)
    assert np.ptp(filled[..., 2].astype(int)) <= 3


def test_a_predicted_person_has_a_dashed_and_fainter_box() -> None:
    # large enough for lines of three pixels, whose middle is solid
    camera = Camera(200.0, 1920, 1080)
    style = OverlayStyle(frozenset({Layer.BOXES}))
    person = replace(flat_person(), box_xyxy_px=np.array([100.5, 100.5, 900.5, 900.5]))
    observed = draw_people(grey_image(camera), [person], camera, style)
    np.testing.assert_array_equal(observed[100, 100:900], [colour_of(0)] * 800)
    foretold = replace(person, provenance=Provenance.PREDICTED)
    unseen = draw_people(grey_image(camera), [foretold], camera, style)
    row = unseen[100, 100:900]
    assert (row == 100).all(axis=1).mean() > 0.2
    np.testing.assert_allclose(row[0], (np.array(colour_of(0)) + 100) / 2, atol=2)


def test_a_joint_fades_with_its_confidence() -> None:
    sure = flat_person(side_m=0.8)
    unsure = replace(sure, joint_confidence=np.zeros(24))
    style = OverlayStyle(frozenset({Layer.SKELETON}))
    strong, faint = (
        np.abs(draw_people(grey_image(), [person], CAMERA, style).astype(int) - 100).sum()
        for person in (sure, unsure)
    )
    assert 0 < faint < 0.25 * strong


def test_the_label_lies_on_the_box_or_inside_where_there_is_no_room() -> None:
    style = OverlayStyle(frozenset({Layer.IDS}))
    for top, rows in ((50.0, slice(0, 50)), (-30.0, slice(0, 30)), (2.0, slice(0, 30))):
        person = replace(flat_person(), box_xyxy_px=np.array([150.0, top, 159.0, 100.0]))
        changed = (draw_people(grey_image(), [person], CAMERA, style) != 100).any(axis=2)
        assert changed[rows].any()
        assert not np.delete(changed, np.r_[rows], axis=0).any()


@pytest.mark.parametrize("x_m", [-40.0, 40.0, 1e6])
def test_people_outside_the_picture_leave_it_as_it_is(x_m: float) -> None:
    person = moved(flat_person(), x_m)
    for shown in (person, replace(person, provenance=Provenance.PREDICTED)):
        drawn = draw_people(grey_image(), [shown], CAMERA, OverlayStyle())
        np.testing.assert_array_equal(drawn, grey_image())


def test_people_partly_outside_are_drawn_where_they_are_inside() -> None:
    drawn = draw_people(grey_image(), [moved(flat_person(), 0.75)], CAMERA, MESH_ONLY)
    assert (drawn[60, 140:] != 100).any(axis=1).all()
    assert (drawn[60, :130] == 100).all()


@pytest.mark.parametrize("size", [(1, 1), (6000, 20), (20, 6000), (3, 2)])
@pytest.mark.parametrize("provenance", Provenance)
def test_pictures_of_odd_sizes_can_be_drawn_on(
    size: tuple[int, int], provenance: Provenance
) -> None:
    camera = Camera(200.0, *size)
    person = replace(flat_person(), provenance=provenance)
    for style in (OverlayStyle(), OverlayStyle(side_view=True, face_blur=True)):
        drawn = draw_people(grey_image(camera), [person], camera, style)
        assert drawn.shape == (*style.size_px(*size)[::-1], 3)
        assert drawn.dtype == np.uint8


def test_a_person_without_a_mesh_still_has_skeleton_box_and_label() -> None:
    person = replace(flat_person(), vertices_cam_m=None)
    assert (draw_people(grey_image(), [person], CAMERA, OverlayStyle()) != 100).any()
    np.testing.assert_array_equal(
        draw_people(grey_image(), [person], CAMERA, MESH_ONLY), grey_image()
    )


@pytest.mark.parametrize(
    "name", ["confidence", "box_xyxy_px", "joints_cam_m", "joint_confidence", "vertices_cam_m"]
)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_person_with_numbers_that_are_none_is_refused(name: str, bad: float) -> None:
    person = flat_person()
    value = np.array(getattr(person, name), float)
    value.flat[0] = bad
    with pytest.raises(ValueError, match=f"{name}: expected finite numbers"):
        replace(person, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("box_xyxy_px", np.zeros(5)),
        ("joints_cam_m", np.zeros((24, 2))),
        ("joints_cam_m", np.zeros((17, 3))),
        ("joint_confidence", np.zeros(17)),
        ("vertices_cam_m", np.zeros((4, 2))),
        ("faces", np.zeros((4, 4), int)),
        ("faces", np.array([[0, 1, 4]])),
        ("faces", np.array([[0, 1, -1]])),
    ],
)
def test_a_person_of_wrong_shape_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected"):
        replace(flat_person(), **{name: value})


@pytest.mark.parametrize("provenance", UNSEEN)
@pytest.mark.parametrize("layer", [Layer.MESH, Layer.SKELETON, Layer.IDS])
def test_somebody_unseen_has_a_word_for_it_where_no_dashed_box_says_it(
    layer: Layer, provenance: Provenance
) -> None:
    """Above the box, where nothing else is drawn."""
    observed, unseen, with_box = (
        draw_people(grey_image(), [replace(flat_person(), provenance=seen)], CAMERA, style)
        for seen, style in (
            (Provenance.OBSERVED, OverlayStyle(frozenset({layer}))),
            (provenance, OverlayStyle(frozenset({layer}))),
            (provenance, OverlayStyle(frozenset({layer, Layer.BOXES}))),
        )
    )
    # the plate is 12 rows high; the box begins in row 40, its line and its joints reach above
    above = slice(0, 34)
    assert (observed[above] != 100).any() == (layer is Layer.IDS)
    assert (unseen[above] != 100).any()
    assert (with_box[above] != 100).any() == (layer is Layer.IDS)


def test_the_word_tells_predicted_from_interpolated() -> None:
    style = OverlayStyle(frozenset({Layer.IDS}))
    drawn = [
        draw_people(grey_image(), [replace(flat_person(), provenance=seen)], CAMERA, style)
        for seen in Provenance
    ]
    widths = [(image != 100).any(axis=2).any(axis=0).sum() for image in drawn]
    # "0  0.90", "0  predicted", "0  interpolated"
    assert widths == sorted(set(widths))


def test_a_track_has_its_colour_whatever_the_others_do() -> None:
    style = OverlayStyle(frozenset({Layer.BOXES}))
    person = flat_person(track_id=5)
    alone = draw_people(grey_image(), [person], CAMERA, style)
    beside = draw_people(grey_image(), [moved(flat_person(), 0.5), person], CAMERA, style)
    foretold = replace(person, provenance=Provenance.PREDICTED)
    unseen = draw_people(grey_image(), [foretold], CAMERA, style)
    corner = (60, 60)
    np.testing.assert_array_equal(alone[corner], beside[corner])
    # half of the same colour, half of the picture
    np.testing.assert_allclose(unseen[40, 60], (alone[40, 60].astype(int) + 100) / 2, atol=2)


def test_the_side_view_stands_beside_the_picture_and_leaves_it_alone() -> None:
    person = flat_person()
    plain = draw_people(grey_image(), [person], CAMERA, OverlayStyle())
    wide = draw_people(grey_image(), [person], CAMERA, OverlayStyle(side_view=True))
    assert wide.shape == (120, 160 + 60, 3)
    np.testing.assert_array_equal(wide[:, :160], plain)
    empty = draw_people(grey_image(), [], CAMERA, OverlayStyle(side_view=True))
    assert (wide[:, 160:] != empty[:, 160:]).any()


def test_a_picture_of_another_size_than_the_cameras_is_refused() -> None:
    with pytest.raises(ValueError, match=r"image: expected \(120, 160, 3\), got \(160, 120, 3\)"):
        draw_people(np.zeros((160, 120, 3), np.uint8), [], CAMERA, OverlayStyle())
