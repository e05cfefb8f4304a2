"""One long clip over several workers: the same result, whatever happens to those that help."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from chunks_kit import Counting, Machine, alone, engine_of, machine, walkers
from jobs_kit import eventually
from makers import clip_file
from toy_engine import picture, toy_engine

from pose_service.core.arrays import ImageArray
from pose_service.core.errors import NotFoundError
from pose_service.core.records import Look, Regions
from pose_service.jobs import shared
from pose_service.jobs.chunk_rows import Chunk
from pose_service.jobs.records import JobState
from pose_service.jobs.roster import WorkerRecord
from pose_service.jobs.service import Order
from pose_service.jobs.storage import DiskFullError, StorageError
from pose_service.media.decode import open_clip
from pose_service.media.part import WHOLE
from pose_service.pipeline.apart import ChunkMaker
from pose_service.pipeline.makers import engine_mark, made_by
from pose_service.pipeline.sights import CHUNK_FRAMES
from pose_service.pipeline.video import ClipStoppedError

FRAMES = 4 * CHUNK_FRAMES + 10


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return walkers(tmp_path_factory.mktemp("clip") / "a.mp4", FRAMES)


@pytest.fixture(scope="module")
def expected(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return alone(tmp_path_factory.mktemp("alone") / "x", clip, toy_engine())


def chunk_of(clip: Path, job_id: str, number: int) -> Chunk:
    return Chunk(job_id, made_by(clip, toy_engine(), WHOLE), number)


def assert_nothing_left(one: Machine, job_id: str) -> None:
    """Neither rows nor files of chunks; they go a moment after the job is finished."""
    eventually(lambda: one.room.rows.settled_jobs() == [] and one.made(job_id) == [])
    assert not one.room.rows.forget(job_id)


def test_two_workers_make_what_one_makes_and_look_at_no_frame_twice(
    clip: Path, tmp_path: Path, expected: list[dict[str, Any]]
) -> None:
    own, helping = Counting(held_at=0), Counting()
    with (
        machine(tmp_path, "one", engine_of(own)) as one,
        machine(tmp_path, "two", engine_of(helping)) as two,
    ):
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.holds)
        two.service.start()
        eventually(lambda: one.made(job_id) == [1, 2, 3])
        own.let_go.set()
        assert two.result(job_id) == expected
        assert helping.observed == 3 * CHUNK_FRAMES
        assert own.observed == own.detected == FRAMES - 3 * CHUNK_FRAMES
        assert one.service.get(job_id).claims == 1
        assert_nothing_left(one, job_id)


def test_workers_share_an_uploaded_clip_through_a_bucket(
    clip: Path, tmp_path: Path, expected: list[dict[str, Any]]
) -> None:
    bucket = {"storage_url": f"memory://{tmp_path.name}/chunks"}
    own, helping = Counting(held_at=0), Counting()
    with (
        machine(tmp_path, "one", engine_of(own), **bucket) as one,
        machine(tmp_path, "two", engine_of(helping), **bucket) as two,
    ):
        one.service.start()
        upload = one.service.uploads_dir / "a.mp4"
        upload.write_bytes(clip.read_bytes())
        job_id = one.service.submit(Order("a.mp4", upload=upload)).job_id
        eventually(lambda: own.holds)
        two.service.start()
        eventually(lambda: helping.observed == 3 * CHUNK_FRAMES)
        eventually(lambda: not two.room.rows.open_jobs())
        own.let_go.set()
        assert one.result(job_id) == expected
        eventually(lambda: one.room.rows.settled_jobs() == [])
        with pytest.raises(NotFoundError):
            one.room.fetch(chunk_of(clip, job_id, 1), tmp_path / "gone.npz", lambda: None)


@pytest.mark.parametrize(
    ("frames", "options", "helped"),
    [
        (CHUNK_FRAMES, {}, 0),
        (CHUNK_FRAMES + 1, {}, 0),
        (2 * CHUNK_FRAMES, {}, 1),
        (2 * CHUNK_FRAMES + 1, {}, 1),
        (FRAMES, {"max_frames": 2 * CHUNK_FRAMES + 5}, 1),
        (FRAMES, {"start_s": 1.0}, 2),
        (FRAMES, {"every": 2, "end_s": 8.1}, 1),
    ],
)
def test_whole_chunks_of_what_is_wanted_of_a_clip_are_shared(
    tmp_path: Path, frames: int, options: dict[str, Any], helped: int
) -> None:
    clip = walkers(tmp_path / "a.mp4", frames)
    whole = alone(tmp_path / "alone", clip, toy_engine(), **options)
    own, helping = Counting(held_at=0), Counting()
    with (
        machine(tmp_path, "one", engine_of(own)) as one,
        machine(tmp_path, "two", engine_of(helping)) as two,
    ):
        one.service.start()
        job_id = one.submit(clip, **options)
        eventually(lambda: own.holds)
        two.service.start()
        eventually(lambda: len(one.made(job_id)) == helped)
        own.let_go.set()
        assert one.result(job_id) == whole
        assert helping.observed == helped * CHUNK_FRAMES
        assert own.observed == len(whole) - helping.observed


def test_a_clip_that_is_shorter_than_it_says_is_helped_with_up_to_its_end(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr("pose_service.media.decode.Clip.stated_frame_count", 100 * CHUNK_FRAMES)
    own, helping = Counting(held_at=0), Counting()
    with (
        machine(tmp_path, "one", engine_of(own)) as one,
        machine(tmp_path, "two", engine_of(helping)) as two,
    ):
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.holds)
        two.service.start()
        eventually(lambda: one.made(job_id) == [1, 2, 3] and not one.room.rows.open_jobs())
        own.let_go.set()
        assert one.result(job_id) == expected


class Mortal(Counting):
    """Nets that fail in their second group of frames."""

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        if self.detected:
            raise RuntimeError("the card is gone")
        return super().detect(images, look)


def test_a_helper_that_fails_leaves_its_chunk_to_the_owner_and_the_clip_alone(
    clip: Path, tmp_path: Path, expected: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    own, helping = Counting(held_at=0), Mortal()
    with (
        machine(tmp_path, "one", engine_of(own)) as one,
        machine(tmp_path, "two", engine_of(helping)) as two,
    ):
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.holds)
        two.service.start()
        eventually(lambda: "the card is gone" in caplog.text)
        middle = chunk_of(clip, job_id, 2)
        eventually(lambda: one.room.rows.state(middle) is None)
        own.let_go.set()
        assert one.result(job_id) == expected
        assert (own.observed, helping.observed) == (FRAMES, 4)


def test_the_chunk_of_a_helper_that_dies_is_offered_to_nobody_else(
    clip: Path, tmp_path: Path, expected: list[dict[str, Any]]
) -> None:
    own, helping = Counting(held_at=0), Counting()
    with (
        machine(tmp_path, "one", engine_of(own)) as one,
        machine(tmp_path, "two", engine_of(helping)) as two,
    ):
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.holds)
        dying = chunk_of(clip, job_id, 2)
        one.parts.roster.beat(WorkerRecord("ghost", "a process that was killed"))
        assert one.room.rows.take(dying, "ghost")
        one.parts.roster.leave("ghost")
        eventually(lambda: one.room.rows.state(dying) is None)
        two.service.start()
        eventually(lambda: one.made(job_id) == [1, 3])
        own.let_go.set()
        assert one.result(job_id) == expected
        assert own.observed == FRAMES - 2 * CHUNK_FRAMES


def test_a_helper_that_lives_and_never_ends_is_not_waited_for_long(
    clip: Path, tmp_path: Path, expected: list[dict[str, Any]]
) -> None:
    own = Counting(held_at=0)
    with machine(tmp_path, "one", engine_of(own)) as one:
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.holds)
        one.parts.roster.beat(WorkerRecord("slow", "another machine"))
        assert one.room.rows.take(chunk_of(clip, job_id, 1), "slow")
        own.let_go.set()
        assert one.result(job_id) == expected
        assert own.observed == FRAMES
        assert not one.room.rows.made(chunk_of(clip, job_id, 1), "slow"), "it comes too late"


def test_a_chunk_in_the_making_is_waited_for(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: list[dict[str, Any]]
) -> None:
    own, helping = Counting(held_at=0), Counting(held_at=2 * CHUNK_FRAMES)
    waiting = threading.Event()
    real = shared.SharedChunks._is_made

    def is_made(self: shared.SharedChunks, chunk: Chunk) -> bool:
        self._patience_s = 3600.0
        if chunk.number == 1:
            waiting.set()
        return real(self, chunk)

    monkeypatch.setattr(shared.SharedChunks, "_is_made", is_made)
    with (
        machine(tmp_path, "one", engine_of(own)) as one,
        machine(tmp_path, "two", engine_of(helping)) as two,
    ):
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.holds)
        two.service.start()
        eventually(lambda: helping.holds)
        assert one.made(job_id) == [2, 3]
        own.let_go.set()
        eventually(waiting.is_set)
        helping.let_go.set()
        assert one.result(job_id) == expected
        assert own.observed == FRAMES - 3 * CHUNK_FRAMES


@pytest.mark.parametrize("apart", [True, False])
def test_a_clip_whose_worker_died_goes_on_elsewhere_from_its_last_finished_chunk(
    clip: Path, tmp_path: Path, expected: list[dict[str, Any]], apart: bool
) -> None:
    dying, going_on = Counting(held_at=2 * CHUNK_FRAMES + 10), Counting()
    with (
        machine(tmp_path, "one", engine_of(dying, frames_apart=apart)) as one,
        machine(tmp_path, "two", engine_of(going_on, frames_apart=apart)) as two,
    ):
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: dying.holds)
        assert one.made(job_id) == [0, 1]
        assert one.room.rows.open_jobs() == [job_id] * apart
        one.parts.roster.leave(one.worker_id)
        two.service.start()
        assert two.result(job_id) == expected
        assert going_on.observed == FRAMES - 2 * CHUNK_FRAMES
        assert two.service.get(job_id).claims == 2
        dying.let_go.set()
        assert_nothing_left(two, job_id)


@pytest.mark.parametrize(
    "changed", [{"model_version": "toy/2"}, {"setup": "fp16"}, {"frames_apart": False}]
)
def test_a_worker_with_another_engine_does_not_help(
    clip: Path, tmp_path: Path, expected: list[dict[str, Any]], changed: dict[str, Any]
) -> None:
    own, other = Counting(held_at=0), Counting()
    with (
        machine(tmp_path, "one", engine_of(own)) as one,
        machine(tmp_path, "two", engine_of(other, **changed)) as two,
    ):
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.holds)
        two.service.start()
        offered = one.room.rows.offered(engine_mark(engine_of(other, **changed)))
        assert bool(offered) == ("frames_apart" in changed)
        assert two.service.worker is not None
        two.service.worker._called("a hint")
        assert one.made(job_id) == []
        own.let_go.set()
        assert one.result(job_id) == expected
        assert (own.observed, other.observed) == (FRAMES, 0)


def test_a_worker_that_has_another_file_in_the_clips_place_does_not_help(
    tmp_path: Path, expected: list[dict[str, Any]]
) -> None:
    clip = walkers(tmp_path / "a.mp4", FRAMES)
    own, other = Counting(held_at=0), Counting()
    with (
        machine(tmp_path, "one", engine_of(own)) as one,
        machine(tmp_path, "two", engine_of(other)) as two,
    ):
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.holds)
        # a box of MP4 that nobody minds
        clip.write_bytes(clip.read_bytes() + b"\0\0\0\x08free")
        two.service.start()
        assert two.service.worker is not None
        two.service.worker._called("a hint")
        assert len(one.room.rows.offered(engine_mark(toy_engine()))) == 3
        own.let_go.set()
        assert one.result(job_id) == expected
        assert (own.observed, other.observed) == (FRAMES, 0)


@pytest.mark.parametrize("fault", [StorageError("away"), DiskFullError("full")])
@pytest.mark.parametrize("what", ["put", "fetch"])
def test_a_clip_comes_out_while_its_chunks_cannot_be_stored(
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expected: list[dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
    fault: Exception,
    what: str,
) -> None:
    own, helping = Counting(held_at=0), Counting()
    with (
        machine(tmp_path, "one", engine_of(own)) as one,
        machine(tmp_path, "two", engine_of(helping)) as two,
    ):

        def fail(*arguments: object) -> None:
            raise fault

        for it in (one, two):
            monkeypatch.setattr(it.parts.tools.storage, what, fail)
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.holds)
        two.service.start()
        eventually(lambda: helping.observed >= CHUNK_FRAMES)
        own.let_go.set()
        assert one.result(job_id) == expected
        assert "goes on without helpers for now" in caplog.text
        assert_nothing_left(one, job_id)


def test_a_helper_of_a_cancelled_clip_stops_and_nothing_is_left(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pose_service.jobs.helper.LOOK_EVERY_S", 0.0)
    own, helping = Counting(held_at=0), Counting(held_at=CHUNK_FRAMES + 8)
    with (
        machine(tmp_path, "one", engine_of(own)) as one,
        machine(tmp_path, "two", engine_of(helping)) as two,
    ):
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.holds)
        two.service.start()
        eventually(lambda: helping.holds)
        one.service.cancel(job_id)
        eventually(lambda: not one.room.rows.settled_jobs())
        helping.let_go.set()
        own.let_go.set()
        other = two.submit(walkers(tmp_path / "b.mp4", 8))
        assert len(two.result(other)) == 8
        assert one.service.get(job_id).state is JobState.CANCELLED
        assert helping.observed + own.observed < 2 * CHUNK_FRAMES
        assert_nothing_left(one, job_id)


def test_a_clip_that_waits_goes_before_chunks_of_another(
    clip: Path, tmp_path: Path, expected: list[dict[str, Any]]
) -> None:
    own, helping = Counting(held_at=0), Counting(held_at=8)
    with (
        machine(tmp_path, "one", engine_of(own)) as one,
        machine(tmp_path, "two", engine_of(helping)) as two,
    ):
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.holds)
        two.service.start()
        eventually(lambda: helping.holds)
        narrow = picture((4, 8, 24, 40), size=(64, 48))
        waiting = one.submit(clip_file(tmp_path / "b.mp4", [narrow] * 8))
        helping.let_go.set()
        assert len(one.result(waiting)) == 8
        assert one.service.get(waiting).worker_id == two.worker_id
        # and then it helps on
        eventually(lambda: one.made(job_id) == [1, 2, 3])
        # the chunk that it had in hand, and then the clip
        assert helping.widths_px[: CHUNK_FRAMES + 8] == [320] * CHUNK_FRAMES + [64] * 8
        own.let_go.set()
        assert one.result(job_id) == expected


def test_a_helper_that_stops_gives_its_chunk_back(clip: Path, tmp_path: Path) -> None:
    own, helping = Counting(held_at=0), Counting(held_at=8)
    with machine(tmp_path, "one", engine_of(own)) as one:
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.holds)
        with machine(tmp_path, "two", engine_of(helping)) as two:
            two.service.start()
            eventually(lambda: helping.holds)
            assert two.service.worker is not None
            two.service.worker.stopping.set()
            helping.let_go.set()
        assert len(one.room.rows.offered(engine_mark(toy_engine()))) == 3
        own.let_go.set()
        one.service.wait(job_id, 20)


def test_a_chunk_made_apart_is_to_the_bit_that_of_the_owner(clip: Path, tmp_path: Path) -> None:
    own = Counting(held_at=FRAMES - 4)
    with machine(tmp_path, "one", engine_of(own)) as one:
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.holds)
        maker = ChunkMaker(_Lent(), open_clip(clip), lambda: None)
        for number in (3, 0, 1):
            path = tmp_path / f"{number}.npz"
            assert maker.make(number, path)
            stored = one.parts.tools.storage.local(chunk_of(clip, job_id, number).key)
            assert stored is not None
            assert path.read_bytes() == stored.read_bytes()
        assert not maker.make(4, tmp_path / "4.npz"), "it has ten frames only"
        maker.close()
        own.let_go.set()
        one.result(job_id)


class _Lent:
    def run_clip(self, work: Any) -> Any:
        return work(toy_engine())


def test_decoding_up_to_a_far_chunk_can_be_broken_off(clip: Path) -> None:
    passed = []

    def go_on() -> None:
        passed.append(0)
        if len(passed) == 7:
            raise ClipStoppedError("enough")

    maker = ChunkMaker(_Lent(), open_clip(clip), go_on)
    with pytest.raises(ClipStoppedError, match="enough"):
        maker.make(3, clip.with_name("never.npz"))
    maker.close()
    assert not clip.with_name("never.npz").exists()
