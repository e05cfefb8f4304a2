"""Person detectors: pictures into squares, boxes out of them."""

from pathlib import Path

import numpy as np
import pytest
from pose2d_kit import constant_net, detector_net

from pose_service.core.arrays import FloatArray
from pose_service.core.errors import EngineError
from pose_service.pose2d.detectors import (
    RTMDET_COLOURS,
    YOLOX_COLOURS,
    BoxNet,
    grid_boxes,
    letterbox,
)
from pose_service.pose2d.layouts import Kind
from pose_service.pose2d.nms import keep_best
from pose_service.pose2d.opening import NetFile
from pose_service.pose2d.session import Seat
from pose_service.runtime.opening.content import WantedFile

SEAT = Seat(card=None, threads=1, batch=4)
SIDE = 64
BOXES = NetFile(WantedFile("YOLOX", "Fetch it."), (Kind.BOXES, Kind.GRID), (SIDE, SIDE))
CELLS = 8 * 8 + 4 * 4 + 2 * 2


def opened(path: Path) -> BoxNet:
    return BoxNet(*BOXES.open(path, SEAT), YOLOX_COLOURS)


def encoded(boxes: FloatArray, cells: list[int], classes: int = 1) -> FloatArray:
    """YOLOX's answer (cells, 5 + classes) for `boxes` (n, 5), each told by one of `cells`."""
    grid = np.zeros((CELLS, 5 + classes), np.float32)
    places = [
        (column, row, stride)
        for stride in (8, 16, 32)
        for row in range(SIDE // stride)
        for column in range(SIDE // stride)
    ]
    for (x1, y1, x2, y2, score), cell in zip(boxes, cells, strict=True):
        column, row, stride = places[cell]
        grid[cell, 0] = (x1 + x2) / 2 / stride - column
        grid[cell, 1] = (y1 + y2) / 2 / stride - row
        grid[cell, 2:4] = np.log([(x2 - x1) / stride, (y2 - y1) / stride])
        grid[cell, 4:6] = score**0.5
    return grid


def test_a_picture_keeps_its_shape_in_the_upper_left_of_the_square() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, :100] = (10, 20, 30)
    image[:, 100:] = (40, 50, 60)
    out, scale = letterbox(image, (SIDE, SIDE), YOLOX_COLOURS)
    np.testing.assert_allclose(scale, 0.32)
    assert out.shape == (3, SIDE, SIDE)
    # channels in the order BGR, values as they are
    assert out[:, 5, 5].tolist() == [30, 20, 10]
    assert out[:, 31, 63].tolist() == [60, 50, 40]
    assert (out[:, 32:] == 114).all()


def test_rtmdets_pictures_are_normalised_in_bgr() -> None:
    image = np.full((8, 4, 3), (123, 116, 103), np.uint8)
    out, _ = letterbox(image, (8, 8), RTMDET_COLOURS)
    expected = (np.array([103, 116, 123]) - RTMDET_COLOURS.mean_bgr) / RTMDET_COLOURS.std_bgr
    np.testing.assert_allclose(out[:, 2, 1], expected, atol=1e-5)
    grey = (114 - np.array(RTMDET_COLOURS.mean_bgr)) / RTMDET_COLOURS.std_bgr
    np.testing.assert_allclose(out[:, 2, 6], grey, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1), (63, 65), (64, 64), (7, 5)])
def test_pictures_of_any_shape_fit_and_are_turned_back_exactly(shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), 200, np.uint8)
    out, scale = letterbox(image, (SIDE, SIDE), YOLOX_COLOURS)
    columns = int((out[0] == 200).any(axis=0).sum())
    rows = int((out[0] == 200).any(axis=1).sum())
    np.testing.assert_allclose([columns, rows], scale * shape[::-1])
    assert max(columns, rows) == SIDE


