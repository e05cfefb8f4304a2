"""Anchors, decoding, suppression, and the way of a candidate from a tile to the picture."""

from pathlib import Path

import numpy as np
import pytest

from pose_service.blazepose import detector as module
from pose_service.blazepose.anchors import anchor_centres
from pose_service.blazepose.boxes import around_rois, iou
from pose_service.blazepose.candidates import Candidates, decode, merge_overlapping
from pose_service.blazepose.detector import BlazePoseDetector, letterbox, shrunk
from pose_service.blazepose.tiles import Tile
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.records import NEW_TRACK

ANCHORS = anchor_centres()
MIDDLE = 2254 - 294 + (3 * 7 + 3) * 6  # the first anchor of the coarse grid's middle cell


def raw_outputs(place: int, logit: float, values: list[float]) -> dict[tuple[int, ...], FloatArray]:
    scores = np.full((2254, 1), -200.0)
    boxes = np.zeros((2254, 12))
    scores[place], boxes[place] = logit, values
    return {(2254, 12): boxes, (2254, 1): scores}


def test_anchors_run_by_row_then_column_then_anchor_from_the_fine_grid_to_the_coarse() -> None:
    assert ANCHORS[0].tolist() == ANCHORS[1].tolist() == [0.5 / 28, 0.5 / 28]
    assert ANCHORS[2].tolist() == [1.5 / 28, 0.5 / 28]
    assert ANCHORS[2 * 28].tolist() == [0.5 / 28, 1.5 / 28]
    assert ANCHORS[1568].tolist() == [0.5 / 14, 0.5 / 14]
    assert ANCHORS[-6].tolist() == ANCHORS[-1].tolist() == [6.5 / 7, 6.5 / 7]


def test_raw_values_become_boxes_and_points_around_their_anchor() -> None:
    values = [22.4, 0, 44.8, 89.6, 0, 22.4, 0, -22.4, 22.4, 0, 0, 0]
    found = decode(raw_outputs(MIDDLE, 0.0, values), ANCHORS, min_score=0.35)
    assert found.scores.tolist() == [0.5]
    np.testing.assert_allclose(found.boxes_xyxy, [[0.5, 0.3, 0.7, 0.7]])
    np.testing.assert_allclose(found.points[0], [[0.5, 0.6], [0.5, 0.4], [0.6, 0.5], [0.5, 0.5]])


def test_a_score_under_the_threshold_gives_no_candidate() -> None:
    found = decode(raw_outputs(MIDDLE, -0.7, [0.0] * 12), ANCHORS, min_score=0.35)
    assert len(found) == 0
    assert len(merge_overlapping(found)) == 0


def candidates(boxes: list[list[float]], scores: list[float]) -> Candidates:
    array = np.array(boxes, float)
    return Candidates(array, np.repeat(array[:, None, :2], 4, axis=1), np.array(scores))


def test_overlapping_candidates_become_their_weighted_mean_under_the_best_score() -> None:
    merged = merge_overlapping(
        candidates([[100, 0, 110, 10], [0, 0, 10, 10], [1, 0, 11, 10]], [0.3, 0.75, 0.25])
    )
    np.testing.assert_allclose(merged.scores, [0.75, 0.3])
    np.testing.assert_allclose(merged.boxes_xyxy, [[0.25, 0, 10.25, 10], [100, 0, 110, 10]])
    np.testing.assert_allclose(merged.points[0, 0], [0.25, 0])


def test_boxes_that_share_less_than_a_third_stay_apart() -> None:
    assert len(merge_overlapping(candidates([[0, 0, 10, 10], [6, 0, 16, 10]], [0.9, 0.8]))) == 2


def test_boxes_without_area_are_each_their_own_group() -> None:
    assert len(merge_overlapping(candidates([[5, 5, 5, 5], [5, 5, 5, 5]], [0.9, 0.8]))) == 2


def test_candidates_of_uneven_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"boxes_xyxy: expected \(2, 4\), got \(1, 4\)"):
        Candidates(np.zeros((1, 4)), np.zeros((2, 4, 2)), np.zeros(2))


def test_iou_of_a_box_with_itself_is_one_and_with_a_far_one_zero() -> None:
    box = np.array([0.0, 0, 4, 2])
    assert iou(box, np.array([box, box + 10])).tolist() == [1, 0]


def test_the_box_around_a_square_turned_by_45_degrees_is_its_diagonal() -> None:
    box = around_rois(np.array([[50, 60, 10, np.pi / 4]]))[0]
    half = 10 / np.sqrt(2)
    np.testing.assert_allclose(box, [50 - half, 60 - half, 50 + half, 60 + half])


def test_a_wide_tile_lies_between_black_bars() -> None:
    image = np.full((40, 80, 3), 255, np.uint8)
    square = letterbox(image, Tile(0, 0, 80, 40))
    assert square.shape == (224, 224, 3)
    assert np.all(square[:56] == -1)
    assert np.all(square[168:] == -1)
    assert np.all(square[56:168] == 1)


def test_only_large_pictures_are_shrunk() -> None:
    image = np.zeros((600, 1200, 3), np.uint8)
    assert shrunk(image, 300).shape == (300, 600, 3)
    assert shrunk(image, 700) is image


class OneFindPerTile:
    """Stands for the network: a person in the middle of whatever it sees, if that is bright."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def run(self, picture: FloatArray) -> dict[tuple[int, ...], FloatArray]:
        upright = [0.0, 0, 20, 20, 0, 0, 0, -40, 0, -20, 0, -30]
        return raw_outputs(MIDDLE, 5.0 if picture[112, 112].max() > 0 else -5.0, upright)


@pytest.fixture
def fake_detector(monkeypatch: pytest.MonkeyPatch) -> BlazePoseDetector:
    monkeypatch.setattr(module, "Network", OneFindPerTile)
    return BlazePoseDetector(Path())


def picture_lit_at(x: int, y: int, size: tuple[int, int]) -> ImageArray:
    image = np.zeros((*size, 3), np.uint8)
    image[y - 3 : y + 4, x - 3 : x + 4] = 255
    return image


def test_a_find_in_a_tile_is_told_in_the_pixels_of_the_picture(
    fake_detector: BlazePoseDetector,
) -> None:
    # shrunk for the network; (1200, 600) is the middle of the last square of side 1200
    (found,) = fake_detector.detect([picture_lit_at(1200, 600, (1200, 1800))])
    assert found.track_ids.tolist() == [NEW_TRACK]
    x, y, side, angle = found.rois[0]
    assert (x, y) == pytest.approx((1200, 600), abs=2)  # the shrunk picture has rounded sides
    assert side == pytest.approx(2 * 1.25 * 40 / 224 * 1200, rel=0.01)
    assert angle == pytest.approx(0)
    assert found.scores[0] == pytest.approx(1 / (1 + np.exp(-5)))


def test_boxes_are_cut_to_the_picture(fake_detector: BlazePoseDetector) -> None:
    (found,) = fake_detector.detect([np.full((100, 160, 3), 255, np.uint8)])
    assert len(found) > 0
    assert np.all(found.boxes_xyxy_px >= 0)
    assert np.all(found.boxes_xyxy_px <= [160, 100, 160, 100])


def test_every_picture_of_a_batch_gets_its_own_answer(fake_detector: BlazePoseDetector) -> None:
    dark = np.zeros((64, 64, 3), np.uint8)
    counts = [len(found) for found in fake_detector.detect([dark, dark + 255, dark])]
    assert counts[0] == counts[2] == 0
    assert counts[1] > 0
