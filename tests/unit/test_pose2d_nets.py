"""ONNX files as nets for keypoints: what they answer, and files of other models."""

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from pose2d_kit import brightness_net, constant_net, paint_net, saved, simcc_of, value

from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.pose2d.crops import MEAN_RGB, STD_RGB, crops_around
from pose_service.pose2d.keypoint_nets import TopDownNet
from pose_service.pose2d.layouts import Kind
from pose_service.pose2d.opening import NetFile
from pose_service.pose2d.session import Seat, seat_for
from pose_service.runtime.opening.content import WantedFile

SEAT = Seat(card=None, threads=1, batch=3)
SIMCC = NetFile(WantedFile("RTMPose", "Fetch it."), (Kind.SIMCC,), (192, 256))
HEATMAPS = NetFile(WantedFile("HRNet", "Export it."), (Kind.HEATMAPS,), (192, 256))
INPUT = ("batch", 3, 256, 192)
X, Y = np.arange(20, 105, 5.0), np.arange(30, 200, 10.0)


def opened(path: Path, kind: NetFile = SIMCC, seat: Seat = SEAT) -> TopDownNet:
    return TopDownNet(*kind.open(path, seat))


def grey_strips(levels: list[int]) -> np.ndarray:
    """A picture of strips of one colour each, 100 pixels wide; blue is half of red."""
    image = np.zeros((300, 100 * len(levels), 3), np.uint8)
    for index, level in enumerate(levels):
        image[:, 100 * index : 100 * (index + 1)] = (level, 7, level // 2)
    return image


def strip_boxes(count: int) -> np.ndarray:
    """A box well inside of each strip."""
    return np.array([[100 * i + 30.0, 100, 100 * i + 70, 150] for i in range(count)])


def test_keypoints_are_where_the_file_says_turned_back_into_the_picture(tmp_path: Path) -> None:
    net = opened(constant_net(tmp_path / "a.onnx", INPUT, simcc_of(X, Y, 192, 256)))
    boxes = np.array([[100.0, 50, 220, 210], [-30, -30, 40, 500]])
    points, confidence = net.keypoints(np.zeros((480, 640, 3), np.uint8), boxes)
    in_crop = np.stack([X, Y], axis=-1)
    np.testing.assert_allclose(points, crops_around(boxes, 192, 256).to_picture(in_crop[None]))
    # 120 by 160 grows to 150 by 200, just 3 to 4: 0.78125 pixels of the picture per crop pixel
    np.testing.assert_allclose(points[0], [160, 130] + (in_crop - [96, 128]) * 0.78125)
    np.testing.assert_allclose(confidence, 0.8)


def test_the_two_curves_are_told_apart_by_their_length_not_by_their_order(tmp_path: Path) -> None:
    curves = simcc_of(X, Y, 192, 256)
    boxes, image = np.array([[0.0, 0, 60, 80]]), np.zeros((80, 60, 3), np.uint8)
    ahead = opened(constant_net(tmp_path / "a", INPUT, curves)).keypoints(image, boxes)
    back = opened(constant_net(tmp_path / "b", INPUT, curves[::-1])).keypoints(image, boxes)
    np.testing.assert_array_equal(ahead[0], back[0])


@pytest.mark.parametrize("batch", ["n", 1, 2, 4])
@pytest.mark.parametrize("half", [False, True])
def test_each_person_gets_its_own_answer_whatever_the_batch(
    batch: int | str, half: bool, tmp_path: Path
) -> None:
    net = opened(brightness_net(tmp_path / "a", (batch, 3, 256, 192), half=half))
    levels = [40, 90, 140, 190, 240, 70, 20]
    boxes = strip_boxes(7)
    points, confidence = net.keypoints(grey_strips(levels), boxes)
    red = (np.array(levels) - MEAN_RGB[0]) / STD_RGB[0]
    blue = (np.array(levels) // 2 - MEAN_RGB[2]) / STD_RGB[2]
    places = np.stack([40 + 20 * red, 40 + 20 * blue], axis=-1) / 2
    crops = crops_around(boxes, 192, 256)
    expected = crops.to_picture(places[:, None])
    # half a place to either side, and another in half precision, whose bins are exact up to 2048
    reach = (0.6 if half else 0.25) / crops.scales.min()
    assert np.abs(points - expected).max() <= reach + 1e-6
    np.testing.assert_allclose(confidence, 1, atol=0.02)


def test_a_crowd_is_the_same_people_one_by_one(tmp_path: Path) -> None:
    net = opened(brightness_net(tmp_path / "a", INPUT))
    image, boxes = grey_strips([30, 60, 90, 120, 150]), strip_boxes(5)
    together, _ = net.keypoints(image, boxes)
    apart = [net.keypoints(image, box[None])[0][0] for box in boxes]
    np.testing.assert_array_equal(together, apart)
    shuffled, _ = net.keypoints(image, boxes[[3, 1, 4, 0, 2]])
    np.testing.assert_array_equal(shuffled, together[[3, 1, 4, 0, 2]])


def test_nobody_is_no_keypoints(tmp_path: Path) -> None:
    net = opened(constant_net(tmp_path / "a", INPUT, simcc_of(X, Y, 192, 256)))
    points, confidence = net.keypoints(np.zeros((9, 9, 3), np.uint8), np.zeros((0, 4)))
    assert (points.shape, confidence.shape) == ((0, 17, 2), (0, 17))


def test_boxes_beside_the_picture_have_no_joint_that_was_seen(tmp_path: Path) -> None:
    net = opened(constant_net(tmp_path / "a", INPUT, simcc_of(X, Y, 192, 256)))
    boxes = np.array([[900.0, 900, 950, 990], [0, 0, 50, 90], [-1e8, -1e8, 1e8, 1e8]])
    points, confidence = net.keypoints(np.zeros((90, 50, 3), np.uint8), boxes)
    assert confidence.any(axis=1).tolist() == [False, True, True]
    assert np.isfinite(points).all()


def test_heat_maps_are_read_with_the_crop_of_the_same_size(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:64, :48]
    x, y = np.linspace(10, 36, 17), np.linspace(10, 52, 17)
    heat = np.exp(-((columns - x[:, None, None]) ** 2 + (rows - y[:, None, None]) ** 2) / 8)
    net = opened(constant_net(tmp_path / "a", INPUT, [heat]), HEATMAPS)
    points, confidence = net.keypoints(
        np.zeros((256, 192, 3), np.uint8), np.array([[0, 0, 153.6, 204.8]])
    )
    # a box that grows to 192 by 256: one crop pixel is one of the picture, moved by half the border
    expected = 4 * np.stack([x, y], axis=-1) - [19.2, 25.6]
    np.testing.assert_allclose(points[0], expected, atol=0.03)
    assert (confidence > 0.9).all()


def test_joints_that_are_painted_are_found_where_they_were_painted(tmp_path: Path) -> None:
    """From pixels to pixels: colours, crop, batch, decoding and the way back at once."""
    steps = np.array([40, 140, 240])
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)[1:18]
    net = opened(paint_net(tmp_path / "a", colours), HEATMAPS)
    rng = np.random.default_rng(8)
    image = np.zeros((700, 1200, 3), np.uint8)
    boxes = np.array([[40.0, 60, 340, 660], [420, 30, 640, 400], [700, 250, 1180, 500]])
    grid = np.stack(np.meshgrid(np.linspace(0.1, 0.9, 4), np.linspace(0.1, 0.9, 5)), axis=-1)
    joints = boxes[:, None, :2] + grid.reshape(-1, 2)[:17] * (boxes[:, 2:] - boxes[:, :2])[:, None]
    joints += rng.uniform(-6, 6, joints.shape)
    scales = crops_around(boxes, 192, 256).scales
    for places, scale in zip(joints, scales, strict=True):
        for (x, y), colour in zip(places, colours.tolist(), strict=True):
            # eighths of a pixel; as large in every crop
            centre = (round(8 * x), round(8 * y))
            cv2.circle(image, centre, round(8 * 5 / scale), colour, -1, cv2.LINE_AA, shift=3)
    points, confidence = net.keypoints(image, boxes)
    # a cell's middle is 1.5 pixels from its corner, which the nets learn and this one does not
    found = points + 1.5 / scales[:, None, None]
    error_crop_px = np.linalg.norm(found - joints, axis=-1) * scales[:, None]
    # discs are no Gaussians; the highest cell alone would be off by up to two pixels
    assert error_crop_px.max() < 0.5
    assert confidence.min() > 0.8


def test_the_large_nets_size_is_the_files_own(tmp_path: Path) -> None:
    path = constant_net(tmp_path / "a", ("n", 3, 384, 288), simcc_of(X, Y, 288, 384))
    _, layout = SIMCC.open(path, SEAT)
    assert layout.size_px == (288, 384)


def test_of_curves_of_one_length_the_first_is_x(tmp_path: Path) -> None:
    square = NetFile(SIMCC.wanted, SIMCC.kinds, (256, 256))
    x, y = np.arange(20, 105, 5.0), np.arange(30, 200, 10.0)
    path = constant_net(tmp_path / "a", ("n", 3, 256, 256), simcc_of(x, y, 256, 256))
    net = opened(path, square)
    points, _ = net.keypoints(np.zeros((9, 9, 3), np.uint8), np.array([[0, 0, 204.8, 204.8]]))
    np.testing.assert_allclose(points[0], np.stack([x, y], axis=-1) - 25.6, atol=1e-9)


def test_precision_is_told(tmp_path: Path) -> None:
    for half, precision in ((False, "fp32"), (True, "fp16")):
        net, _ = SIMCC.open(brightness_net(tmp_path / precision, INPUT, half=half), SEAT)
        assert net.precision == precision


@pytest.mark.parametrize(
    ("name", "make", "came"),
    [
        (
            "halpe26",
            lambda path: constant_net(path, INPUT, [np.ones((26, 384)), np.ones((26, 512))]),
            r"\(n, 17, 384\) and \(n, 17, 512\).*got \(None, 26, 384\)",
        ),
        (
            "heat maps",
            lambda path: constant_net(path, INPUT, [np.ones((17, 64, 48))]),
            r"got \(None, 17, 64, 48\)",
        ),
        (
            "one curve",
            lambda path: constant_net(path, INPUT, [np.ones((17, 384))]),
            r"got \(None, 17, 384\)",
        ),
        (
            "a third curve",
            lambda path: constant_net(
                path, INPUT, [np.ones((17, 384)), np.ones((17, 512)), np.ones((17, 576))]
            ),
            "17, 576",
        ),
        (
            "other bins",
            lambda path: constant_net(path, INPUT, [np.ones((17, 192)), np.ones((17, 256))]),
            r"got \(None, 17, 192\)",
        ),
        (
            "grey pictures",
            lambda path: constant_net(path, ("n", 1, 256, 192), simcc_of(X, Y, 192, 256)),
            r"an input \(n, 3, height, width\) was expected, got input \(\?, 1, 256, 192\)",
        ),
        (
            "two inputs",
            lambda path: saved(
                path,
                [helper.make_node("Add", ["a", "b"], ["c"])],
                [value("a", INPUT), value("b", INPUT)],
                [value("c", INPUT)],
            ),
            "one input of pictures was expected",
        ),
        (
            "whole numbers",
            lambda path: saved(
                path,
                [helper.make_node("Identity", ["a"], ["b"])],
                [value("a", INPUT, TensorProto.INT64)],
                [value("b", INPUT, TensorProto.INT64)],
            ),
            "one input of pictures was expected",
        ),
    ],
)
def test_a_file_of_another_model_is_refused_with_what_was_wanted_and_what_came(
    name: str, make: object, came: str, tmp_path: Path
) -> None:
    assert callable(make)
    path = make(tmp_path / f"{name}.onnx")
    for refuse in (SIMCC.check, lambda path: SIMCC.open(path, SEAT)):
        with pytest.raises(EngineError, match=came) as told:
            refuse(path)
        assert str(path) in str(told.value) and told.value.hint == "Fetch it."


def test_shapes_that_a_file_leaves_open_are_looked_at_in_a_first_run(tmp_path: Path) -> None:
    path = constant_net(tmp_path / "a", INPUT, [np.ones((26, 384)), np.ones((26, 512))])
    model = onnx.load(path)
    for output in model.graph.output:
        for axis in output.type.tensor_type.shape.dim[1:]:
            axis.Clear()
    path.write_bytes(model.SerializeToString())
    assert SIMCC.check(path).size_px == (192, 256)
    with pytest.raises(EngineError, match=r"got \(2, 26, 384\), \(2, 26, 512\)"):
        SIMCC.open(path, SEAT)


def test_a_file_that_takes_fewer_pictures_than_it_says_is_refused(tmp_path: Path) -> None:
    path = constant_net(tmp_path / "a", (1, 3, 256, 192), simcc_of(X, Y, 192, 256))
    model = onnx.load(path)
    one = helper.make_node("Slice", ["input", "begin", "end"], ["first"])
    model.graph.node[0].input[0] = "first"
    model.graph.node.insert(0, one)
    for name, number in (("begin", 0), ("end", 1)):
        model.graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, [1], [number]))
    for tensor in (*model.graph.input, *model.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = "n"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(EngineError, match=r"of 2 pictures it tells \(1, 17, 384\)"):
        SIMCC.open(path, SEAT)


def test_operations_of_other_libraries_are_refused(tmp_path: Path) -> None:
    path = constant_net(tmp_path / "a", INPUT, simcc_of(X, Y, 192, 256))
    model = onnx.load(path)
    model.graph.node[0].domain = "mmdeploy"
    model.opset_import.append(helper.make_opsetid("mmdeploy", 1))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(EngineError, match=r"ONNX Runtime refuses it: .*not a registered"):
        SIMCC.open(path, SEAT)


def test_a_run_that_fails_is_an_error_of_this_service(tmp_path: Path) -> None:
    path = constant_net(tmp_path / "a", INPUT, simcc_of(X, Y, 192, 256))
    net, _ = SIMCC.open(path, SEAT)
    with pytest.raises(EngineError, match="a run of it failed"):
        net.run(np.zeros((1, 3, 9, 9), np.float32))


def test_the_seat_is_the_device_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pose_service.pose2d.session.nvidia_cards", lambda: 0)
    assert seat_for(Settings(device="auto"), batch=8).card is None
    assert seat_for(Settings(device="cuda:1"), batch=8).card == 1
    monkeypatch.setattr("pose_service.pose2d.session.nvidia_cards", lambda: 2)
    assert seat_for(Settings(device="auto"), batch=8).card == 0
    assert seat_for(Settings(device="cpu"), batch=8).card is None
    assert 1 <= seat_for(Settings(), batch=8).threads <= 8


def test_a_card_that_this_onnxruntime_cannot_use_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = constant_net(tmp_path / "a", INPUT, simcc_of(X, Y, 192, 256))
    net, _ = SIMCC.open(path, Seat(card=0, threads=1, batch=1))
    if net.on_card:
        pytest.skip("this machine has a card that ONNX Runtime can use")
    assert "on the CPU" in net.without_card
    assert "onnxruntime-gpu" in caplog.text
