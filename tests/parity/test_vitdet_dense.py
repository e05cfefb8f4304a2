"""The part with fixed shapes, compiled, on other devices and in half types; and work left out."""

import re
from collections.abc import Iterator

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from standin_vitdet import OPS, TINY, picture_rgb, tiny_model, weights
from torch import Tensor

from pose_service.vitdet.attention import Attention
from pose_service.vitdet.checkpoint import build, load
from pose_service.vitdet.detector import Detections, detect
from pose_service.vitdet.model import VitDet
from pose_service.vitdet.plain_ops import iou
from pose_service.vitdet.prepare import canvas, resize

CPU = torch.device("cpu")


@pytest.fixture
def sure_model() -> VitDet:
    """The tiny model whose stages agree, and mostly on background, as trained ones do."""
    arrays = weights("tiny")
    for name in arrays:
        if re.search(r"box_(head|predictor)\.", name):
            arrays[name] = arrays[re.sub(r"(box_\w+)\.[12]", r"\1.0", name)].copy()
    for stage in range(3):
        arrays[f"roi_heads.box_predictor.{stage}.cls_score.weight"] *= 2
        arrays[f"roi_heads.box_predictor.{stage}.cls_score.bias"][-1] += 8
    return build(TINY, arrays, OPS)


@pytest.fixture
def fresh_compiler() -> Iterator[None]:
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.usefixtures("fresh_compiler")
@torch.inference_mode()
def test_the_dense_part_is_one_graph() -> None:
    pixels = _canvas().repeat(2, 1, 1, 1)
    compiled = torch.compile(tiny_model().dense, backend="eager", fullgraph=True)(pixels)
    plain = tiny_model().dense(pixels)
    for got, wanted in zip(compiled.levels, plain.levels, strict=True):
        assert torch.equal(got, wanted)
    for mine, other in zip(compiled.candidates, plain.candidates, strict=True):
        assert torch.equal(mine.boxes, other.boxes)
        assert torch.equal(mine.logits, other.logits)


@torch.inference_mode()
def test_the_dense_part_makes_every_tensor_on_the_device_of_its_input() -> None:
    with torch.device("meta"):
        model = VitDet(TINY, OPS)
    load(model, weights("tiny"), torch.device("meta"))
    # a tensor from elsewhere, or a look at a value, is an error there
    dense = model.dense(torch.zeros(2, 3, 256, 256, device="meta"))
    assert [tuple(level.shape) for level in dense.levels] == [
        (2, 32, side, side) for side in (64, 32, 16, 8, 4)
    ]
    assert [tuple(level.boxes.shape) for level in dense.candidates] == [
        (2, count, 4) for count in (60, 60, 60, 60, 48)
    ]
    assert {level.boxes.device.type for level in dense.candidates} == {"meta"}


@torch.inference_mode()
def test_positions_folded_into_queries_and_keys_give_the_same_attention() -> None:
    attention = tiny_model().get_submodule("backbone.net.blocks.1.attn")
    assert isinstance(attention, Attention)
    tokens = torch.rand(2, 16, 16, 64, generator=torch.Generator().manual_seed(3)) - 0.5
    # two ways of computing it: here the positions are channels of query and key
    assert float((attention(tokens) - _folded(attention, tokens)).abs().max()) <= 1e-5


