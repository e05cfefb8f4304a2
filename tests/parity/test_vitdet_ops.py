"""Where RoIAlign and NMS come from, and that their stand-ins do as torchvision's."""

import sys
from types import SimpleNamespace

import pytest
import torch
from standin_vitdet import iou, nms, roi_align

from pose_service.core.errors import EngineError
from pose_service.vitdet.ops import torchvision_ops


def test_torchvision_that_does_not_load_is_an_error_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.ops", None)
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(EngineError, match=r"needs torchvision\.ops") as refused:
        torchvision_ops()
    assert "requirements-4dhumans.txt" in refused.value.hint


def test_the_operations_are_torchvisions(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(roi_align=object(), batched_nms=object())
    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace(ops=module))
    monkeypatch.setitem(sys.modules, "torchvision.ops", module)
    ops = torchvision_ops()
    assert ops.roi_align is module.roi_align
    assert ops.nms is module.batched_nms


def test_the_stand_in_pools_a_ramp_to_the_middle_of_every_bin() -> None:
    ramp = torch.arange(20.0).repeat(20, 1)[None, None]
    roi = torch.tensor([[0.0, 8, 8, 64, 64]])
    # 56 pixels are 14 cells: bins of 2, from cell 2 - 0.5
    pooled = roi_align(ramp, roi, 7, 0.25, 0, True)
    assert pooled[0, 0, 0].tolist() == pytest.approx([2.5, 4.5, 6.5, 8.5, 10.5, 12.5, 14.5])
    assert torch.equal(pooled[0, 0, 0], pooled[0, 0, 6])
    unaligned = roi_align(ramp, roi, 7, 0.25, 0, False)
    assert unaligned[0, 0, 0].tolist() == pytest.approx([3, 5, 7, 9, 11, 13, 15])


def test_the_stand_in_pools_nothing_from_an_empty_box_and_zero_outside() -> None:
    ones = torch.ones(1, 1, 8, 8)
    rois = torch.tensor([[0.0, 16, 16, 16, 16], [0, 64, 64, 92, 92]])
    pooled = roi_align(ones, rois, 7, 0.25, 0, True)
    assert float(pooled.abs().max()) == 0


def test_the_stand_in_suppresses_above_the_threshold_only() -> None:
    boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 2], [0, 0, 4, 3], [0, 0, 4, 4]])
    assert iou(boxes[0], boxes).tolist() == [1, 0.5, 0.75, 1]
    scores, groups = torch.tensor([0.9, 0.8, 0.7, 0.6]), torch.tensor([0, 0, 0, 1])
    assert nms(boxes, scores, groups, 0.5).tolist() == [0, 1, 3]
