"""ONNX files opened as what they are wanted as: by their outline first, then by a first run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose_service.pose2d.layouts import Kind, Layout, Shape, in_words, layout_of, size_of
from pose_service.pose2d.session import OnnxNet, Seat
from pose_service.runtime.opening.content import WantedFile
from pose_service.runtime.opening.onnx_outline import FLOAT, FLOAT16, Value, outline_of


@dataclass(frozen=True)
class NetFile:
    """A kind of file: what it is for, which nets may be in it, and their size where it is open."""

    wanted: WantedFile
    kinds: tuple[Kind, ...]
    usual_px: tuple[int, int]

    def check(self, path: Path) -> Layout:
        """The layout that the outline of `path` allows; `EngineError` for a file of another net.

        Nothing is run, and onnxruntime is not needed.
        """
        outline = outline_of(path, self.wanted)
        if len(outline.inputs) != 1 or outline.inputs[0].element not in (FLOAT, FLOAT16):
            raise self.wanted.error(path, f"one input of pictures was expected; it {outline}")
        size_px = self._size_px(path, outline.inputs[0])
        return self._layout(path, size_px, [value.shape for value in outline.outputs])

    def open(self, path: Path, seat: Seat) -> tuple[OnnxNet, Layout]:
        """`path` loaded and run once on black pictures, which shows what the outline left open."""
        size_px = self.check(path).size_px
        net = OnnxNet(path, seat, self.wanted)
        # two, where it takes any number: not every file that says so does
        count = net.fixed_batch or min(2, seat.batch)
        outputs = net.run(np.zeros((count, 3, size_px[1], size_px[0]), np.float32))
        layout = self._layout(path, size_px, [output.shape for output in outputs])
        read = [outputs[index] for index in layout.outputs]
        if any(len(output) != count for output in read):
            came = ", ".join(str(output.shape) for output in read)
            raise self.wanted.error(path, f"of {count} pictures it tells {came}")
        return net, layout

    def _size_px(self, path: Path, value: Value) -> tuple[int, int]:
        try:
            return size_of(value, self.usual_px)
        except ValueError as error:
            raise self.wanted.error(path, str(error)) from error

    def _layout(self, path: Path, size_px: tuple[int, int], shapes: Sequence[Shape]) -> Layout:
        layout = layout_of(size_px, shapes, self.kinds)
        if layout is None:
            came = ", ".join(map(str, shapes)) or "none"
            raise self.wanted.error(
                path,
                f"of pictures of {size_px[0]} x {size_px[1]} the outputs "
                f"{in_words(size_px, self.kinds)} were expected, got {came}",
            )
        return layout
