"""The three box heads: each on the reference run's own boxes, then one after the other.

On given boxes another convolution backend moves these arrays by at most 1.2e-5. End to end the
boxes that go into a stage differ by up to 1e-3 px, which moves logits by up to 7.2e-4.
"""

import numpy as np
import pytest
import torch
from standin_vitdet import Array, golden, tiny_model, tiny_trace, worst

from pose_service.vitdet.boxes import clip, decode, pyramid_level
from pose_service.vitdet.cascade import STAGE_WEIGHTS

STAGES = range(3)
SIZE_HW = (183, 256)


def test_the_level_that_a_box_is_pooled_from() -> None:
    units = golden("golden_units")
    got = pyramid_level(torch.from_numpy(units["level_boxes"]), 224)
    assert got.tolist() == units["level_index"].tolist()


@pytest.mark.parametrize("stage", STAGES)
def test_levels_of_the_boxes_that_enter_a_stage(stage: int) -> None:
    got = pyramid_level(_box_tensor(f"stage{stage}_in_boxes"), 56)
    assert got.tolist() == _tiny(f"stage{stage}_levels").tolist()


def test_pooled_features_of_the_first_boxes() -> None:
    pooled = tiny_model().roi_heads.pool(_levels(), [_box_tensor("stage0_in_boxes")], 7)
    assert worst(pooled[:8], _tiny("stage0_pooled_first8")) <= 1e-4


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_on_the_reference_boxes(stage: int) -> None:
    heads, boxes = tiny_model().roi_heads, _box_tensor(f"stage{stage}_in_boxes")
    features = heads.box_head[stage](heads.pool(_levels(), [boxes], 7))
    logits, deltas = heads.box_predictor[stage](features)
    assert worst(features, _tiny(f"stage{stage}_fc")) <= 1e-4
    assert worst(logits, _tiny(f"stage{stage}_logits")) <= 1e-4
    assert worst(deltas, _tiny(f"stage{stage}_deltas")) <= 1e-4


@pytest.mark.parametrize("stage", STAGES)
def test_the_boxes_of_a_stage_from_the_reference_deltas(stage: int) -> None:
    deltas, boxes = (_box_tensor(f"stage{stage}_{name}") for name in ("deltas", "in_boxes"))
    moved = decode(deltas, boxes, STAGE_WEIGHTS[stage])
    assert worst(moved, _tiny(f"stage{stage}_boxes")) <= 1e-3


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_gives_probabilities_and_boxes_that_are_not_clipped(stage: int) -> None:
    heads = tiny_model().roi_heads
    scores, (boxes,) = heads.stage(stage, _levels(), [_box_tensor(f"stage{stage}_in_boxes")])
    assert worst(boxes, _tiny(f"stage{stage}_boxes")) <= 1e-3
    assert worst(scores, _softmax(_tiny(f"stage{stage}_logits"))) <= 1e-4


@pytest.mark.parametrize("stage", (1, 2))
def test_a_stage_starts_from_the_clipped_boxes_of_the_one_before(stage: int) -> None:
    before = clip(_box_tensor(f"stage{stage - 1}_boxes"), *SIZE_HW)
    # only minus zero and zero may differ
    assert worst(before, _tiny(f"stage{stage}_in_boxes")) == 0


@pytest.mark.parametrize("stage", STAGES)
def test_the_cascade_end_to_end(stage: int) -> None:
    trace = tiny_trace()
    features = trace.out[f"roi_heads.box_head.{stage}"][0]
    logits, deltas = trace.out[f"roi_heads.box_predictor.{stage}"][0]
    assert worst(features, _tiny(f"stage{stage}_fc")) <= 2e-3
    assert worst(logits, _tiny(f"stage{stage}_logits")) <= 2e-3
    assert worst(deltas, _tiny(f"stage{stage}_deltas")) <= 2e-3


def test_the_mean_of_the_probabilities_and_the_last_boxes_come_out() -> None:
    proposals = _box_tensor("proposal_boxes")
    ((boxes, scores),) = tiny_model().roi_heads(_levels(), [proposals], [SIZE_HW])
    assert worst(scores, _tiny("mean_scores")) <= 1e-4
    assert worst(boxes, _tiny("stage2_boxes")) <= 2e-2


def test_pictures_in_a_batch_keep_their_own_boxes() -> None:
    levels = tuple(torch.cat([level, level.flip(3)]) for level in _levels())
    proposals = _box_tensor("proposal_boxes")
    heads = tiny_model().roi_heads
    together = heads(levels, [proposals[:5], proposals[:9]], [SIZE_HW, (256, 200)])
    alone = heads([level[1:] for level in levels], [proposals[:9]], [(256, 200)])
    for got, wanted in zip(together[1], alone[0], strict=True):
        # a larger batch may choose another kernel
        assert worst(got, wanted.numpy()) <= 1e-3
    assert worst(together[0][1], _tiny("mean_scores")[:5]) <= 1e-4


def test_an_empty_box_stays_in_its_row() -> None:
    proposals = torch.tensor([[0.0, 0, 50, 50], [256, 20, 256, 20]])
    ((boxes, scores),) = tiny_model().roi_heads(_levels(), [proposals], [SIZE_HW])
    assert (len(boxes), len(scores)) == (2, 2)
    assert bool(scores.isfinite().all())


def test_features_in_half_precision_are_pooled_from_boxes_in_single_precision() -> None:
    half = [level.bfloat16() for level in _levels()]
    boxes, pool = [_box_tensor("stage0_in_boxes")], tiny_model().roi_heads.pool
    wanted = pool([level.float() for level in half], boxes, 7).bfloat16()
    assert torch.equal(pool(half, boxes, 7), wanted)


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    normed: Array = powers / powers.sum(axis=1, keepdims=True)
    return normed


def _levels() -> tuple[torch.Tensor, ...]:
    levels: tuple[torch.Tensor, ...] = tiny_trace().out["backbone"][0]
    return levels


def _box_tensor(key: str) -> torch.Tensor:
    return torch.from_numpy(_tiny(key))


def _tiny(key: str) -> Array:
    return golden("golden_tiny")[key]
