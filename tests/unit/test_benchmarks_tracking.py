"""The measurements of PHALP's tracker: both orders of work decide alike, and are counted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.figures import BenchmarkError, Figure
from benchmarks.phalp import chapters
from benchmarks.phalp.crowd import crowd
from benchmarks.phalp.encoders import CountedEncoder, SinglePasses, stand_in_encoder
from benchmarks.phalp.runs import Bed, Run
from benchmarks.results import TRACKING, with_part, write
from benchmarks.service import ROOT
from benchmarks.tracking import TITLES, without_card

CPU = torch.device("cpu")
MACHINE = {
    "processor": "P", "cores": 2, "card": "", "system": "S", "load_average_at_start": 0.5,
    "python": "3", "packages": {"torch": "2"}, "model_version": "x", "date": "d", "commit": "c",
}  # fmt: skip


@pytest.fixture(scope="module")
def bed() -> Bed:
    return Bed(CPU, people=(1, 3), compared=3, frames=1, light_frames=2)


def _part(value: float) -> dict[str, Any]:
    figures = [Figure(chapters.FOUR, "ms", [value]).fields()]
    chapter = {"name": "light", "title": "Light", "about": "How.", "figures": figures}
    return {"title": "Part", "machine": MACHINE, "chapters": [chapter]}


def test_a_crowd_has_as_many_people_with_textures_in_every_frame() -> None:
    frames = list(crowd(12, 3, CPU))
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert {(len(frame.detections), len(frame.textures)) for frame in frames} == {(12, 12)}
    assert {texture.shape for texture in frames[0].textures} == {(4, 256, 256)}


def test_a_single_pass_costs_what_a_batch_says() -> None:
    encoder = stand_in_encoder(CPU)
    one, other, *_ = next(crowd(2, 1, CPU)).textures
    encoder.wake(one)
    shared = (one[3:] > 0) & (other[3:] > 0)
    first, second = encoder(torch.stack([one, other]) * shared) / 1000
    assert SinglePasses(encoder)(one, other) == pytest.approx(
        100 * float((first - second).square().sum()), rel=1e-4
    )
    assert encoder.encoded == 4


def test_an_encoder_that_sleeps_counts_nothing_and_finds_all_alike() -> None:
    encoder = CountedEncoder()
    one, other = next(crowd(2, 1, CPU)).textures
    assert not encoder(torch.stack([one, other])).any()
    assert SinglePasses(encoder)(one, other) == 0
    assert encoder.encoded == 0


def test_both_orders_put_everybody_on_the_same_track_and_passes_are_counted(bed: Bed) -> None:
    samples = {figure.name: figure for figure in chapters.order_figures(bed)}
    assert samples["3 people: upstream's order"].bound == "18 single passes"
    assert samples["1 person: upstream's order"].bound == "2 single passes"
    assert all(len(figure.samples) == 1 for figure in samples.values())


def test_larger_crowds_are_not_run_in_upstreams_order() -> None:
    small = Bed(CPU, people=(2,), compared=1, frames=1)
    ours, theirs = chapters.order_figures(small)
    assert len(ours.samples) == 1
    assert (list(theirs.samples), theirs.bound) == ([], "8 passes a frame")


def test_orders_that_decide_differently_are_an_error(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Run([1.0], 2, [(9,)])
    monkeypatch.setattr(Bed, "in_upstreams_order", lambda self, people: other)
    with pytest.raises(BenchmarkError, match="1 person: the two orders"):
        chapters.order_figures(bed)


def test_the_tracker_alone_is_timed_with_and_without_textures(bed: Bed) -> None:
    figures = chapters.light_figures(bed)
    assert [figure.name for figure in figures] == [
        "1 person", "3 people", "1 person, textures cut and mixed",
        "3 people, textures cut and mixed",
    ]  # fmt: skip
    assert {len(figure.samples) for figure in figures} == {2}


def test_without_a_card_every_goal_is_there_as_not_measured(tmp_path: Path) -> None:
    results = with_part({}, "cpu", _part(7), without_card())
    assert list(results) == list(TITLES)
    (goals,) = results["cuda"]["chapters"]
    assert [figure["name"] for figure in goals["figures"]] == list(chapters.GOALS)
    write(tmp_path / TRACKING, results)
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert f"| {chapters.FOUR} | 7 ms |" in page
    assert "≤ 3 ms: not measured" in page


def test_the_results_in_docs_have_every_goal() -> None:
    results = json.loads((ROOT / "docs" / TRACKING).read_text(encoding="utf-8"))
    names = {
        figure["name"]
        for chapter in results["cpu"]["chapters"]
        for figure in chapter["figures"]
        if figure["goal"]
    }
    assert names == set(chapters.GOALS)


def test_an_unknown_chapter_is_refused_with_the_known_ones() -> None:
    command = [sys.executable, "benchmarks/tracking.py", "--only", "nonsense"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert all(name in done.stderr for name in chapters.MEASURES)
