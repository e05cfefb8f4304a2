"""RoIAlign and NMS: what is asked of them, and where they come from.

They are given to the nets from outside: torchvision's where it loads, else those of `plain_ops`.
"""

import importlib
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from pose_service.core.errors import EngineError
from pose_service.vitdet import plain_ops as plain


class RoiAlign(Protocol):
    """Averages bilinear samples of a map in a grid of bins per box (He et al. 2017)."""

    def __call__(
        self,
        maps: Tensor,
        rois: Tensor,
        output_size: int,
        spatial_scale: float,
        sampling_ratio: int,
        aligned: bool,
        /,
    ) -> Tensor:
        """(n, c, h, w) maps and (k, 5) rois to (k, c, output_size, output_size).

        `rois`: place in the batch, then the box xyxy in pixels. `spatial_scale`: cells per pixel.
        `sampling_ratio`: samples per bin and axis, 0 for one per cell. `aligned`: a pixel's
        centre is at its half.
        """
        ...


class Nms(Protocol):
    """Suppresses boxes that overlap a better one of the same group."""

    def __call__(
        self, boxes: Tensor, scores: Tensor, groups: Tensor, iou_threshold: float, /
    ) -> Tensor:
        """(n, 4), (n,), (n,) to the places of those kept, best score first.

        A box goes when its intersection over union with a kept one is *above* the threshold.
        """
        ...


@dataclass(frozen=True)
class Ops:
    """The two operations that plain PyTorch lacks."""

    roi_align: RoiAlign
    nms: Nms


def available_ops() -> tuple[Ops, str]:
    """torchvision's operations where they load, else our own, and words for the log on which."""
    try:
        return torchvision_ops(), "RoIAlign and NMS are torchvision's"
    except EngineError as error:
        return plain_ops(), f"RoIAlign and NMS are the plain ones: {error}"


def torchvision_ops() -> Ops:
    """Those of torchvision; `EngineError` when it does not load beside this torch."""
    try:
        ops = importlib.import_module("torchvision.ops")
    # a torchvision built for another torch fails with any of these on import
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise EngineError(
            f"the detector needs torchvision.ops, which does not load: {error}",
            hint="Install the torchvision that belongs to the installed torch: "
            "pip install -r requirements-4dhumans.txt",
        ) from error
    return Ops(roi_align=ops.roi_align, nms=ops.batched_nms)


def plain_ops() -> Ops:
    """Our own, which load everywhere."""
    return Ops(roi_align=plain.roi_align, nms=plain.nms)
