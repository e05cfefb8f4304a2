"""Clips on toy nets: bright rectangles are people."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from makers import clip_file, truncated
from toy_engine import picture, toy_engine

from pose_service.core.errors import BadVideoError, NotFoundError, UnavailableError
from pose_service.core.records import Provenance, TrackedFrame
from pose_service.engines.seam import Engine
from pose_service.pipeline.results import StoredClip, write_result
from pose_service.pipeline.video import (
    STRETCH_FRAMES,
    ClipOptions,
    ClipRun,
    ClipStoppedError,
    ClipWatch,
    process_clip,
)

WALKS = (20, 40, 80, 200)


class Nets:
    """Lends the toy engine, or another one, without a thread."""

    def __init__(self, engine: Engine | None = None) -> None:
        self._engine = engine or toy_engine()

    def wait(self, timeout_s: float) -> Engine:
        return self._engine

    def run_clip(self, work: Callable[[Engine], Any]) -> Any:
        return work(self._engine)


def walk(count: int, *, blank: range = range(0), extra: range = range(0)) -> list[np.ndarray]:
    """Somebody walks to the right, is hidden in `blank`; somebody smaller is there in `extra`."""
    images = []
    for i in range(count):
        boxes = [] if i in blank else [(20 + i % 40, 40, 80 + i % 40, 200)]
        boxes += [(250, 100, 280, 160)] if i in extra else []
        images.append(picture(*boxes))
    return images


def run(path: Path, folder: Path, **options: Any) -> ClipRun:
    return process_clip(path, Nets(), ClipOptions(**options), folder, ClipWatch())


def provenance(frames: list[TrackedFrame], track_id: int) -> str:
    """One letter per frame: o, p, i, or a dot where the track is not shown."""
    letters = []
    for frame in frames:
        shown = [person for person in frame.people if person.track_id == track_id]
        letters.append(shown[0].provenance.value[0] if shown else ".")
    return "".join(letters)


def test_a_clip_gives_as_many_results_as_frames_and_fills_the_gap(tmp_path: Path) -> None:
    clip = clip_file(tmp_path / "a.mp4", walk(40, blank=range(10, 16)))
    clip_run = run(clip, tmp_path)
    frames = list(clip_run.frames)
    assert [frame.index for frame in frames] == list(range(40))
    assert clip_run.info.frame_count == 40
    assert provenance(frames, 1) == 10 * "o" + 6 * "i" + 24 * "o"
    lefts = [frame.people[0].box_xyxy_px[0] for frame in frames]
    np.testing.assert_allclose(np.diff(lefts[:40]), 1, atol=0.5)


def test_frames_before_the_first_and_after_the_last_sight_are_filled_for_the_primary(
    tmp_path: Path,
) -> None:
    hidden = {*range(12), *range(30, 40)}
    images = [picture() if i in hidden else picture(WALKS) for i in range(40)]
    frames = list(run(clip_file(tmp_path / "a.mp4", images), tmp_path).frames)
    assert provenance(frames, 1) == 12 * "p" + 18 * "o" + 10 * "p"


def test_the_primary_is_first_in_every_frame_and_others_end_soon_after_they_leave(
    tmp_path: Path,
) -> None:
    clip = clip_file(tmp_path / "a.mp4", walk(60, extra=range(20, 40)))
    clip_run = run(clip, tmp_path)
    frames = list(clip_run.frames)
    assert {frame.people[0].track_id for frame in frames} == {clip_run.primary_id} == {1}
    assert provenance(frames, 2) == 14 * "." + 6 * "p" + 20 * "o" + 6 * "p" + 14 * "."


def test_stretches_join_into_one_clip(tmp_path: Path) -> None:
    count = 2 * STRETCH_FRAMES + 7
    blank = range(STRETCH_FRAMES - 3, STRETCH_FRAMES + 3)
    clip = clip_file(tmp_path / "a.mp4", walk(count, blank=blank))
    frames = list(run(clip, tmp_path).frames)
    assert [frame.index for frame in frames] == list(range(count))
    assert provenance(frames, 1).count("i") == 6


def test_a_clip_with_nobody_has_honest_empty_frames(tmp_path: Path) -> None:
    clip_run = run(clip_file(tmp_path / "a.mp4", walk(9, blank=range(9))), tmp_path)
    frames = list(clip_run.frames)
    assert clip_run.primary_id is None
    assert [frame.people for frame in frames] == [()] * 9


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_clip_of_very_few_frames_is_answered(tmp_path: Path, count: int) -> None:
    frames = list(run(clip_file(tmp_path / "a.mp4", walk(count)), tmp_path).frames)
    assert provenance(frames, 1) == count * "o"


def test_times_are_the_clips_own(tmp_path: Path) -> None:
    times_s = [0.0, 0.1, 0.15, 0.4, 0.45]
    clip = clip_file(tmp_path / "a.mp4", walk(5), times_s=times_s)
    frames = list(run(clip, tmp_path).frames)
    np.testing.assert_allclose([frame.time_s for frame in frames], times_s, atol=1e-3)


def test_max_frames_ends_the_clip_early(tmp_path: Path) -> None:
    clip_run = run(clip_file(tmp_path / "a.mp4", walk(30)), tmp_path, max_frames=7)
    assert len(list(clip_run.frames)) == clip_run.info.frame_count == 7


def test_what_was_readable_of_a_truncated_clip_is_answered_and_said(tmp_path: Path) -> None:
    whole = clip_file(tmp_path / "whole.mkv", walk(90), file_format="matroska")
    cut = truncated(whole, tmp_path / "cut.mkv", 0.5)
    clip_run = run(cut, tmp_path)
    frames = list(clip_run.frames)
    assert 0 < len(frames) == clip_run.info.frame_count < 90
    assert any("ends early" in note for note in clip_run.info.notes)


def test_two_clips_taken_in_turns_do_not_mix(tmp_path: Path) -> None:
    folders = [tmp_path / "1", tmp_path / "2"]
    for folder in folders:
        folder.mkdir()
    left = clip_file(tmp_path / "left.mp4", [picture((10, 40, 60, 200))] * 20)
    right = clip_file(tmp_path / "right.mp4", [picture((200, 40, 280, 200))] * 20)
    runs = [run(clip, folder) for clip, folder in zip((left, right), folders, strict=True)]
    for one, two in zip(runs[0].frames, runs[1].frames, strict=True):
        assert one.people[0].box_xyxy_px[0] < 15
        assert two.people[0].box_xyxy_px[0] > 195


def test_a_stopped_clip_leaves_no_log_behind(tmp_path: Path) -> None:
    clip = clip_file(tmp_path / "a.mp4", walk(30))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    seen: list[int] = []
    watch = ClipWatch(lambda stage, done, total: seen.append(done), lambda: len(seen) > 5)
    with pytest.raises(ClipStoppedError):
        process_clip(clip, Nets(), ClipOptions(), scratch, watch)
    assert list(scratch.iterdir()) == []


def test_a_file_that_is_no_clip_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"not a clip")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(BadVideoError):
        run(tmp_path / "no.mp4", scratch)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(("together", "steps"), [(1, list(range(13))), (4, [0, 4, 8, 12])])
def test_progress_is_told_as_often_as_the_nets_are_used(
    tmp_path: Path, together: int, steps: list[int]
) -> None:
    told: list[tuple[str, int, int | None]] = []
    watch = ClipWatch(lambda *news: told.append(news))
    clip = clip_file(tmp_path / "a.mp4", walk(12))
    nets = Nets(replace(toy_engine(), frames_together=together))
    list(process_clip(clip, nets, ClipOptions(), tmp_path, watch).frames)
    assert [done for stage, done, _ in told if stage == "tracking"] == steps
    assert told[-1] == ("bodies", 12, 12)


def test_frames_looked_at_together_are_tracked_as_if_one_by_one(tmp_path: Path) -> None:
    clip = clip_file(tmp_path / "a.mp4", walk(14, blank=range(5, 8), extra=range(3, 11)))
    alone, together = (
        process_clip(
            clip, Nets(replace(toy_engine(), frames_together=count)), ClipOptions(),
            folder(tmp_path, str(count)), ClipWatch(),
        )
        for count in (1, 4)
    )  # fmt: skip
    assert [named(frame) for frame in alone.frames] == [named(frame) for frame in together.frames]


def named(frame: TrackedFrame) -> list[tuple[int, Provenance, list[float]]]:
    return [
        (person.track_id, person.provenance, person.box_xyxy_px.tolist()) for person in frame.people
    ]


def folder(parent: Path, name: str) -> Path:
    made = parent / name
    made.mkdir()
    return made


def test_a_result_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    clip = clip_file(tmp_path / "a.mp4", walk(30, blank=range(5, 9)))
    folder = tmp_path / "result"
    folder.mkdir()
    frames = list(run(clip, tmp_path).frames)
    head = write_result(folder, run(clip, tmp_path))
    stored = StoredClip.open(folder)
    assert stored.head == head
    back = list(stored.frames())
    assert len(back) == 30
    for before, after in zip(frames, back, strict=True):
        assert (after.index, after.time_s, after.camera) == (
            before.index, before.time_s, before.camera,
        )  # fmt: skip
        (one,), (two,) = before.people, after.people
        assert (one.track_id, one.provenance) == (two.track_id, two.provenance)
        np.testing.assert_allclose(one.pose.rotations, two.pose.rotations, atol=1e-6)
        np.testing.assert_allclose(one.box_xyxy_px, two.box_xyxy_px, rtol=1e-6)
    assert [frame.index for frame in stored.frames(10, 14)] == [10, 11, 12, 13]


def test_a_result_without_its_head_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "frames.ndjson").write_bytes(b"{}\n")
    with pytest.raises(NotFoundError):
        StoredClip.open(tmp_path)


class LoadingNets(Nets):
    """Becomes ready at the third time of asking, or never."""

    def __init__(self, *, ever: bool, code: str = UnavailableError.code) -> None:
        super().__init__()
        self.asked = 0
        self._ever, self._code = ever, code

    def wait(self, timeout_s: float) -> Engine:
        self.asked += 1
        if self._ever and self.asked == 3:
            return toy_engine()
        raise UnavailableError("not yet", code=self._code)


def test_a_clip_waits_for_the_nets_but_can_be_stopped_meanwhile(tmp_path: Path) -> None:
    clip = clip_file(tmp_path / "a.mp4", walk(3))
    waited = process_clip(clip, LoadingNets(ever=True), ClipOptions(), tmp_path, ClipWatch())
    assert len(list(waited.frames)) == 3
    nets = LoadingNets(ever=False)
    with pytest.raises(ClipStoppedError):
        process_clip(
            clip, nets, ClipOptions(), tmp_path, ClipWatch(stopped=lambda: nets.asked == 2)
        )


def test_a_clip_does_not_wait_for_nets_that_failed_to_load(tmp_path: Path) -> None:
    clip = clip_file(tmp_path / "a.mp4", walk(3))
    nets = LoadingNets(ever=False, code="ENGINE_UNAVAILABLE")
    with pytest.raises(UnavailableError, match="not yet"):
        process_clip(clip, nets, ClipOptions(), tmp_path, ClipWatch())
    assert nets.asked == 1


def test_interpolated_people_say_so_in_words() -> None:
    assert {word.value for word in Provenance} == {"observed", "predicted", "interpolated"}
