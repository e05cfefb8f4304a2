"""Where RoIAlign and NMS come from, and that our own do as torchvision's."""

import sys
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from pose_service.core.errors import EngineError
from pose_service.vitdet.ops import Ops, available_ops, plain_ops, torchvision_ops
from pose_service.vitdet.plain_ops import iou, nms, roi_align


@pytest.fixture
def without_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.ops", None)
    monkeypatch.setitem(sys.modules, "torchvision", None)


@pytest.fixture
def torchvisions() -> Ops:
    """torchvision's own, where it loads beside this torch."""
    try:
        return torchvision_ops()
    except EngineError as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("without_torchvision")
def test_torchvision_that_does_not_load_is_an_error_with_a_remedy() -> None:
    with pytest.raises(EngineError, match=r"needs torchvision\.ops") as refused:
        torchvision_ops()
    assert "requirements-4dhumans.txt" in refused.value.hint


@pytest.mark.usefixtures("without_torchvision")
def test_our_own_operations_stand_in_where_torchvision_does_not_load() -> None:
    ops, words = available_ops()
    assert ops == plain_ops()
    assert "the plain ones" in words
    assert "does not load" in words


def test_the_operations_are_torchvisions(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(roi_align=object(), batched_nms=object())
    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace(ops=module))
    monkeypatch.setitem(sys.modules, "torchvision.ops", module)
    ops, words = available_ops()
    assert ops.roi_align is module.roi_align
    assert ops.nms is module.batched_nms
    assert "torchvision's" in words


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("sampling_ratio", [0, 2])
def test_torchvision_pools_the_same(torchvisions: Ops, aligned: bool, sampling_ratio: int) -> None:
    maps = _random(2, 5, 32, 40)
    rois = torch.cat([torch.arange(60).remainder(2)[:, None], _boxes(60)], dim=1)
    wanted = torchvisions.roi_align(maps, rois, 7, 0.25, sampling_ratio, aligned)
    got = roi_align(maps, rois, 7, 0.25, sampling_ratio, aligned)
    # the order of the sums
    assert float((got - wanted).abs().max()) <= 1e-5


def test_torchvision_keeps_the_same(torchvisions: Ops) -> None:
    boxes, scores = _boxes(400), _random(400)
    groups = torch.arange(400).remainder(3)
    assert torch.equal(
        nms(boxes, scores, groups, 0.3), torchvisions.nms(boxes, scores, groups, 0.3)
    )


def test_a_ramp_is_pooled_to_the_middle_of_every_bin() -> None:
    ramp = torch.arange(20.0).repeat(20, 1)[None, None]
    roi = torch.tensor([[0.0, 8, 8, 64, 64]])
    # 56 pixels are 14 cells: bins of 2, from cell 2 - 0.5
    pooled = roi_align(ramp, roi, 7, 0.25, 0, True)
    assert pooled[0, 0, 0].tolist() == pytest.approx([2.5, 4.5, 6.5, 8.5, 10.5, 12.5, 14.5])
    assert torch.equal(pooled[0, 0, 0], pooled[0, 0, 6])
    unaligned = roi_align(ramp, roi, 7, 0.25, 0, False)
    assert unaligned[0, 0, 0].tolist() == pytest.approx([3, 5, 7, 9, 11, 13, 15])


def test_nothing_comes_from_an_empty_box_and_zero_from_outside() -> None:
    ones = torch.ones(1, 1, 8, 8)
    rois = torch.tensor([[0.0, 16, 16, 16, 16], [0, 64, 64, 92, 92], [0, 24, 24, 8, 8]])
    pooled = roi_align(ones, rois, 7, 0.25, 0, True)
    assert float(pooled.abs().max()) == 0


def test_only_overlap_above_the_threshold_suppresses() -> None:
    boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 2], [0, 0, 4, 3], [0, 0, 4, 4]])
    assert iou(boxes[:1], boxes).tolist() == [[1, 0.5, 0.75, 1]]
    scores, groups = torch.tensor([0.9, 0.8, 0.7, 0.6]), torch.tensor([0, 0, 0, 1])
    assert nms(boxes, scores, groups, 0.5).tolist() == [0, 1, 3]


def test_a_box_beyond_the_map_is_pooled_as_if_the_edge_went_on_for_one_cell() -> None:
    ramp = torch.arange(8.0).repeat(8, 1)[None, None]
    # seven bins of two cells each, from cell -7 on, two samples per bin
    pooled = roi_align(ramp, torch.tensor([[0.0, -6.5, 0, 7.5, 14]]), 7, 1.0, 0, True)
    wanted = [0, 0, 0, (0 + 0.5) / 2, (1.5 + 2.5) / 2, (3.5 + 4.5) / 2, (5.5 + 6.5) / 2]
    assert pooled[0, 0, 2].tolist() == pytest.approx(wanted)


def test_no_boxes_are_pooled_and_kept_as_no_boxes() -> None:
    assert roi_align(torch.ones(1, 3, 8, 8), torch.zeros(0, 5), 7, 0.25, 0, True).shape == (
        0, 3, 7, 7,
    )  # fmt: skip
    assert nms(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0), 0.5).shape == (0,)


def test_a_suppressed_box_suppresses_nothing() -> None:
    # each overlaps the next by two thirds and the one after that by a third
    boxes = torch.tensor([[float(x), 0, x + 6, 1] for x in range(0, 20, 2)])
    kept = nms(boxes, torch.linspace(1, 0, 10), torch.zeros(10), 0.4)
    assert kept.tolist() == [0, 2, 4, 6, 8]


def test_suppression_is_that_of_taking_the_best_box_by_box() -> None:
    boxes, scores = _boxes(400), _random(400)
    groups = torch.arange(400).remainder(3)
    kept: list[int] = []
    for place in scores.argsort(descending=True).tolist():
        overlaps = iou(boxes[place : place + 1], boxes[kept])[0] > 0.3
        if not bool((overlaps & (groups[kept] == groups[place])).any()):
            kept.append(place)
    assert len(kept) < 300
    assert nms(boxes, scores, groups, 0.3).tolist() == kept


def _random(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(7))


def _boxes(count: int) -> Tensor:
    """Boxes of 5 to 100 pixels on and around a picture of 160 x 128, some of them empty."""
    centre, size = _random(2, count, 2) * torch.tensor([160.0, 128])
    size[: count // 20] = 0
    return torch.cat([centre - size / 3, centre + size / 3], dim=1)