def _folded(attention: Attention, tokens: Tensor) -> Tensor:
    heads, side = attention.heads, tokens.shape[1]
    split = attention.qkv(tokens).reshape(len(tokens), side * side, 3, heads, -1)
    query, key, value = split.permute(2, 0, 3, 1, 4)
    grid = query.reshape(*query.shape[:2], side, side, -1)
    by_row = torch.einsum("nhyxc,ykc->nhyxk", grid, attention.by_row).flatten(2, 3)
    by_column = torch.einsum("nhyxc,xkc->nhyxk", grid, attention.by_column).flatten(2, 3)
    places = torch.arange(side * side)
    where = torch.cat([F.one_hot(places // side), F.one_hot(places % side)], dim=1).float()
    mixed = F.scaled_dot_product_attention(
        torch.cat([query * query.shape[-1] ** -0.5, by_row, by_column], dim=-1),
        torch.cat([key, where.expand(*key.shape[:2], -1, -1)], dim=-1),
        value,
        scale=1.0,
    )
    joined: Tensor = attention.proj(mixed.transpose(1, 2).reshape(tokens.shape))
    return joined


@pytest.mark.parametrize(
    ("half", "limit"), [(torch.bfloat16, 2e-2), (torch.float16, 2.5e-3)], ids=("bf16", "fp16")
)
@torch.inference_mode()
def test_levels_in_a_half_type_are_the_levels_but_for_rounding(
    half: torch.dtype, limit: float
) -> None:
    got, wanted = _in(half).dense(_canvas()).levels, tiny_model().dense(_canvas()).levels
    for mine, other in zip(got, wanted, strict=True):
        assert mine.dtype == torch.float32
        # measured: 9e-3 with 8 bits of mantissa, 1.2e-3 with 11
        assert float((mine - other).square().mean().sqrt() / other.std()) <= limit
        assert not torch.equal(mine, other)


def test_detections_in_a_half_type_are_the_same_things_in_the_same_places() -> None:
    picture = picture_rgb(172, 240)
    (wanted,), (got,) = detect(tiny_model(), [picture]), detect(_in(torch.float16), [picture])
    # the stand-in weights give nearly equal scores, so a few change places at the cut
    overlaps = _best_overlaps(wanted, got)
    assert np.mean(overlaps > 0.9) >= 0.9
    assert np.median(overlaps) >= 0.98


def test_only_products_are_in_the_half_type() -> None:
    kinds = {name: value.dtype for name, value in _in(torch.float16).state_dict().items()}
    singles = {name for name, kind in kinds.items() if kind == torch.float32}
    assert all(
        ".norm" in name or "simfp_2.1." in name or "patch_embed" in name or "pos_embed" in name
        or "predictor" in name or "objectness" in name or "anchor_deltas" in name
        for name in singles
    )  # fmt: skip
    assert kinds["backbone.net.blocks.0.attn.qkv.weight"] == torch.float16
    assert kinds["proposal_generator.rpn_head.conv.conv0.weight"] == torch.float16
    assert kinds["roi_heads.box_head.2.fc1.weight"] == torch.float16
    assert kinds["backbone.simfp_2.0.weight"] == torch.float16


@pytest.mark.parametrize(
    ("over", "most_rows", "found"),
    [(0.3, (301, 301, 301), 74), (0.5, (301, 301, 220), 63), (0.8, (301, 150, 30), 6)],
)
def test_boxes_without_hope_are_left_out_and_no_detection_changes(
    sure_model: VitDet,
    over: float,
    most_rows: tuple[int, ...],
    found: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pictures = [picture_rgb(172, 240), picture_rgb(200, 90)]
    everything = detect(sure_model, pictures)
    rows: list[int] = []
    stage = sure_model.roi_heads.stage

    def counted(place: int, levels: tuple[Tensor, ...], boxes: list[Tensor]) -> object:
        rows.append(sum(len(each) for each in boxes))
        return stage(place, levels, boxes)

    monkeypatch.setattr(sure_model.roi_heads, "stage", counted)
    fewer = detect(sure_model, pictures, score_over=over)
    for wanted, got in zip(everything, fewer, strict=True):
        surer = wanted.scores > over
        assert got.classes.tolist() == wanted.classes[surer].tolist()
        # fewer rows may choose another kernel
        assert np.abs(got.boxes_xyxy_px - wanted.boxes_xyxy_px[surer]).max() <= 1e-3
        assert np.abs(got.scores - wanted.scores[surer]).max() <= 1e-5
    assert sum(len(got.scores) for got in fewer) == found
    assert all(came <= most for came, most in zip(rows, most_rows, strict=True))


def test_no_box_is_left_out_at_a_score_that_all_may_reach(sure_model: VitDet) -> None:
    heads = sure_model.roi_heads
    levels, proposals = _levels(sure_model), [torch.tensor([[0.0, 0, 90, 90], [5, 5, 40, 90]])]
    for over in (0.0, 0.33):
        ((boxes, scores),) = heads(levels, proposals, [(183, 256)], over)
        assert (len(boxes), len(scores)) == (2, 2)


def test_everything_may_be_left_out(sure_model: VitDet) -> None:
    (got,) = detect(sure_model, [picture_rgb(172, 240)], score_over=0.9999, masks=True)
    assert got.boxes_xyxy_px.shape == (0, 4)


def _in(half: torch.dtype) -> VitDet:
    model = build(TINY, weights("tiny"), OPS)
    model.multiply_in(half)
    return model


def _levels(model: VitDet) -> tuple[Tensor, ...]:
    with torch.inference_mode():
        return model.dense(_canvas()).levels


def _canvas() -> Tensor:
    return canvas([resize(picture_rgb(172, 240), TINY.canvas_px)], TINY.canvas_px, CPU)


def _best_overlaps(wanted: Detections, got: Detections) -> np.ndarray:
    """(n,) for each of `wanted` the overlap of the nearest of its class."""
    overlaps = iou(torch.from_numpy(wanted.boxes_xyxy_px), torch.from_numpy(got.boxes_xyxy_px))
    same = torch.from_numpy(wanted.classes[:, None] == got.classes)
    return (overlaps * same).amax(dim=1).numpy()