def test_boxes_of_every_stride_are_decoded() -> None:
    boxes = np.array([[3, 4, 20, 30, 0.9], [20, 10, 61, 40, 0.8], [1, 2, 60, 63, 0.5]])
    grid = encoded(boxes, [17, 64 + 6, 80 + 3])
    found, scores = grid_boxes(grid, (SIDE, SIDE))
    np.testing.assert_allclose(found, boxes[:, :4], atol=1e-4)
    np.testing.assert_allclose(scores, boxes[:, 4], atol=1e-6)


def test_of_many_classes_only_people_are_people() -> None:
    grid = encoded(np.array([[3, 4, 20, 30, 0.9], [20, 10, 61, 40, 0.8]]), [17, 70], classes=80)
    grid[70, 5], grid[70, 20] = 0.0, 1.0
    found, _ = grid_boxes(grid, (SIDE, SIDE))
    np.testing.assert_allclose(found, [[3, 4, 20, 30]], atol=1e-4)


def test_of_boxes_over_one_person_the_best_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 4.9], [50, 50, 60, 60.0]])
    scores = np.array([0.8, 0.9, 0.7, 0.1])
    # second over first 90 of 110; second over third 44.1 of 104.9
    assert keep_best(boxes, scores, 0.5).tolist() == [1, 2, 3]
    assert keep_best(boxes, scores, 0.4).tolist() == [1, 3]
    assert keep_best(np.zeros((0, 4)), np.zeros(0), 0.5).tolist() == []
    # equal boxes without area overlap nothing; equal scores go in order
    assert keep_best(np.zeros((2, 4)), np.ones(2), 0.5).tolist() == [0, 1]


def slow_nms(boxes: FloatArray, scores: FloatArray, most: float) -> list[int]:
    """The same by its definition, pair by pair."""
    kept: list[int] = []
    for index in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        area = (boxes[index, 2] - boxes[index, 0]) * (boxes[index, 3] - boxes[index, 1])
        overlaps = []
        for other in kept:
            width = min(boxes[index, 2], boxes[other, 2]) - max(boxes[index, 0], boxes[other, 0])
            height = min(boxes[index, 3], boxes[other, 3]) - max(boxes[index, 1], boxes[other, 1])
            common = max(width, 0) * max(height, 0)
            theirs = (boxes[other, 2] - boxes[other, 0]) * (boxes[other, 3] - boxes[other, 1])
            overlaps.append(common / (area + theirs - common))
        if all(overlap <= most for overlap in overlaps):
            kept.append(index)
    return kept


def test_the_best_boxes_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        corners = rng.uniform(0, 80, (40, 2))
        boxes = np.hstack([corners, corners + rng.uniform(5, 40, (40, 2))])
        scores = rng.permutation(40) / 40
        assert keep_best(boxes, scores, 0.45).tolist() == slow_nms(boxes, scores, 0.45)


def test_sorted_out_boxes_are_turned_back_and_the_largest_is_first(tmp_path: Path) -> None:
    found = np.array([
        [1, 2, 11, 22, 0.9], [20, 4, 40, 30, 0.6], [5, 5, 9, 9, 0.29], [60, 20, 90, 70, 0.5],
        [70, 1, 80, 9, 0.8], [0, 0, 0, 0, 0],
    ])  # fmt: skip
    net = opened(detector_net(tmp_path / "a.onnx", SIDE, found))
    ((boxes, scores),) = net.detect([np.zeros((200, 400, 3), np.uint8)])
    # 6.25 pixels of the picture for one of the square, cut at its border
    np.testing.assert_allclose(
        boxes, [[125, 25, 250, 187.5], [6.25, 12.5, 68.75, 137.5], [375, 125, 400, 200]], rtol=1e-6
    )
    np.testing.assert_allclose(scores, [0.6, 0.9, 0.5], rtol=1e-6)


