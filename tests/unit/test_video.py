"""Clips on toy nets: bright rectangles are people."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from coloured_people import Nets
from makers import clip_changing_size, clip_file, truncated
from toy_engine import ToyRegressor, ToyTracker, picture, toy_engine

from pose_service.core.arrays import ImageArray
from pose_service.core.errors import BadVideoError, NotFoundError, UnavailableError
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.records import (
    BodyPoses,
    Look,
    Observation,
    Provenance,
    Regions,
    TrackedFrame,
)
from pose_service.engines.seam import Engine
from pose_service.pipeline.frame_lines import FRAMES_NAME, HEAD_NAME
from pose_service.pipeline.results import StoredClip, write_result
from pose_service.pipeline.second_pass import STRETCH_FRAMES
from pose_service.pipeline.video import (
    ClipOptions,
    ClipRun,
    ClipStoppedError,
    ClipWatch,
    process_clip,
)
from pose_service.temporal.kinematic import KinematicModel

WALKS = (20, 40, 80, 200)


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


def test_one_sight_is_enough_for_a_whole_short_clip(tmp_path: Path) -> None:
    images = [picture(), picture(), picture(WALKS), picture(), picture()]
    clip_run = run(clip_file(tmp_path / "a.mp4", images), tmp_path)
    # of five frames two must show somebody; of three one is enough
    assert [frame.people for frame in clip_run.frames] == [()] * 5
    clip_run = run(clip_file(tmp_path / "b.mp4", images[1:4]), tmp_path)
    assert provenance(list(clip_run.frames), 1) == "pop"
    (quality,) = clip_run.quality()
    assert (quality.coverage, quality.seen) == (1.0, 0.3333)


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


def test_each_frames_own_solution_is_kept_where_somebody_was_seen(tmp_path: Path) -> None:
    """The toy's landmarks jump by 8 px in one frame; smoothing takes that away, raw keeps it."""
    clip = clip_file(tmp_path / "a.mp4", walk(30, blank=range(5, 9)))
    smoothing = replace(toy_engine(), temporal=KinematicModel())
    write_result(
        tmp_path, process_clip(clip, Nets(smoothing), ClipOptions(), tmp_path, ClipWatch())
    )
    for frame in StoredClip.open(tmp_path).frames():
        (one,) = frame.people
        assert (one.raw_pose is not None) == (one.provenance is Provenance.OBSERVED)
    own = list(run(clip, tmp_path, smooth=False).frames)
    for frame, unsmoothed in zip(StoredClip.open(tmp_path).frames(), own, strict=True):
        raw, wanted = frame.people[0].raw_pose, unsmoothed.people[0]
        if raw is not None:
            np.testing.assert_allclose(raw.translations_m, wanted.pose.translations_m, rtol=1e-6)


def test_rotations_of_a_raw_pose_come_back_to_a_thousandth_of_a_degree(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    vectors = generator.normal(0, 1, (1, 24, 3))
    raw = BodyPoses(rotation_from_vector(vectors), np.array([[1.0, 2, 3]]), np.ones((1, 10)))
    clip_run = run(clip_file(tmp_path / "a.mp4", walk(3)), tmp_path)
    frames = [
        replace(frame, people=tuple(replace(one, raw_pose=raw) for one in frame.people))
        for frame in clip_run.frames
    ]
    write_result(tmp_path, replace(clip_run, frames=iter(frames)))
    (back, *_) = StoredClip.open(tmp_path).frames()
    found = back.people[0].raw_pose
    assert found is not None
    # five decimals of a radian: half of 1e-5 in each of three numbers, as much in the matrix
    np.testing.assert_allclose(found.rotations, raw.rotations, atol=2e-5)
    np.testing.assert_allclose(found.translations_m, raw.translations_m)


def test_what_an_older_service_stored_can_be_read(tmp_path: Path) -> None:
    write_result(tmp_path, run(clip_file(tmp_path / "a.mp4", walk(9)), tmp_path))
    head = orjson.loads((tmp_path / HEAD_NAME).read_bytes())
    assert head.pop("quality") and head.pop("merged_tracks") == []
    (tmp_path / HEAD_NAME).write_bytes(orjson.dumps(head))
    lines = [orjson.loads(line) for line in (tmp_path / FRAMES_NAME).read_bytes().splitlines()]
    for line in lines:
        for one in line["people"]:
            del one["raw"], one["identity_risk"]
    (tmp_path / FRAMES_NAME).write_bytes(b"\n".join(map(orjson.dumps, lines)))
    stored = StoredClip.open(tmp_path)
    assert (stored.head.quality, stored.head.merged_tracks) == ((), ())
    assert [frame.people[0].raw_pose for frame in stored.frames()] == [None] * 9


def test_a_result_without_its_head_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "frames.ndjson").write_bytes(b"{}\n")
    with pytest.raises(NotFoundError):
        StoredClip.open(tmp_path)


class SpoilingRegressor(ToyRegressor):
    """In the 9th and 10th picture the landmarks are no numbers."""

    def __init__(self) -> None:
        self._pictures = 0

    def observe(
        self, images: Sequence[ImageArray], regions: Sequence[Regions], look: Look = Look.PICTURE
    ) -> list[list[Observation]]:
        seen = super().observe(images, regions, look)
        spoilt = [
            [replace(one, landmarks_px=np.full((2, 2), np.nan)) for one in of_image]
            if self._pictures + place in (8, 9)
            else of_image
            for place, of_image in enumerate(seen)
        ]
        self._pictures += len(images)
        return spoilt


class StrictTracker(ToyTracker):
    """Follows nobody whose place is no number, as real trackers cannot."""

    def update(
        self, frame_index: int, image: ImageArray, observations: Sequence[Observation]
    ) -> list[Observation]:
        assert all(np.isfinite(seen.landmarks_px).all() for seen in observations)
        return super().update(frame_index, image, observations)


def test_a_net_that_answers_no_numbers_costs_those_sights_and_nothing_else(
    tmp_path: Path,
) -> None:
    clip = clip_file(tmp_path / "a.mp4", walk(20))
    nets = Nets(
        replace(
            toy_engine(), regressor=SpoilingRegressor(), new_tracker=lambda fps: StrictTracker()
        )
    )
    clip_run = process_clip(clip, nets, ClipOptions(), tmp_path, ClipWatch())
    frames = list(clip_run.frames)
    assert provenance(frames, 1) == 8 * "o" + "ii" + 10 * "o"
    assert any("not finite: 2" in note for note in clip_run.info.notes)


def test_a_clip_whose_size_changes_is_answered_in_its_first_size(tmp_path: Path) -> None:
    clip = clip_changing_size(tmp_path / "a.ts", [(64, 48), (96, 48)])
    clip_run = run(clip, tmp_path)
    frames = list(clip_run.frames)
    assert len(frames) == clip_run.info.frame_count == 10
    assert {(one.camera.width_px, one.camera.height_px) for one in frames} == {(64, 48)}
    assert any("another size" in note for note in clip_run.info.notes)


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
