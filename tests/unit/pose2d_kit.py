"""Tiny ONNX files whose answers are known, and pictures for them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pose_service.core.arrays import FloatArray
from pose_service.pose2d.crops import MEAN_RGB, STD_RGB

OPSET = 17
IR_VERSION = 8


def value(name: str, shape: Sequence[int | str], element: int = TensorProto.FLOAT) -> object:
    return helper.make_tensor_value_info(name, element, shape)


def saved(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[object],
    outputs: Sequence[object],
    weights: dict[str, np.ndarray] | None = None,
) -> Path:
    """An ONNX file of these nodes; `path`."""
    tensors = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    graph = helper.make_graph(nodes, "net", inputs, outputs, tensors)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def constant_net(
    path: Path,
    input_shape: Sequence[int | str],
    answers: Sequence[FloatArray],
    *,
    half: bool = False,
) -> Path:
    """A net that gives every picture of its batch the same `answers`, whatever it shows.

    What it answers is added to nought times the picture's mean, so that the batch is the input's.
    """
    element = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    kind = np.float16 if half else np.float32
    weights = {"nought": np.zeros(1, kind), "shape": np.array([-1, 1, 1], np.int64)}
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "nought"], ["none"]),
    ]
    outputs = []
    for index, answer in enumerate(answers):
        name = f"out{index}"
        weights[f"answer{index}"] = answer[None].astype(kind)
        weights[f"axes{index}"] = np.array([-1] + [1] * answer.ndim, np.int64)
        nodes += [
            helper.make_node("Reshape", ["none", f"axes{index}"], [f"flat{index}"]),
            helper.make_node("Add", [f"flat{index}", f"answer{index}"], [name]),
        ]
        outputs.append(value(name, (input_shape[0], *answer.shape), element))
    weights.pop("shape")
    return saved(path, nodes, [value("input", input_shape, element)], outputs, weights)


def simcc_of(x_px: FloatArray, y_px: FloatArray, width_px: int, height_px: int) -> list[FloatArray]:
    """(17, 2 width) and (17, 2 height): SimCC answers that peak at half-pixel places."""
    curves = []
    for places, length in ((x_px, 2 * width_px), (y_px, 2 * height_px)):
        curve = np.zeros((17, length), np.float32)
        curve[np.arange(17), np.round(2 * places).astype(int)] = 0.8
        curves.append(curve)
    return curves


def brightness_net(path: Path, input_shape: Sequence[int | str], *, half: bool = False) -> Path:
    """A SimCC net whose peaks lie at the mean of a picture's red, x, and blue, y, plus 40 places.

    Normalised values; 20 places for each one of them. Heights are 1.
    """
    element, kind = (TensorProto.FLOAT16, np.float16) if half else (TensorProto.FLOAT, np.float32)
    height, width = int(input_shape[2]), int(input_shape[3])
    weights: dict[str, np.ndarray] = {
        "gain": np.full(1, 20, kind),
        "base": np.full(1, 40, kind),
        "one": np.ones(1, kind),
        "column": np.array([-1, 1, 1], np.int64),
        "joints": np.array([1, 17, 1], np.int64),
        "slope": np.full(1, 0.01, kind),
    }
    nodes = [helper.make_node("ReduceMean", ["input"], ["means"], axes=[2, 3], keepdims=0)]
    outputs = []
    for axis, length in ((0, 2 * width), (2, 2 * height)):
        name = f"curve{axis}"
        weights[f"bins{axis}"] = np.arange(length, dtype=kind)[None, None]
        weights[f"channel{axis}"] = np.array([axis], np.int64)
        nodes += [
            helper.make_node("Gather", ["means", f"channel{axis}"], [f"mean{axis}"], axis=1),
            helper.make_node("Mul", [f"mean{axis}", "gain"], [f"scaled{axis}"]),
            helper.make_node("Add", [f"scaled{axis}", "base"], [f"place{axis}"]),
            helper.make_node("Reshape", [f"place{axis}", "column"], [f"at{axis}"]),
            helper.make_node("Sub", [f"bins{axis}", f"at{axis}"], [f"off{axis}"]),
            helper.make_node("Abs", [f"off{axis}"], [f"away{axis}"]),
            helper.make_node("Mul", [f"away{axis}", "slope"], [f"down{axis}"]),
            helper.make_node("Sub", ["one", f"down{axis}"], [f"one{axis}"]),
            helper.make_node("Tile", [f"one{axis}", "joints"], [name]),
        ]
        outputs.append(value(name, (input_shape[0], 17, length), element))
    return saved(path, nodes, [value("input", input_shape, element)], outputs, weights)


def detector_net(
    path: Path, side_px: int, boxes: FloatArray, labels: Sequence[int] | None = None
) -> Path:
    """A detector that finds `boxes` (n, 5) in every picture; with classes where `labels` are."""
    answers = [np.asarray(boxes, np.float32)]
    if labels is None:
        return constant_net(path, (1, 3, side_px, side_px), answers)
    weights = {"labels0": np.array([labels], np.int64)}
    constant_net(path, (1, 3, side_px, side_px), answers)
    model = onnx.load(path)
    model.graph.initializer.append(numpy_helper.from_array(weights["labels0"], "labels0"))
    model.graph.node.append(helper.make_node("Identity", ["labels0"], ["labels"]))
    model.graph.output.append(value("labels", (1, len(labels)), TensorProto.INT64))
    path.write_bytes(model.SerializeToString())
    return path


def paint_net(path: Path, colours_rgb: FloatArray) -> Path:
    """A net that really looks: joint j's heat map is high where the crop has colour j (17, 3).

    A cell is the mean over its 16 pixels of how near each is to the colour, from 0 to 1.
    """
    wanted = (colours_rgb - np.array(MEAN_RGB)) / np.array(STD_RGB)
    weights = {
        # the square of a distance in three steps: |a|^2 - 2 ab + |b|^2, times -4
        "squares": np.full((17, 3, 1, 1), -4.0, np.float32),
        "mixed": (8 * wanted[:, :, None, None]).astype(np.float32),
        "own": (-4 * (wanted**2).sum(axis=1)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Mul", ["input", "input"], ["squared"]),
        helper.make_node("Conv", ["squared", "squares"], ["first"]),
        helper.make_node("Conv", ["input", "mixed", "own"], ["second"]),
        helper.make_node("Add", ["first", "second"], ["far"]),
        helper.make_node("Exp", ["far"], ["near"]),
        helper.make_node("AveragePool", ["near"], ["heat"], kernel_shape=[4, 4], strides=[4, 4]),
    ]
    inputs = [value("input", ("n", 3, 256, 192))]
    return saved(path, nodes, inputs, [value("heat", ("n", 17, 64, 48))], weights)
