"""The measurements measure what they say; how long anything takes is not tested here."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from makers import clip_file, gray_frames
from toy_engine import large_body, picture, toy_engine

from benchmarks import coco, report
from benchmarks.figures import BenchmarkError, Figure, Goal, Setup
from benchmarks.measures import MEASURES, encode, overhead, people, stages
from benchmarks.measures.memory import repeated
from benchmarks.memory_use import peak_mb, rss_mb
from benchmarks.pictures import as_base64, small_frames, with_toy_person
from benchmarks.service import ROOT, SERVE_TOYS, Client, serving
from benchmarks.stopwatch import Stopwatch, times_ms
from pose_service.commands import main
from pose_service.core.config import Settings
from pose_service.core.records import Frame
from pose_service.core.skeletons import COCO17_FROM_BLAZEPOSE33
from pose_service.media.decode import open_clip
from pose_service.pipeline.image import Picture, people_in_picture

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(Settings(), tmp_path, tmp_path)


def test_a_figure_is_summed_up_by_median_and_percentiles() -> None:
    fields = Figure("frame", "ms", range(101)).fields()
    assert (fields["p10"], fields["median"], fields["p90"]) == (10, 50, 90)
    assert fields["count"] == 101
    assert fields["goal"] is None


@pytest.mark.parametrize(
    ("goal", "reached"),
    [
        (Goal(5), True),
        (Goal(4.9), False),
        (Goal(5, at_least=True), True),
        (Goal(5.1, at_least=True), False),
    ],
)
def test_a_goal_holds_the_median_on_its_side(goal: Goal, reached: bool) -> None:
    assert Figure("", "ms", [1, 5, 100], goal).fields()["goal"]["reached"] is reached


def test_repeats_are_counted_and_the_first_call_is_not() -> None:
    calls: list[int] = []
    times = times_ms(lambda: calls.append(1), 5)
    assert (len(times), len(calls)) == (5, 6)
    assert all(ms >= 0 for ms in times)


def test_a_watched_engine_answers_the_same_and_tells_where_time_went() -> None:
    watch, engine = Stopwatch(), toy_engine()
    frame = Frame(0, 0.0, picture((100, 40, 160, 200)))
    plain, watched = (
        people_in_picture(one, Picture(frame)).people[0] for one in (engine, watch.watched(engine))
    )
    assert np.array_equal(plain.pose.rotations, watched.pose.rotations)
    assert set(watch.seconds) == {"detect", "observe", "solve"}
    assert watch.watched(engine).body.vertex_count == engine.body.vertex_count


def test_the_encoded_answer_has_the_body_of_the_engine() -> None:
    figures = encode.figures(toy_engine(large_body()), 2)
    assert "6890 vertices, 13776 triangles" in figures[0].name
    assert all(value > 0 for figure in figures for value in figure.samples)
    size_kb = figures[-1].samples[0]
    # 3 numbers of at least 4 letters per vertex, 3 numbers of about 4 per triangle
    assert 6890 * 3 * 5 / 1000 < size_kb < 2000


def test_engine_unpacking_and_answer_are_timed_apart() -> None:
    image = with_toy_person(np.full((360, 640, 3), 255, np.uint8))
    parts = overhead.work_here_ms(toy_engine(large_body()), as_base64(image))
    assert len(parts) == 3
    assert all(ms > 0 for ms in parts)


def test_a_toy_person_is_one_and_stands_out_of_any_picture() -> None:
    image = with_toy_person(np.full((360, 640, 3), 255, np.uint8))
    assert len(people_in_picture(toy_engine(), Picture(Frame(0, 0.0, image))).people) == 1


def test_what_is_left_of_a_request_is_the_service() -> None:
    whole, engine, unpack, service, answer, rest = overhead.figures([overhead.Costs(20, 7, 8, 1)])
    given = [figure.samples for figure in (whole, engine, unpack, service, answer, rest)]
    assert given == [[20], [7], [8], [5], [1], [4]]


def test_parts_and_rests_of_the_stages_add_up() -> None:
    spent = {
        "decode": 3.0, "first pass": 20.0, "detect": 5.0, "observe": 12.0,
        "second pass": 4.0, "solve": 2.0, "smooth": 1.0, "answer": 2.0, "pose": 0.5,
    }  # fmt: skip
    rows = {figure.name: figure.samples[0] for figure in stages.figures(spent)}
    assert rows["– waiting for pictures, tracking, log"] == 3
    assert rows["– log, gaps, storing"] == 1
    assert rows["– JSON"] == 1.5
    assert rows["the three passes together"] == 26


def _annotated(offset_px: float = 0.0) -> tuple[dict[str, Any], Any]:
    """An annotated person of 100 pixels and the same body as landmarks."""
    points = np.random.default_rng(1).uniform(0, 100, (17, 2)) + offset_px
    landmarks = np.zeros((33, 2))
    landmarks[list(COCO17_FROM_BLAZEPOSE33)] = points
    keypoints = np.column_stack([points, np.full(17, 2)]).ravel().tolist()
    return {"keypoints": keypoints, "area": 100.0**2}, landmarks


def test_a_body_in_its_place_is_wholly_similar_and_one_far_away_not_at_all() -> None:
    person, body = _annotated()
    assert coco.similarity(person, body) == pytest.approx(1)
    assert coco.similarity(person, body + 1000) == pytest.approx(0)


def test_two_bodies_on_one_person_are_one_hit_and_one_extra() -> None:
    person, body = _annotated()
    far, _ = _annotated(offset_px=1000)
    path = Path("a.jpg")
    result = coco.score({path: [person, far]}, {path: [body, body + 1]})
    assert result == coco.Score(people=2, hits=1, extras=1)


def test_one_body_cannot_hit_two_people_and_nobody_is_hit_by_none() -> None:
    person, body = _annotated()
    assert coco.count_hits([person, person], [body]) == 1
    assert coco.count_hits([person], []) == 0
    assert coco.count_hits([], [body]) == 0


@on_linux
def test_memory_counts_what_a_process_started_and_never_exceeds_its_peak() -> None:
    alone_mb = rss_mb(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        # a Python holds several megabytes at least
        assert rss_mb(os.getpid()) > alone_mb + 3
        assert rss_mb(child.pid) <= peak_mb(child.pid)
        child.terminate()


@on_linux
def test_memory_of_no_process_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="is not there"):
        rss_mb(2**22 + 1)  # beyond the largest process id of Linux


def test_a_repeated_clip_has_all_frames_again_at_later_times(tmp_path: Path) -> None:
    clip = clip_file(tmp_path / "a.mp4", gray_frames(6))
    frames = list(open_clip(repeated(clip, tmp_path / "b.mp4", 3)).frames())
    assert len(frames) == 18
    assert np.allclose(np.diff([frame.time_s for frame in frames]), 1 / 30, atol=1e-3)
    # H.264 at its usual quality keeps even gray to a level or two
    first, last = (np.mean(frames[i].image) for i in (5, 17))
    assert first == pytest.approx(last, abs=2)


def test_small_frames_have_the_size_that_the_back_end_sends(tmp_path: Path) -> None:
    clip = clip_file(tmp_path / "a.mp4", gray_frames(4, 128, 72))
    assert [image.shape for image in small_frames(clip, 3)] == [(360, 640, 3)] * 3


def test_pictures_that_are_not_there_are_named(setup: Setup) -> None:
    with pytest.raises(BenchmarkError, match=r"gt_coco\.json is missing.*--media"):
        setup.medium("gt_coco.json")


def test_a_toy_sees_bodies_as_the_people_measure_counts_them() -> None:
    image = picture((20, 20, 60, 120), (100, 40, 160, 200))
    assert len(people.bodies_in(toy_engine(), image)) == 2


@on_linux
def test_a_service_is_served_asked_and_ended(setup: Setup) -> None:
    fields = {"image_base64": as_base64(picture((100, 40, 160, 200)))}
    with serving(setup, SERVE_TOYS) as service, Client(service.port) as client:
        assert service.wait_open() <= service.wait_answer() <= service.wait_ready()
        plain = client.post("/pose/hybrid", fields, keep=True)
        packed = client.post("/pose/hybrid", fields, packed=True)
        with pytest.raises(BenchmarkError, match="/pose/hybrid: 400"):
            client.post("/pose/hybrid", {})
    assert json.loads(plain.data)["mesh_vertices"] == 6890
    assert plain.size_bytes == len(plain.data) > packed.size_bytes > len(packed.data) == 0
    assert service.process.poll() is not None


def test_a_service_that_cannot_start_is_told_with_its_log(setup: Setup) -> None:
    with (
        pytest.raises(BenchmarkError, match=r"did not open its port[\s\S]*nonsense"),
        serving(setup, ("-m", "nonsense")) as service,
    ):
        service.wait_open()
    assert service.process.poll() is not None


def _results(goal: Goal) -> dict[str, Any]:
    figure = Figure("a frame", "ms", [10, 20, 30], goal, "the net")
    chapter = {"name": "x", "title": "Frames", "about": "How.", "figures": [figure.fields()]}
    machine = {
        "processor": "P", "cores": 2, "card": "", "system": "S", "load_average_at_start": 0.5,
        "python": "3", "packages": {"numpy": "2"}, "model_version": "toy/1",
        "date": "today", "commit": "abc",
    }  # fmt: skip
    return {"title": "Toys", "machine": machine, "chapters": [chapter]}


def test_the_page_says_of_each_goal_whether_it_was_reached() -> None:
    assert "| Frames | a frame | ≤ 20 ms | 20 ms | reached |" in report.render([_results(Goal(20))])
    missed = report.render([_results(Goal(25, at_least=True))])
    assert "| a frame | 20 ms | 12 – 28 | ≥ 25 ms: **missed** | the net |" in missed


def test_the_results_in_docs_have_every_measure() -> None:
    results = json.loads((ROOT / "docs" / "performance.json").read_text(encoding="utf-8"))
    assert [chapter["name"] for chapter in results["chapters"]] == list(MEASURES)


def test_chapters_and_their_figures_have_names_of_their_own() -> None:
    results = json.loads((ROOT / "docs" / "performance.json").read_text(encoding="utf-8"))
    names = Counter(
        (chapter["name"], figure["name"])
        for chapter in results["chapters"]
        for figure in chapter["figures"]
    )
    assert max(names.values()) == 1


def test_the_bench_command_lists_every_measure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench"]) == 0
    assert set(capsys.readouterr().out.split()) == {"all", *MEASURES}


def test_an_unknown_measure_is_refused_with_the_known_ones() -> None:
    command = [sys.executable, "benchmarks/run.py", "--only", "nonsense"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert all(name in done.stderr for name in MEASURES)
