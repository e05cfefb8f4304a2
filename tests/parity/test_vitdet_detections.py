"""Selection, masks and the way back to the picture; then the whole detector on one picture."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from standin_vitdet import (
    OPS,
    TINY,
    Array,
    golden,
    picture_rgb,
    tiny_model,
    tiny_trace,
    weights,
    worst,
)

from pose_service.vitdet.boxes import has_area, pyramid_level
from pose_service.vitdet.checkpoint import build
from pose_service.vitdet.config import PERSON, DetectionRules
from pose_service.vitdet.detector import Detections, detect
from pose_service.vitdet.placing import paint_masks, place_boxes
from pose_service.vitdet.plain_ops import nms
from pose_service.vitdet.selection import Selected, select_detections

SIZE_HW = (183, 256)


def test_selection_of_detections_with_rows_that_are_not_finite() -> None:
    units = golden("golden_units")
    boxes, scores = (torch.from_numpy(units[f"sel_in_{name}"]) for name in ("boxes", "scores"))
    got = select_detections(boxes, scores, (150, 200), DetectionRules(0.05, 0.5, 50), nms)
    # nothing but clipping touches the numbers
    assert worst(got.boxes, units["sel_boxes"]) <= 1e-3
    assert worst(got.scores, units["sel_scores"]) <= 1e-6
    assert got.classes.tolist() == units["sel_classes"].tolist()
    assert got.rows.tolist() == units["sel_index_after_finite_filter"].tolist()


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_a_box_that_is_not_finite_is_no_detection(bad: float) -> None:
    boxes = torch.tensor([[0.0, 0, bad, 9], [10, 10, 20, 20], [0, 0, 9, 9]])
    scores = torch.tensor([[0.9, 0.1], [0.8, bad], [0.7, 0.3]])
    got = select_detections(boxes, scores, (20, 20), DetectionRules(0.25), nms)
    assert got.boxes.tolist() == [[0, 0, 9, 9]]
    assert got.rows.tolist() == [0]


def test_a_score_at_the_threshold_is_no_detection() -> None:
    scores = torch.tensor([[0.25, 0.75], [0.26, 0.74]])
    boxes = torch.tensor([[0.0, 0, 5, 5], [10, 10, 15, 15]])
    got = select_detections(boxes, scores, (20, 20), DetectionRules(0.25), nms)
    assert got.rows.tolist() == [1]


def test_background_is_the_last_class_and_never_detected() -> None:
    scores = torch.tensor([[0.3, 0.1, 0.6]])
    got = select_detections(
        torch.tensor([[0.0, 0, 5, 5]]), scores, (9, 9), DetectionRules(0.25), nms
    )
    assert got.classes.tolist() == [0]


def test_all_survivors_before_the_best_are_kept() -> None:
    wanted = golden("golden_tiny")
    got = _selected(replace(TINY.detections, keep=1000))
    # the scores of the last ones are 6.6e-7 apart, so order is not compared
    assert _rows(got) == sorted(
        zip(wanted["nms_proposal_index"].tolist(), wanted["nms_classes"].tolist(), strict=True)
    )
    assert worst(got.scores.sort().values, np.sort(wanted["nms_scores"])) <= 1e-6


def test_the_tiny_detections_from_the_reference_probabilities() -> None:
    got = _selected(TINY.detections)
    assert worst(got.boxes, _tiny("det_boxes_resized")) <= 1e-3
    assert worst(got.scores, _tiny("det_scores")) <= 1e-6
    assert got.classes.tolist() == _tiny("det_classes").tolist()


def test_mask_logits_of_the_reference_boxes() -> None:
    boxes, classes = torch.from_numpy(_tiny("det_boxes_resized")), _classes()
    assert pyramid_level(boxes, 56).tolist() == _tiny("mask_levels").tolist()
    levels = tiny_trace().out["backbone"][0]
    (logits,) = tiny_model().roi_heads.masks(levels, [boxes], [classes])
    # another backend: 8.5e-6
    assert worst(logits, _tiny("mask_logits")) <= 1e-4


def test_boxes_and_masks_go_back_to_the_picture() -> None:
    units = golden("golden_units")
    boxes = place_boxes(torch.from_numpy(units["post_in_boxes"]), (150, 200), (97, 131))
    kept = has_area(boxes)
    assert kept.nonzero()[:, 0].tolist() == units["post_kept"].tolist()
    assert worst(boxes[kept], units["post_boxes"]) <= 1e-3
    masks = paint_masks(torch.from_numpy(units["post_in_masks"])[kept], boxes[kept], (97, 131))
    # one pixel lies within 1e-5 of one half
    assert _differing_bits(masks.numpy(), units["post_masks_packed"]) <= 2


def test_a_mask_of_one_half_is_painted() -> None:
    box = torch.tensor([[2.0, 2, 30, 30]])
    masks = paint_masks(torch.full((1, 28, 28), 0.5), box, (40, 40))
    assert bool(masks[0, 10:20, 10:20].all())


def test_the_tiny_boxes_in_the_original_pixels() -> None:
    boxes = torch.from_numpy(_tiny("det_boxes_resized"))
    assert worst(place_boxes(boxes, SIZE_HW, (172, 240)), _tiny("final_boxes")) <= 1e-3


def test_the_whole_detector_from_picture_to_masks() -> None:
    (got,) = detect(tiny_model(), [picture_rgb(172, 240)], masks=True)
    # another backend: 7.3e-4 px, 2.7e-5, one bit
    assert np.abs(got.boxes_xyxy_px - _tiny("final_boxes")).max() <= 2e-2
    assert np.abs(got.scores - _tiny("final_scores")).max() <= 1e-4
    assert got.classes.tolist() == _tiny("final_classes").tolist()
    assert got.masks is not None
    assert got.masks.shape == tuple(_tiny("final_masks_shape"))
    assert _differing_bits(got.masks, _tiny("final_masks_packed")) <= 20


def test_only_people_are_the_people_of_all() -> None:
    everything, people = (
        detect(tiny_model(), [picture_rgb(172, 240)], only_class=only, masks=True)[0]
        for only in (None, PERSON)
    )
    mine = everything.classes == PERSON
    assert int(mine.sum()) == len(people.scores) == 19
    assert np.array_equal(people.boxes_xyxy_px, everything.boxes_xyxy_px[mine])
    assert everything.masks is not None
    assert people.masks is not None
    # fewer rows may choose another kernel
    assert int((people.masks != everything.masks[mine]).sum()) <= 20


def test_pictures_of_a_batch_are_answered_as_if_alone() -> None:
    pictures = [picture_rgb(172, 240), picture_rgb(200, 90)]
    together = detect(tiny_model(), pictures, masks=True)
    for picture, got in zip(pictures, together, strict=True):
        (alone,) = detect(tiny_model(), [picture], masks=True)
        assert got.classes.tolist() == alone.classes.tolist()
        assert np.abs(got.boxes_xyxy_px - alone.boxes_xyxy_px).max() <= 2e-2
        assert got.masks is not None
        assert got.masks.shape == (len(got.scores), *picture.shape[:2])


def test_no_mask_is_made_unless_asked_for() -> None:
    (got,) = detect(tiny_model(), [picture_rgb(172, 240)])
    assert got.masks is None


def test_no_pictures_and_nothing_found_are_both_answered() -> None:
    assert detect(tiny_model(), []) == []
    severe = replace(TINY, detections=replace(TINY.detections, score_over=0.999))
    model = build(severe, weights("tiny"), OPS)
    (got,) = detect(model, [picture_rgb(172, 240)], masks=True)
    assert got.boxes_xyxy_px.shape == (0, 4)
    assert got.masks is not None
    assert got.masks.shape == (0, 172, 240)


@pytest.mark.parametrize("over", (0.15, 0.2, 0.25))
def test_a_higher_threshold_only_takes_away_the_lower_scores(over: float) -> None:
    everything = _selected(replace(TINY.detections, keep=1000))
    fewer = _selected(DetectionRules(over, 0.5, 1000))
    assert torch.equal(fewer.boxes, everything.boxes[everything.scores > over])


def test_detections_of_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"classes: expected \(2,\), got \(1,\)"):
        Detections(np.zeros((2, 4)), np.zeros(2), np.zeros(1, int), None)


def _selected(rules: DetectionRules) -> Selected:
    boxes, scores = (torch.from_numpy(_tiny(key)) for key in ("stage2_boxes", "mean_scores"))
    return select_detections(boxes, scores, SIZE_HW, rules, nms)


def _rows(found: Selected) -> list[tuple[int, int]]:
    return sorted(zip(found.rows.tolist(), found.classes.tolist(), strict=True))


def _differing_bits(masks: Array, packed: Array) -> int:
    mine = np.packbits(masks.reshape(len(masks), -1), axis=1)
    assert mine.shape == packed.shape
    return int(np.unpackbits(mine ^ packed).sum())


def _classes() -> torch.Tensor:
    return torch.from_numpy(_tiny("det_classes")).long()


def _tiny(key: str) -> Array:
    return golden("golden_tiny")[key]
