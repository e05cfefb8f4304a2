"""What the tracker compares, from HMR 2.0's answers, against the official features."""

import numpy as np
import torch
from numpy.typing import NDArray
from standin_phalp import golden

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.masks import Mask
from pose_service.hmr2.cameras import tracker_translations_m
from pose_service.hmr2.crops import person_crops
from pose_service.hmr2.squares import Squares, squares_around
from pose_service.hmr2.warp import scaled, taps_of_square
from pose_service.phalp.features import large_enough, location_features, pose_features
from pose_service.phalp.records import POINT

GOLDEN = golden("camera_crop")
KEPT = GOLDEN["kept"]
HEIGHT_PX, WIDTH_PX = GOLDEN["img_hw"].tolist()
BOXES_XYXY_PX = GOLDEN["bbox"]


def squares() -> Squares:
    return squares_around(BOXES_XYXY_PX[KEPT])


def places_m() -> FloatArray:
    return tracker_translations_m(GOLDEN["pred_cam"][KEPT], squares(), WIDTH_PX, HEIGHT_PX)


def test_small_people_are_left_out_as_officially() -> None:
    """A box of exactly 50 x 100 stays. The sizes are for the caller to say: `fixed` has none."""
    assert np.flatnonzero(large_enough(BOXES_XYXY_PX, (50, 100))).tolist() == KEPT.tolist()
    assert large_enough(BOXES_XYXY_PX, (0, 0)).all()


def test_places_before_the_picture_are_the_official_ones() -> None:
    np.testing.assert_allclose(places_m(), GOLDEN["det.camera"], rtol=1e-6, atol=1e-6)


def test_location_is_the_official_one() -> None:
    found = location_features(GOLDEN["joints44"][KEPT], places_m())
    np.testing.assert_allclose(found[:, :90], GOLDEN["det.loca"][:, :90], rtol=0, atol=1e-6)
    np.testing.assert_allclose(found[:, 90:], GOLDEN["det.loca"][:, 90:], rtol=1e-6, atol=1e-6)


def test_point_of_a_person_is_where_the_body_s_origin_is_seen() -> None:
    found = location_features(GOLDEN["joints44"][KEPT], places_m())
    x, y, z = GOLDEN["det.camera"].astype(np.float64).T
    seen = np.stack([x / z, y / z], axis=1) * 5000 / 256 + 0.5
    np.testing.assert_allclose(found[:, POINT], seen, rtol=0, atol=1e-6)


def test_pose_is_the_official_one() -> None:
    rotations = np.concatenate([GOLDEN["global_orient"], GOLDEN["body_pose"]], axis=1)[KEPT]
    found = pose_features(rotations, GOLDEN["betas"][KEPT], places_m())
    np.testing.assert_allclose(found, GOLDEN["det.pose"], rtol=1e-6, atol=1e-7)


def picture() -> ImageArray:
    """(720, 1280, 3) RGB."""
    y, x = np.arange(HEIGHT_PX)[:, None], np.arange(WIDTH_PX)
    blue_green_red = [
        127.5 + 100 * np.sin(x / 17 + c) * np.cos(y / 23 + 2 * c) + 20 * np.sin((x + y) / 5)
        for c in range(3)
    ]
    return np.clip(np.stack(blue_green_red[::-1], axis=-1), 0, 255).astype(np.uint8)


def masks() -> list[NDArray[np.bool_]]:
    """(720, 1280) each: an ellipse in the box of every kept person."""
    y, x = np.arange(HEIGHT_PX)[:, None], np.arange(WIDTH_PX)
    found = []
    for x1, y1, x2, y2 in BOXES_XYXY_PX[KEPT].astype(np.float64):
        across = (x - (x1 + x2) / 2) / ((x2 - x1) / 2)
        down = (y - (y1 + y2) / 2) / ((y2 - y1) / 2)
        found.append(across**2 + down**2 < 0.8)
    return found


def test_crops_are_the_official_ones() -> None:
    crops = person_crops([picture()], [squares()], anti_alias=False, device=torch.device("cpu"))
    # OpenCV rounds to whole grey levels, of which one is 0.018 here
    np.testing.assert_allclose(
        crops[:, :, 4::8, 4::8], GOLDEN["crop_every8"][:, :3], rtol=0, atol=0.02
    )
    np.testing.assert_allclose(
        crops.double().mean((2, 3)), GOLDEN["crop_mean"][:, :3], rtol=0, atol=2e-3
    )


def test_masks_are_cut_and_written_as_officially() -> None:
    people = squares()
    for person, pixels in enumerate(masks()):
        centre_px, side_px = people.centres_px[person], people.sides_px[person]
        taps = taps_of_square(centre_px, side_px, (WIDTH_PX, HEIGHT_PX))
        levels = torch.from_numpy(255 * pixels.astype(np.uint8)[..., None])
        cut = scaled(levels, *taps)[..., 0].numpy().astype(np.float64)
        wanted = GOLDEN["crop_every8"][person, 3]
        # OpenCV weighs in steps; an edge is 255 levels high, so they show more than in a picture
        np.testing.assert_allclose(cut[4::8, 4::8], wanted, rtol=0, atol=3)
        # all that a texture asks
        np.testing.assert_array_equal(cut[4::8, 4::8] >= 1, wanted >= 1)
        assert Mask.of(pixels).text() == GOLDEN["rle"][person]
