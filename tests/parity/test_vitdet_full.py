"""The official sizes with stand-in weights, against the reference run on 1080 x 1920 pixels.

Needs 8 GB of memory and minutes of time: `bash scripts/test.sh -m full`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from standin import uniform
from standin_vitdet import (
    OPS,
    Array,
    Trace,
    golden,
    manifest,
    picture_rgb,
    sample,
    weight,
    weights,
    worst,
)
from torch import Tensor

from pose_service.vitdet.attention import split_windows, window_places
from pose_service.vitdet.backbone import Block, PatchEmbedding
from pose_service.vitdet.checkpoint import build, load
from pose_service.vitdet.config import DetectionRules, VitDetConfig
from pose_service.vitdet.model import Findings, VitDet
from pose_service.vitdet.placing import place_boxes
from pose_service.vitdet.positions import absolute
from pose_service.vitdet.prepare import canvas, resize
from pose_service.vitdet.proposals import select_proposals

pytestmark = pytest.mark.full

OFFICIAL = VitDetConfig()
SIZE_HW = (576, 1024)
BLOCKS = (0, 7, 15, 23, 31)


@dataclass(frozen=True)
class FullRun:
    """The whole model, what its watched modules gave, and what came out."""

    model: VitDet
    trace: Trace
    found: Findings


@pytest.fixture(scope="module")
def run() -> Iterator[FullRun]:
    rules = DetectionRules(score_over=0.05)
    model = build(replace(OFFICIAL, detections=rules), weights("full"), OPS)
    watched = {"proposal_generator", "proposal_generator.rpn_head"}
    watched |= {f"backbone.net.blocks.{place}" for place in BLOCKS}
    trace = Trace(model, watched)
    side = OFFICIAL.canvas_px
    with torch.inference_mode():
        pixels = canvas([resize(picture_rgb(1080, 1920), side)], side, torch.device("cpu"))
        yield FullRun(model, trace, model(pixels, [SIZE_HW]))


@pytest.mark.parametrize("place", [0, 7])
@torch.inference_mode()
def test_one_block_of_the_official_size(place: int) -> None:
    wanted = golden("golden_full_backbone")
    block = _block(place)
    trace = Trace(block, {"attn"})
    got = block(torch.from_numpy(uniform("input.block", (1, 64, 64, 1280))))
    # another backend: 8.3e-7; a norm with PyTorch's own epsilon: 5.7e-5
    assert worst(sample(got), wanted[f"block_{place}_out"]) <= 1e-5
    moments = torch.stack([got.double().mean(), got.double().std()])
    assert worst(moments, wanted[f"block_{place}_mean_std"]) <= 1e-6
    attended = trace.out["attn"][0]
    if place == 7:
        assert worst(sample(attended), wanted["block_7_attn_out"]) <= 1e-5
    else:
        window = attended[0, :14, 3 * 14 : 4 * 14]
        assert worst(window[::5, ::5, ::40], wanted["block_0_attn_win3"]) <= 1e-5


@torch.inference_mode()
def test_patches_and_positions_of_the_official_size() -> None:
    wanted, net = golden("golden_full_backbone"), "backbone.net"
    patches = PatchEmbedding(16, 1280)
    load(patches, _weights_below(f"{net}.patch_embed."))
    name = f"{net}.pos_embed"
    positions = absolute(torch.from_numpy(weight(name, manifest("full")[name])), 64, 64)
    assert worst(sample(positions), wanted["pos_embed_64x64"]) <= 1e-5
    tokens = patches(torch.from_numpy(uniform("input.image", (1, 3, 1024, 1024)))) + positions
    assert worst(sample(tokens), wanted["embed_plus_pos"]) <= 1e-5


def test_64_rows_of_tokens_make_25_windows() -> None:
    tokens, places = torch.zeros(1, 64, 64, 1), window_places(64, 64, 14)
    assert split_windows(tokens, places, 14, torch.zeros(1)).shape == (25, 14, 14, 1)


@pytest.mark.parametrize("place", BLOCKS)
def test_tokens_after_the_watched_blocks(run: FullRun, place: int) -> None:
    got = sample(run.trace.out[f"backbone.net.blocks.{place}"][0])
    # attention in another exact form: 1.4e-5 after the last block
    assert worst(got, _full(f"block_{place}")) <= 5e-5


@pytest.mark.parametrize("place", range(5))
def test_levels_and_what_the_proposal_head_says_of_them(run: FullRun, place: int) -> None:
    logits, deltas = run.trace.out["proposal_generator.rpn_head"][place]
    level = f"p{place + 2}"
    assert worst(sample(run.found.levels[place]), _full(level)) <= 5e-5
    assert worst(sample(logits), _full(f"rpn_logits_{level}")) <= 5e-5
    assert worst(sample(deltas), _full(f"rpn_deltas_{level}")) <= 5e-5


def test_proposals_as_a_set(run: FullRun) -> None:
    candidates = [level.of(0) for level in run.trace.out["proposal_generator"][0]]
    got = select_proposals(candidates, SIZE_HW, OFFICIAL.proposals, OPS.nms)
    # neighbouring logits are as near as 4.8e-7, so the order may differ
    away = _distances(got.boxes, _full("proposal_boxes"))
    assert float(away.min(dim=0).values.max()) <= 0.05
    assert float(away.min(dim=1).values.max()) <= 0.05
    assert worst(got.logits.sort().values, np.sort(_full("proposal_logits"))) <= 5e-5


@pytest.mark.parametrize("stage", range(3))
def test_a_stage_on_the_reference_boxes(run: FullRun, stage: int) -> None:
    heads = run.model.roi_heads
    boxes = torch.from_numpy(_full(f"stage{stage}_in_boxes"))
    features = heads.box_head[stage](heads.pool(run.found.levels, [boxes], 7))
    logits, deltas = heads.box_predictor[stage](features)
    assert worst(logits[::5], _full(f"stage{stage}_logits_every5th")) <= 1e-4
    assert worst(deltas, _full(f"stage{stage}_deltas")) <= 1e-4


def test_detections_in_their_order(run: FullRun) -> None:
    (got,) = run.found.pictures
    assert got.classes.tolist() == _full("det_classes").tolist()
    assert worst(got.boxes, _full("det_boxes_resized")) <= 2e-2
    assert worst(got.scores, _full("det_scores")) <= 1e-4
    placed = place_boxes(got.boxes, SIZE_HW, (1080, 1920))
    assert worst(placed, _full("final_boxes")) <= 4e-2


def test_masks_of_the_people(run: FullRun) -> None:
    boxes = torch.from_numpy(_full("det_boxes_resized")[_full("mask_det_rows")])
    people = torch.zeros(len(boxes), dtype=torch.int64)
    (logits,) = run.model.roi_heads.masks(run.found.levels, [boxes], [people])
    assert worst(logits, _full("mask_logits")) <= 1e-4


def _block(place: int) -> Block:
    config = OFFICIAL.backbone
    block = Block(config, 0 if place in config.global_blocks else config.window)
    load(block, _weights_below(f"backbone.net.blocks.{place}."))
    return block


def _weights_below(prefix: str) -> dict[str, Array]:
    return {
        name.removeprefix(prefix): weight(name, shape)
        for name, shape in manifest("full").items()
        if name.startswith(prefix)
    }


def _distances(boxes: Tensor, wanted: Array) -> Tensor:
    """(n, m) the largest difference of a coordinate between each two boxes."""
    return (boxes[:, None] - torch.from_numpy(wanted)[None]).abs().amax(dim=2)


def _full(key: str) -> Array:
    return golden("golden_full_model")[key]
