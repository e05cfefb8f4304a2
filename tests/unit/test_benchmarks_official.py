"""The measurements of the 4dhumans engine, on its tiny nets: they count and compare rightly."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from official_files import write_files
from tiny_fourdhumans import SIZES
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.figures import Figure
from benchmarks.fourdhumans import TITLES, without_card
from benchmarks.official import agreement, flop, loading, parts, speed
from benchmarks.official.bench import Bench, nets_of
from benchmarks.official.clips import OneFind
from benchmarks.official.goals import ON_CARD
from benchmarks.official.nets import NetRuns, Sights
from benchmarks.results import OFFICIAL, page_of, with_part, write
from benchmarks.service import ROOT
from pose_service.core.arrays import FloatArray
from pose_service.core.records import NEW_TRACK
from pose_service.vitdet.detector import Detections


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("bench")
    return Bench(write_files(folder / "data"), folder, torch.device("cpu"), (1,), sizes=SIZES)


@pytest.fixture(scope="module")
def runs(bench: Bench) -> NetRuns:
    return NetRuns(bench)


def _samples(figures: list[Figure]) -> dict[str, Any]:
    return {figure.name: figure.samples for figure in figures}


def test_the_nets_are_timed_in_both_kinds_of_numbers(runs: NetRuns) -> None:
    samples = _samples(speed.net_figures(runs))
    assert {name.rsplit(": ", 1)[1] for name in samples} == {"fp32, 1 thread", "bf16, 1 thread"}
    assert all(second > 0 for seconds in samples.values() for second in seconds)


def test_the_backbones_rates_stand_beside_the_products(runs: NetRuns) -> None:
    samples = _samples(speed.backbone_figures(runs))
    assert len(samples) == 6
    products = [name for name in samples if name.startswith("plain matrix product")]
    assert [len(samples[name]) for name in products] == [3, 3]
    assert all(number > 0 for numbers in samples.values() for number in numbers)


def test_what_stands_around_the_nets_is_timed(runs: NetRuns) -> None:
    samples = _samples(parts.figures(runs))
    assert {name.split(":")[0] for name in samples} == {"decode", "crop", "body", "encode"}
    assert all(ms > 0 for times in samples.values() for ms in times)


def test_half_numbers_are_held_against_whole_ones(runs: NetRuns) -> None:
    samples = _samples(agreement.figures(runs))
    mean, most = (samples[f"bf16: vertices, {name}"][0] for name in ("mean distance", "farthest"))
    # bfloat16 has 8 bits: bodies of metres move, but by far less than a metre
    assert 0 < mean < most < 1000


def test_numbers_held_against_themselves_do_not_differ(runs: NetRuns) -> None:
    exact = runs.run("fp32").sights
    samples = _samples(agreement.compared("fp32", exact, exact))
    distances = [value for name, (value,) in samples.items() if "vertices" in name]
    assert distances == [0, 0, 0]
    assert samples["fp32: found again (same class, IoU over 0.5)"] == [100]
    assert samples["fp32: ViTDet's features, error to spread"] == [0]


def test_operations_are_those_that_torch_counts(bench: Bench) -> None:
    detector, regressor = nets_of(bench.build(bench.settings(precision="fp32")))
    canvas_px = SIZES.detector.canvas_px
    for backbone, picture, counted in (
        (regressor.net.backbone, (1, 3, 256, 192), flop.hmr2_backbone(SIZES.regressor)),
        (
            detector.net.backbone.net,
            (1, 3, canvas_px, canvas_px),
            flop.vitdet_backbone(SIZES.detector.backbone),
        ),
    ):
        # the fused attention of a CPU is none that torch counts
        with (
            FlopCounterMode(display=False) as counter,
            torch.inference_mode(),
            sdpa_kernel(SDPBackend.MATH),
        ):
            backbone(torch.zeros(picture))
        assert counted == counter.get_total_flops()


def _found(boxes: list[list[float]], scores: list[float], classes: list[int]) -> Detections:
    return Detections(
        np.array(boxes, float).reshape(-1, 4), np.array(scores), np.array(classes), None
    )


def test_detections_are_found_again_by_class_and_place() -> None:
    wanted = _found([[0, 0, 10, 10], [50, 50, 60, 60], [0, 0, 10, 10]], [0.9, 0.8, 0.7], [0, 0, 1])
    got = _found([[0, 0, 10, 8], [90, 90, 99, 99]], [0.6, 0.5], [0, 1])
    again = agreement.matches(wanted, got)
    assert again.ious == pytest.approx(np.array([0.8, 0, 0]))
    assert again.found_again.tolist() == [True, False, False]
    assert again.score_differences[0] == pytest.approx(0.3)


def test_of_nothing_nothing_is_found_again() -> None:
    nothing = _found([], [], [])
    one = _found([[0, 0, 1, 1]], [0.5], [0])
    assert agreement.matches(one, nothing).found_again.tolist() == [False]
    assert len(agreement.matches(nothing, one).ious) == 0


def test_the_mean_and_largest_distance_of_moved_vertices_are_told_in_millimetres() -> None:
    vertices_m: FloatArray = np.zeros((1, 2, 3))
    moved = np.array([[[0, 0, 0], [0.003, 0.004, 0]]])
    one = _found([[0, 0, 1, 1]], [0.5], [0])
    rows = agreement.compared("bf16", Sights(one, None, vertices_m), Sights(one, None, moved))
    assert [row.samples[0] for row in rows[:3]] == pytest.approx([2.5, 4.75, 5])


def test_loading_is_told_in_parts_of_the_files_size() -> None:
    took = {
        "file_bytes": 100, "disk_bytes": 101, "peak_bytes": 120, "own_bytes": 50,
        "read_s": {"a net": 1.0}, "first_s": {"a net": 2.0}, "again_s": {"a net": 1.5},
    }  # fmt: skip
    figures = list(loading.of_both("fp32", took))
    assert [figure.samples for figure in figures] == [[1.0], [2.0], [1.5], [1.01], [1.2]]
    goals = [figure.fields()["goal"]["reached"] for figure in figures[-2:]]
    assert goals == [True, True]


def test_a_detector_whose_finds_are_known_still_does_its_work(bench: Bench) -> None:
    engine = bench.build(bench.settings(precision="fp32"))
    grey = np.full((100, 100, 3), 128, np.uint8)
    (found,) = OneFind(engine.detector).detect([grey])
    assert found.track_ids.tolist() == [NEW_TRACK]


MACHINE = {
    "processor": "P", "cores": 2, "card": "", "system": "S", "load_average_at_start": 0.5,
    "python": "3", "packages": {"torch": "2"}, "model_version": "x", "date": "d", "commit": "c",
}  # fmt: skip


def _part(value: float, card: str = "") -> dict[str, Any]:
    figures = [Figure("a frame", "ms", [value]).fields()]
    chapters = [{"name": "nets", "title": "Nets", "about": "How.", "figures": figures}]
    return {"title": "Part", "machine": {**MACHINE, "card": card}, "chapters": chapters}


def test_without_a_card_every_goal_for_one_is_there_as_not_measured() -> None:
    results = with_part({}, "cpu", _part(1), without_card())
    assert list(results) == ["cpu", "cuda"]
    (goals,) = results["cuda"]["chapters"]
    assert [figure["name"] for figure in goals["figures"]] == list(ON_CARD)
    assert {figure["goal"]["reached"] for figure in goals["figures"]} == {None}


def test_what_was_measured_on_a_card_stays_when_the_cpu_is_measured_again() -> None:
    first = with_part({}, "cuda", _part(1, card="C"), without_card())
    results = with_part(first, "cpu", _part(2), without_card())
    assert results["cuda"] == first["cuda"]
    assert list(results) == list(TITLES)


def test_the_page_beside_the_results_shows_what_was_not_measured(tmp_path: Path) -> None:
    write(tmp_path / OFFICIAL, with_part({}, "cpu", _part(7), without_card()))
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert "| a frame | 7 ms |" in page
    assert "≤ 28 ms: not measured" in page


def test_the_page_in_docs_has_both_engines() -> None:
    folder = ROOT / "docs"
    results = json.loads((folder / OFFICIAL).read_text(encoding="utf-8"))
    assert list(results) == list(TITLES)
    assert (folder / "performance.md").read_text(encoding="utf-8") == page_of(folder)
