"""Faces from raw outputs: anchors, decoding, the mirror, and what several looks agree on."""

from pathlib import Path

import numpy as np
import pytest

from pose_service.blazeface import network as module
from pose_service.blazeface.agreement import agreed
from pose_service.blazeface.detector import Face, FaceDetector
from pose_service.blazeface.network import FULL_RANGE_GRIDS, SHORT_RANGE_GRIDS, FaceNetwork
from pose_service.blazepose.anchors import anchor_centres
from pose_service.blazepose.candidates import Candidates, decode
from pose_service.blazepose.files import FACES, SHORT_RANGE_FACE_FILE, WHEEL
from pose_service.blazepose.roi import Roi
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.errors import EngineError
from pose_service.core.files import OfficialFile
from pose_service.engines import embedded, fourdhumans

SHORT = anchor_centres(SHORT_RANGE_GRIDS)
FULL = anchor_centres(FULL_RANGE_GRIDS)


def test_the_short_range_has_two_anchors_in_16_cells_and_six_in_8() -> None:
    assert SHORT.shape == (896, 2)
    assert SHORT[0].tolist() == SHORT[1].tolist() == [0.5 / 16, 0.5 / 16]
    assert SHORT[2 * 16 + 2].tolist() == [1.5 / 16, 1.5 / 16]
    assert SHORT[512].tolist() == SHORT[517].tolist() == [0.5 / 8, 0.5 / 8]
    assert SHORT[-1].tolist() == [7.5 / 8, 7.5 / 8]


def test_the_full_range_has_one_anchor_every_four_pixels() -> None:
    assert FULL.shape == (2304, 2)
    assert (FULL[0] * 192).tolist() == [2, 2]
    assert (FULL[48 + 1] * 192).tolist() == [6, 6]


def test_raw_values_become_a_box_and_six_points_around_their_anchor() -> None:
    scores, values = np.full((896, 1), -200.0), np.zeros((896, 16))
    scores[512], values[512, :6] = 0.0, [12.8, 0, 25.6, 51.2, -12.8, 12.8]
    found = decode({(896, 1): scores, (896, 16): values}, SHORT, 0.1, side_px=128)
    assert found.scores.tolist() == [0.5]
    x, y = SHORT[512]
    np.testing.assert_allclose(found.boxes_xyxy, [[x, y - 0.2, x + 0.2, y + 0.2]])
    np.testing.assert_allclose(found.points[0], [[x - 0.1, y + 0.1], *[[x, y]] * 5])


def test_decoding_agrees_with_one_anchor_after_the_other() -> None:
    random = np.random.default_rng(1)
    scores, values = random.normal(-4, 3, (2304, 1)), random.normal(0, 30, (2304, 16))
    found = decode({(2304, 16): values, (2304, 1): scores}, FULL, 0.1, side_px=192)
    wanted = []
    for row in range(48):
        for column in range(48):
            place = 48 * row + column
            score = 1 / (1 + np.exp(-scores[place, 0]))
            if score < 0.1:
                continue
            x, y = (column + 0.5) * 4, (row + 0.5) * 4
            dx, dy, width, height, *points = values[place]
            left, top = x + dx - width / 2, y + dy - height / 2
            places = [p + (y if i % 2 else x) for i, p in enumerate(points)]
            wanted.append([score, left, top, left + width, top + height, *places])
    assert len(found) == len(wanted) > 100
    got = np.column_stack([found.scores, found.boxes_xyxy, found.points.reshape(-1, 12)])
    np.testing.assert_allclose(got * [1, *[192] * 16], wanted)


# What several looks agree on


def seen(*rows: tuple[float, float]) -> Candidates:
    """Faces 0.2 wide: left edge and score of each."""
    boxes = np.array([[left, 0.4, left + 0.2, 0.6] for left, _ in rows]).reshape(-1, 4)
    scores = np.array([score for _, score in rows])
    return Candidates(boxes, np.repeat(boxes[:, None, :2], 6, axis=1), scores)


def test_looks_that_agree_give_the_mean_of_their_scores_at_the_weighted_mean_place() -> None:
    found = agreed([seen((0.10, 0.9)), seen((0.13, 0.6))])
    assert found.scores.tolist() == [pytest.approx(0.75)]
    np.testing.assert_allclose(found.boxes_xyxy[:, 0], (0.9 * 0.10 + 0.6 * 0.13) / 1.5)
    np.testing.assert_allclose(found.points[0, :, 0], found.boxes_xyxy[0, 0])


def test_what_one_look_alone_sees_counts_by_its_share_of_the_looks() -> None:
    found = agreed([seen((0.1, 0.8)), seen(), seen((0.7, 0.4)), seen()])
    assert found.scores.tolist() == [pytest.approx(0.2), pytest.approx(0.1)]


