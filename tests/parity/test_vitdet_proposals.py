"""Anchors, the proposal head, decoding and the selection of proposals."""

import numpy as np
import pytest
import torch
from standin_vitdet import OPS, Array, golden, tiny_model, tiny_trace, worst

from pose_service.vitdet.anchors import cell_anchors, level_anchors
from pose_service.vitdet.boxes import decode
from pose_service.vitdet.cascade import STAGE_WEIGHTS
from pose_service.vitdet.config import ProposalRules, VitDetConfig
from pose_service.vitdet.plain_ops import nms
from pose_service.vitdet.proposals import Proposals, flat_deltas, flat_logits, select_proposals

LEVELS = tuple(enumerate(("p2", "p3", "p4", "p5", "p6")))
PLAIN = (1.0, 1.0, 1.0, 1.0)


def test_cell_anchors_are_the_official_ones() -> None:
    got = torch.stack([cell_anchors(size) for size in VitDetConfig().anchor_sizes_px])
    assert np.array_equal(got.numpy(), golden("golden_units")["cell_anchors_full"])


@pytest.mark.parametrize(("place", "level"), LEVELS)
def test_full_size_anchors_stand_at_the_corners_of_their_cells(place: int, level: str) -> None:
    units, config = golden("golden_units"), VitDetConfig()
    stride = config.strides_px[place]
    cells = config.canvas_px // stride
    anchors = level_anchors(cells, cells, stride, config.anchor_sizes_px[place])
    assert len(anchors) == units["anchor_counts_full"][place]
    sample = anchors[:: max(1, len(anchors) // 50)][:60]
    assert np.array_equal(sample.numpy(), units[f"anchors_full_{level}_sample"])


@pytest.mark.parametrize(("place", "level"), LEVELS)
def test_tiny_anchors(place: int, level: str) -> None:
    assert np.array_equal(_anchors(place).numpy()[:600], _tiny(f"anchors_{level}"))


@pytest.mark.parametrize(("place", "level"), LEVELS)
def test_the_head_speaks_of_every_level(place: int, level: str) -> None:
    logits, deltas = tiny_trace().out["proposal_generator.rpn_head"][place]
    # another backend: 7.0e-6
    assert worst(logits, _tiny(f"rpn_logits_{level}")) <= 5e-5
    assert worst(deltas, _tiny(f"rpn_deltas_{level}")) <= 5e-5


@pytest.mark.parametrize(("place", "level"), [(2, "p4"), (4, "p6")])
def test_deltas_move_the_anchors(place: int, level: str) -> None:
    _, deltas = tiny_trace().out["proposal_generator.rpn_head"][place]
    boxes = decode(flat_deltas(deltas)[0], _anchors(place), PLAIN)
    # another backend: 4.6e-4 px
    assert worst(boxes, _tiny(f"rpn_decoded_{level}")) <= 5e-3


def test_logits_and_deltas_are_flattened_in_the_order_of_the_anchors() -> None:
    y, x, ratio = 1, 2, 1
    logits = torch.zeros(2, 3, 2, 3)
    logits[1, ratio, y, x] = 7
    deltas = torch.zeros(2, 12, 2, 3)
    deltas[1, ratio * 4 : ratio * 4 + 4, y, x] = torch.arange(1.0, 5)
    place = (y * 3 + x) * 3 + ratio
    assert flat_logits(logits).nonzero().tolist() == [[1, place]]
    assert flat_deltas(deltas)[1, place].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(("place", "weights"), tuple(enumerate((PLAIN, *STAGE_WEIGHTS))))
def test_the_box_coder_of_every_stage(
    place: int, weights: tuple[float, float, float, float]
) -> None:
    units = golden("golden_units")
    deltas, boxes = (torch.from_numpy(units[f"coder_{name}"]) for name in ("deltas", "src"))
    # coordinates reach 1.3e4, where float32 steps are 1e-3
    assert worst(decode(deltas, boxes, weights), units[f"coder_out_{place}"]) <= 1e-2


def test_half_precision_deltas_are_decoded_in_single_precision() -> None:
    deltas, boxes = torch.zeros(1, 4, dtype=torch.bfloat16), torch.tensor([[1000.0, 0, 1003, 5]])
    assert torch.equal(decode(deltas, boxes, PLAIN), boxes)


def test_proposals_with_values_that_are_not_finite_or_lie_outside() -> None:
    units = golden("golden_units")
    levels = []
    for place in range(2):
        logits = torch.from_numpy(units[f"prop_in_logits{place}"])
        best, rows = logits.topk(min(100, len(logits)))
        levels.append(Proposals(torch.from_numpy(units[f"prop_in_boxes{place}"])[rows], best))
    got = select_proposals(levels, (150, 200), ProposalRules(keep=60), nms)
    # nothing but clipping touches the numbers
    assert worst(got.boxes, units["prop_out_boxes"]) <= 1e-3
    assert worst(got.logits, units["prop_out_logits"]) <= 1e-6


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_box_that_is_not_finite_is_not_clipped_to_the_picture_but_dropped(bad: float) -> None:
    boxes = torch.tensor([[0.0, 0, 9, 9], [0, 0, bad, 9], [10, 10, 20, 20]])
    logits = torch.tensor([1.0, 3, bad])
    got = select_proposals([Proposals(boxes, logits)], (20, 20), ProposalRules(), nms)
    assert got.boxes.tolist() == [[0, 0, 9, 9]]


def test_levels_do_not_suppress_each_other_but_boxes_of_one_level_do() -> None:
    box = torch.tensor([[0.0, 0, 10, 10]])
    one = Proposals(box, torch.tensor([1.0]))
    twice = Proposals(box.repeat(2, 1), torch.tensor([3.0, 2.0]))
    got = select_proposals([one, twice], (20, 20), ProposalRules(), nms)
    assert got.logits.tolist() == [3, 1]


def test_a_picture_without_usable_candidates_has_no_proposals() -> None:
    outside = Proposals(torch.tensor([[30.0, 0, 40, 10]]), torch.tensor([1.0]))
    got = select_proposals([outside], (20, 20), ProposalRules(), nms)
    assert got.boxes.shape == (0, 4)


def test_the_tiny_proposals_in_their_order() -> None:
    levels = tiny_trace().out["backbone"][0]
    candidates = [level.of(0) for level in tiny_model().proposal_generator(levels)]
    got = select_proposals(candidates, (183, 256), tiny_model().config.proposals, OPS.nms)
    # another backend: 2.0e-4 px; neighbouring logits are 2.3e-4 apart, so the order is certain
    assert worst(got.boxes, _tiny("proposal_boxes")) <= 5e-3
    assert worst(got.logits, _tiny("proposal_logits")) <= 5e-5


def _anchors(place: int) -> torch.Tensor:
    config = tiny_model().config
    cells = config.canvas_px // config.strides_px[place]
    return level_anchors(cells, cells, config.strides_px[place], config.anchor_sizes_px[place])


def _tiny(key: str) -> Array:
    return golden("golden_tiny")[key]
