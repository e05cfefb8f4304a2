"""A net as large as RTMPose-m, with drawn weights: what it sees means nothing, what it costs does.

The build is that of the published recipe `rtmpose-m_8xb256-420e_coco-256x192` (CSPNeXt-m, batch
normalisation folded into its convolutions, SimCC head), but for the head's attention, of which only
the matrix products are there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH_PX, HEIGHT_PX, JOINTS = 192, 256, 17
_STAGES = ((96, 2), (192, 4), (384, 4), (768, 2))
"""Channels and blocks of CSPNeXt-m."""
_EMBEDDING, _EXPANDED = 256, 2 * 512 + 128


@dataclass
class _Graph:
    """Nodes and weights while they are put together; `size` is channels, rows, columns."""

    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)
    numbers: int = 0
    products: int = 0

    def add(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def weight(self, *shape: int) -> str:
        name = f"w{len(self.weights)}"
        spread = prod(shape[1:]) ** -0.5
        drawn = self.rng.normal(0, spread, shape).astype(np.float32)
        self.weights.append(numpy_helper.from_array(drawn, name))
        self.numbers += drawn.size
        return name

    def indices(self, *numbers: int) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array(numbers, np.int64), name))
        return name

    def silu(self, x: str) -> str:
        return self.add("Mul", [x, self.add("Sigmoid", [x])])


@dataclass(frozen=True)
class _Maps:
    """A tensor of the net: its name and its size."""

    name: str
    channels: int
    rows: int
    columns: int


def save_stand_in(path: Path) -> tuple[float, float]:
    """Write the net to `path`; millions of its weights, and thousand millions of its products."""
    graph = _Graph()
    maps = _Maps("input", 3, HEIGHT_PX, WIDTH_PX)
    for channels, stride in ((24, 2), (24, 1), (48, 1)):
        maps = _conv(graph, maps, channels, 3, stride)
    for index, (channels, blocks) in enumerate(_STAGES):
        maps = _conv(graph, maps, channels, 3, 2)
        if index == len(_STAGES) - 1:
            maps = _pyramid(graph, maps)
        # the last stage has no shortcuts, which costs the same
        maps = _csp(graph, maps, blocks)
    outputs = _head(graph, maps)
    _write(path, graph, outputs)
    return graph.numbers / 1e6, graph.products / 1e9


def _conv(graph: _Graph, x: _Maps, channels: int, kernel: int, stride: int = 1) -> _Maps:
    return _activated(graph, _bare_conv(graph, x, channels, kernel, stride=stride))


def _activated(graph: _Graph, x: _Maps) -> _Maps:
    return _Maps(graph.silu(x.name), x.channels, x.rows, x.columns)


def _bare_conv(
    graph: _Graph, x: _Maps, channels: int, kernel: int, *, stride: int = 1, groups: int = 1
) -> _Maps:
    weight = graph.weight(channels, x.channels // groups, kernel, kernel)
    pads = [kernel // 2] * 4
    name = graph.add(
        "Conv", [x.name, weight, graph.weight(channels)], group=groups,
        kernel_shape=[kernel, kernel], pads=pads, strides=[stride, stride],
    )  # fmt: skip
    rows, columns = x.rows // stride, x.columns // stride
    graph.products += rows * columns * channels * (x.channels // groups) * kernel**2
    return _Maps(name, channels, rows, columns)


def _csp(graph: _Graph, x: _Maps, blocks: int) -> _Maps:
    """Half of the channels goes through the blocks, half past them; then attention to channels."""
    half = x.channels // 2
    short, main = _conv(graph, x, half, 1), _conv(graph, x, half, 1)
    for _ in range(blocks):
        inner = _conv(graph, main, half, 3)
        inner = _activated(graph, _bare_conv(graph, inner, half, 5, groups=half))
        inner = _conv(graph, inner, half, 1)
        main = _Maps(graph.add("Add", [main.name, inner.name]), half, x.rows, x.columns)
    both = graph.add("Concat", [main.name, short.name], axis=1)
    joined = _Maps(both, x.channels, x.rows, x.columns)
    mean = _Maps(graph.add("GlobalAveragePool", [both]), x.channels, 1, 1)
    gate = graph.add("HardSigmoid", [_bare_conv(graph, mean, x.channels, 1).name])
    weighted = graph.add("Mul", [joined.name, gate])
    return _conv(graph, _Maps(weighted, x.channels, x.rows, x.columns), x.channels, 1)


def _pyramid(graph: _Graph, x: _Maps) -> _Maps:
    """Maxima over three neighbourhoods beside what they are taken of."""
    half = _conv(graph, x, x.channels // 2, 1)
    pools = [
        graph.add("MaxPool", [half.name], kernel_shape=[k, k], pads=[k // 2] * 4, strides=[1, 1])
        for k in (5, 9, 13)
    ]
    name = graph.add("Concat", [half.name, *pools], axis=1)
    return _conv(graph, _Maps(name, 4 * half.channels, x.rows, x.columns), x.channels, 1)


def _head(graph: _Graph, x: _Maps) -> tuple[str, str]:
    """A map for each joint, stretched into a row of numbers, to its two curves."""
    joints = _bare_conv(graph, x, JOINTS, 7)
    places = joints.rows * joints.columns
    rows = graph.add("Reshape", [joints.name, graph.indices(0, JOINTS, places)])
    row = _product(graph, rows, places, _EMBEDDING)
    wide = graph.silu(_product(graph, row, _EMBEDDING, _EXPANDED))
    half = graph.add(
        "Slice", [wide, graph.indices(0), graph.indices(2 * _EMBEDDING), graph.indices(2)]
    )
    row = graph.add("Add", [row, _product(graph, half, 2 * _EMBEDDING, _EMBEDDING)])
    curves = [_product(graph, row, _EMBEDDING, 2 * side) for side in (WIDTH_PX, HEIGHT_PX)]
    return curves[0], curves[1]


def _product(graph: _Graph, x: str, width_in: int, width_out: int) -> str:
    graph.products += JOINTS * width_in * width_out
    return graph.add("MatMul", [x, graph.weight(width_in, width_out)])


def _write(path: Path, graph: _Graph, outputs: tuple[str, str]) -> None:
    picture = helper.make_tensor_value_info(
        "input", TensorProto.FLOAT, ["batch", 3, HEIGHT_PX, WIDTH_PX]
    )
    curves = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", JOINTS, 2 * side])
        for name, side in zip(outputs, (WIDTH_PX, HEIGHT_PX), strict=True)
    ]
    whole = helper.make_graph(graph.nodes, "stand_in", [picture], curves, graph.weights)
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(whole, opset_imports=opsets, ir_version=8)
    path.write_bytes(model.SerializeToString())