def test_a_look_that_sees_a_face_twice_counts_once() -> None:
    found = agreed([seen((0.1, 0.8), (0.11, 0.7)), seen((0.1, 0.6))])
    assert found.scores.tolist() == [pytest.approx(0.7)]


def test_where_no_look_sees_a_face_there_is_none() -> None:
    assert len(agreed([seen(), seen()])) == 0


# The networks at work


class BrightSpot:
    """Stands for a network: a face around the brightest pixel, its right eye left of it."""

    def __init__(self, folder: Path, file: OfficialFile) -> None:
        self.full = file is not SHORT_RANGE_FACE_FILE
        side = 192 if self.full else 128
        self.input_shape = (side, side, 3)

    def run(self, picture: FloatArray) -> dict[tuple[int, ...], FloatArray]:
        anchors, side = (FULL, 192) if self.full else (SHORT, 128)
        scores, values = np.full((len(anchors), 1), -9.0), np.zeros((len(anchors), 16))
        weights = np.where(picture[..., 0] > 0, picture[..., 0] + 1, 0)
        if weights.any():
            rows, columns = np.mgrid[:side, :side] + 0.5
            x, y = (float(np.average(at, weights=weights)) for at in (columns, rows))
            off = np.array([x, y]) - anchors * side
            place = int(np.argmin(np.hypot(*off.T)))
            values[place] = np.tile(off[place], 8)
            values[place, 2:4] = side / 4
            values[place, 4] -= side / 16
            values[place, 6] += side / 16
            scores[place] = 2.0
        return {scores.shape: scores, values.shape: values}


@pytest.fixture
def spot_detector(monkeypatch: pytest.MonkeyPatch) -> FaceDetector:
    monkeypatch.setattr(module, "Network", BrightSpot)
    return FaceDetector(Path())


def lit_at(x: int, y: int) -> ImageArray:
    image = np.zeros((300, 400, 3), np.uint8)
    image[y - 6 : y + 6, x - 6 : x + 6] = 255
    return image


def test_the_mirror_changes_nothing_but_who_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Network", BrightSpot)
    network = FaceNetwork(Path(), SHORT_RANGE_FACE_FILE, SHORT_RANGE_GRIDS)
    square = np.ascontiguousarray(lit_at(100, 90)[:256, :256])
    straight, mirrored = network.look(square), network.look_in_mirror(square)
    np.testing.assert_allclose(mirrored.boxes_xyxy, straight.boxes_xyxy, atol=1e-6)
    np.testing.assert_allclose(mirrored.points, straight.points, atol=1e-6)
    assert straight.points[0, 0, 0] < straight.points[0, 1, 0]


@pytest.mark.parametrize("angle", [0.0, 0.5, -2.0])
def test_a_face_is_told_in_the_pixels_of_the_picture(
    spot_detector: FaceDetector, angle: float
) -> None:
    (face,) = spot_detector.detect(lit_at(230, 140), [Roi(220, 150, 120, angle)])
    assert face.points_px[2] == pytest.approx((230, 140), abs=1)
    assert (face.box_xyxy_px[:2] + face.box_xyxy_px[2:]) / 2 == pytest.approx((230, 140), abs=1)
    assert face.score == pytest.approx(1 / (1 + np.exp(-2)))
    # the eyes are 1/8 of the square apart, along the square's own x
    way = face.points_px[1] - face.points_px[0]
    assert way == pytest.approx(
        # both zooms weigh alike: a look at 0.82 of the square sees 0.82 of the distance
        120 * (1 + 0.82) / 2 / 8 * np.array([np.cos(angle), np.sin(angle)]), abs=0.2
    )  # fmt: skip


def test_without_squares_the_whole_picture_is_looked_at(spot_detector: FaceDetector) -> None:
    (face,) = spot_detector.detect(lit_at(230, 140))
    assert face.points_px[2] == pytest.approx((230, 140), abs=2)


def test_a_face_under_the_least_score_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Network", BrightSpot)
    image = lit_at(230, 140)
    assert len(FaceDetector(Path(), min_score=0.87).detect(image)) == 1
    assert FaceDetector(Path(), min_score=0.89).detect(image) == []


def test_a_face_has_six_points() -> None:
    with pytest.raises(ValueError, match=r"points_px: expected \(6, 2\), got \(5, 2\)"):
        Face(np.zeros(4), np.zeros((5, 2)), 0.5)


def test_missing_files_are_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"face_detection_short_range\.tflite") as refusal:
        FaceDetector(tmp_path)
    assert "fetch-weights" in refusal.value.hint


def test_the_wheel_holds_the_faces_which_nothing_but_avatars_needs() -> None:
    assert [file.only_for for file in WHEEL.files] == ["", "", "avatars", "avatars"]
    assert FACES.files == WHEEL.files[2:]
    assert WHEEL in embedded.ENGINE.sources
    assert FACES in fourdhumans.ENGINE.optional_sources
