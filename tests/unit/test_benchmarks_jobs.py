"""The measurements of clip jobs count right; how long anything takes is not tested here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from makers import clip_file, gray_frames
from werkzeug.formparser import FormDataParser

from benchmarks.clip_jobs import flat, overlay, scaling, taking_in
from benchmarks.clip_jobs.bed import Backend, Bed
from benchmarks.clip_jobs.chapters import MEASURES
from benchmarks.figures import Setup
from benchmarks.memory_use import open_files
from benchmarks.results import JOBS
from benchmarks.service import ROOT
from pose_service.core.config import Settings
from pose_service.core.records import Frame
from pose_service.media.decode import open_clip

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")


def test_two_workers_are_compared_with_one_round_by_round() -> None:
    assert scaling.ratios([18.0, 10.0], [10.0, 10.0]) == [1.8, 1.0]


def test_growth_is_from_the_first_quarter_to_the_last() -> None:
    uses = {"front": [(100.0 + i, 10 + i) for i in range(8)]}
    memory, files = flat.grown(uses, "SQLite")
    assert (list(memory.samples), list(files.samples)) == ([6.0], [6.0])
    assert memory.fields()["goal"]["reached"] is True
    assert files.fields()["goal"]["reached"] is False


def test_an_upload_is_a_form_with_the_whole_file(tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(bytes(range(256)))
    asked = taking_in.by_upload(clip)
    kind, _, boundary = asked.headers["Content-Type"].partition("; boundary=")
    with open(clip.with_suffix(".body"), "w+b") as body:
        body.write(asked.body)
        body.seek(0)
        parsed = FormDataParser(silent=False).parse(
            body, kind, len(asked.body), {"boundary": boundary}
        )
        _, form, files = parsed
        assert form.to_dict() == {"async": "true", "max_frames": "1"}
        assert files["video"].read() == clip.read_bytes()
        files["video"].close()


def test_what_is_not_installed_is_not_measured(tmp_path: Path) -> None:
    clip = clip_file(tmp_path / "vid.mp4", gray_frames(3, 64, 64))
    bed = Bed(Setup(Settings(), tmp_path, tmp_path), [Backend("none", None)])
    for figures in (taking_in.figures(bed), flat.figures(bed)):
        assert {len(figure.samples) for figure in figures} == {0}
        assert all(figure.fields()["goal"]["reached"] is None for figure in figures)
    assert clip.is_file()


def test_a_piece_is_the_first_frames_at_half_the_size(tmp_path: Path) -> None:
    clip_file(tmp_path / "a.mp4", gray_frames(6, 64, 48))
    piece = open_clip(Bed(Setup(Settings(), tmp_path, tmp_path), []).piece("a.mp4", 4))
    frames: list[Frame] = list(piece.frames())
    assert [frame.image.shape for frame in frames] == [(24, 32, 3)] * 4


def test_pictures_are_encoded_from_the_first_ones_time(tmp_path: Path) -> None:
    pictures = [(5 + i / 30, image) for i, image in enumerate(gray_frames(4, 64, 64))]
    overlay.encode(pictures, tmp_path / "a.mp4")
    times_s = [round(frame.time_s, 2) for frame in open_clip(tmp_path / "a.mp4").frames()]
    assert times_s == [0, 0.03, 0.07, 0.1]


@on_linux
def test_open_files_are_counted(tmp_path: Path) -> None:
    before = open_files(os.getpid())
    with (tmp_path / "a").open("w"), (tmp_path / "b").open("w"):
        assert open_files(os.getpid()) == before + 2


def test_the_results_in_docs_have_every_measure() -> None:
    results = json.loads((ROOT / "docs" / JOBS).read_text(encoding="utf-8"))
    assert [chapter["name"] for chapter in results["chapters"]] == list(MEASURES)


def test_an_unknown_chapter_is_refused_with_the_known_ones() -> None:
    command = [sys.executable, "benchmarks/jobs.py", "--only", "nonsense"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert all(name in done.stderr for name in MEASURES)