def test_what_is_no_person_is_left_out_where_classes_are_told(tmp_path: Path) -> None:
    found = np.array([[1, 2, 11, 22, 0.9], [20, 4, 40, 30, 0.9]])
    net = opened(detector_net(tmp_path / "a.onnx", SIDE, found, labels=[2, 0]))
    ((boxes, _),) = net.detect([np.zeros((64, 64, 3), np.uint8)])
    np.testing.assert_allclose(boxes, [[20, 4, 40, 30]], rtol=1e-6)


def test_a_file_that_does_not_sort_its_boxes_out_finds_the_same(tmp_path: Path) -> None:
    wanted = np.array([[3, 4, 20, 30, 0.9], [20, 10, 61, 40, 0.8]])
    doubled = np.vstack([wanted, [[4, 4, 21, 30, 0.7]], [[19, 11, 60, 40, 0.5]]])
    grid = encoded(doubled, [17, 70, 9, 83])
    raw = opened(constant_net(tmp_path / "raw", (1, 3, SIDE, SIDE), [grid]))
    done = opened(detector_net(tmp_path / "done", SIDE, wanted))
    images = [np.zeros((120, 90, 3), np.uint8), np.zeros((64, 64, 3), np.uint8)]
    for ours, theirs in zip(raw.detect(images), done.detect(images), strict=True):
        np.testing.assert_allclose(ours[0], theirs[0], atol=1e-3)
        np.testing.assert_allclose(ours[1], theirs[1], atol=1e-6)


def test_nobody_and_no_pictures(tmp_path: Path) -> None:
    net = opened(detector_net(tmp_path / "a.onnx", SIDE, np.zeros((0, 5))))
    ((boxes, scores),) = net.detect([np.zeros((10, 10, 3), np.uint8)])
    assert (boxes.shape, scores.shape) == ((0, 4), (0,))
    assert net.detect([]) == []
    raw = opened(constant_net(tmp_path / "b", (1, 3, SIDE, SIDE), [np.zeros((CELLS, 6))]))
    ((boxes, scores),) = raw.detect([np.zeros((10, 10, 3), np.uint8)])
    assert (boxes.shape, scores.shape) == ((0, 4), (0,))


def test_boxes_that_are_no_numbers_are_nobody(tmp_path: Path) -> None:
    found = np.array([[np.nan, 2, 11, 22, 0.9], [1, 2, np.inf, 22, 0.9], [1, 2, 11, 22, np.nan]])
    net = opened(detector_net(tmp_path / "a.onnx", SIDE, found))
    ((boxes, scores),) = net.detect([np.zeros((64, 64, 3), np.uint8)])
    np.testing.assert_allclose(boxes, [[1, 2, 64, 22]])
    np.testing.assert_allclose(scores, [0.9], rtol=1e-6)
    grid = encoded(np.array([[3, 4, 20, 30, 0.9]]), [17])
    grid[17, 2] = 1e4
    boxes, _ = grid_boxes(grid, (SIDE, SIDE))
    assert np.isfinite(boxes).all()


@pytest.mark.parametrize(
    "answers",
    [
        [np.ones((17, 128)), np.ones((17, 128))],
        [np.ones((CELLS + 1, 85))],
        [np.ones((100, 4)), np.ones((100, 80))],
        [np.ones((5, 7, 7))],
    ],
    ids=["keypoints", "other cells", "DETR", "maps"],
)
def test_a_detector_of_another_kind_is_refused(answers: list[FloatArray], tmp_path: Path) -> None:
    path = constant_net(tmp_path / "a.onnx", (1, 3, SIDE, SIDE), answers)
    with pytest.raises(EngineError, match=r"\(n, n, 5\).* or \(n, 84, n\).* were expected, got"):
        BOXES.check(path)


def test_an_open_size_is_the_usual_one(tmp_path: Path) -> None:
    path = constant_net(tmp_path / "a.onnx", (1, 3, "h", "w"), [np.zeros((3, 5))])
    assert BOXES.check(path).size_px == (SIDE, SIDE)
