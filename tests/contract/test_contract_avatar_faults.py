"""Avatars when something is away or full: a clear word, and no half record."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from avatar_contract_kit import AVATAR, AvatarCaller, files_below, making_avatars
from contract_kit import person_base64, running
from file_server import mirror_of
from makers import clip_file
from servers import wait_for
from toy_engine import picture

from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.engines.seam import Engine
from pose_service.jobs.storage import DiskFullError, FolderStorage, StorageError

USER = "ann"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path, max_queue=1, storage_wait_s=0.0)


@pytest.fixture
def avatars(settings: Settings) -> Iterator[AvatarCaller]:
    with making_avatars(settings) as caller:
        yield caller


def nothing_is_left(avatars: AvatarCaller, state_dir: Path) -> None:
    assert avatars.caller.get(f"{AVATAR}/{USER}").status == 404
    # a job is finished a moment before its files are gone
    wait_for(lambda: not files_below(state_dir / "jobs"))
    wait_for(lambda: not [*(state_dir / "uploads").iterdir(), *(state_dir / "work").iterdir()])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StorageError("the store is away"), "STORAGE_UNAVAILABLE"),
        (DiskFullError("no room"), "DISK_FULL"),
    ],
)
def test_a_picture_that_cannot_be_stored_is_not_taken_in(
    avatars: AvatarCaller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    error: Exception, code: str,
) -> None:  # fmt: skip
    def put(self: FolderStorage, file: Path, key: str) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(FolderStorage, "put", put)
        answer = avatars.post(USER)
    assert (answer.status, answer.body["error_type"]) == (503, code)
    assert avatars.caller.get("/jobs").body["jobs"] == []
    nothing_is_left(avatars, tmp_path)


def test_files_that_cannot_be_stored_make_an_error_and_no_record(
    avatars: AvatarCaller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish(self: FolderStorage, folder: Path, key: str) -> None:
        raise StorageError("the store is away")

    monkeypatch.setattr(FolderStorage, "publish", publish)
    job = avatars.finished(avatars.post(USER))
    assert (job["error"], job["error_type"]) == ("the store is away", "STORAGE_UNAVAILABLE")
    nothing_is_left(avatars, tmp_path)


def test_a_full_disk_while_the_files_are_written_makes_an_error_and_no_record(
    avatars: AvatarCaller, tmp_path: Path
) -> None:
    def full(step: str) -> None:
        if step == "write":
            raise OSError(errno.ENOSPC, "No space left on device")

    avatars.steps.before = full
    job = avatars.finished(avatars.post(USER))
    assert (job["status"], job["error_type"]) == ("error", "DISK_FULL")
    nothing_is_left(avatars, tmp_path)


def test_a_mistake_in_a_step_is_an_error_of_that_job_alone(avatars: AvatarCaller) -> None:
    def mistake(step: str) -> None:
        raise ZeroDivisionError("by a mistake")

    avatars.steps.before = mistake
    job = avatars.finished(avatars.post(USER))
    assert (job["status"], job["error_type"]) == ("error", "ZeroDivisionError")
    avatars.steps.before = lambda step: None
    assert avatars.made(USER)["version"] == 1


def test_a_body_that_cannot_be_measured_is_said_with_what_to_do(avatars: AvatarCaller) -> None:
    def legs(step: str) -> None:
        if step == "measure":
            raise ValueError("the legs are not free")

    avatars.steps.before = legs
    job = avatars.finished(avatars.post(USER))
    assert (job["status"], job["error_type"]) == ("error", "UNMEASURABLE")
    assert "the legs are not free" in job["error"] and "apart" in job["hint"]


def test_a_full_queue_says_when_to_come_again(avatars: AvatarCaller) -> None:
    gate: list[str] = []

    def wait(step: str) -> None:
        wait_for(lambda: gate)

    avatars.steps.before = wait
    answers = [avatars.post(f"user {number}") for number in range(4)]
    gate.append("open")
    assert [answer.status for answer in answers] == [202, 202, 503, 503]
    assert answers[-1].body["error_type"] == "QUEUE_FULL"
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_an_engine_that_cannot_be_loaded_refuses_at_once_with_the_reason(
    settings: Settings,
) -> None:
    def broken(settings: Settings) -> tuple[Engine, str]:
        raise EngineError("a file is missing", hint="Fetch it.")

    body = {"user_id": USER, "gender": "male", "image_base64": person_base64()}
    with running(settings, broken) as caller:
        wait_for(lambda: caller.get("/health").body["status"] == "not_ready")
        answer = caller.post(AVATAR, json=body)
    assert (answer.status, answer.body["error_type"]) == (503, "ENGINE_UNAVAILABLE")
    assert "a file is missing" in answer.body["error"]


def test_a_clip_at_an_address_is_fetched_and_one_that_leads_inside_is_refused(
    tmp_path: Path, settings: Settings
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    clip_file(site / "turn.mp4", [picture((40, 40, 90, 200))] * 6)
    body = {"user_id": USER, "gender": "male"}
    reachable = settings.model_copy(update={"allow_private_urls": True})
    with making_avatars(reachable) as avatars, mirror_of(site) as url:
        answer = avatars.caller.post(AVATAR, json={**body, "video_url": f"{url}/turn.mp4"})
        assert avatars.finished(answer)["status"] == "complete"
        assert avatars.record(USER)["quality"]["pictures"] == 6
        refused = avatars.caller.post(AVATAR, json={**body, "video_url": "file:///etc/passwd"})
        assert (refused.status, refused.body["error_type"]) == (400, "BAD_URL")
    with making_avatars(settings) as avatars:
        inside = avatars.caller.post(AVATAR, json={**body, "video_url": "http://127.0.0.1/a.mp4"})
        assert (inside.status, inside.body["error_type"]) == (400, "BAD_URL")
        path = avatars.caller.post(AVATAR, json={**body, "video_path": "/etc/passwd"})
        assert (path.status, path.body["error_type"]) == (400, "BAD_PATH")


def test_a_front_without_nets_takes_avatars_in_and_shows_what_workers_made(
    tmp_path: Path, settings: Settings
) -> None:
    front = settings.model_copy(update={"front_only": True})
    with making_avatars(front) as before:
        queued = before.post(USER)
        assert before.job(queued.body["job_id"])["status"] == "queued"
    with making_avatars(settings) as worker:
        assert worker.finished(queued)["status"] == "complete"
    with making_avatars(front) as after:
        record = after.record(USER)
        assert after.file(record["mesh_url"])[0] == 200
        assert after.caller.ask("DELETE", f"{AVATAR}/{USER}").status == 200
        nothing_is_left(after, tmp_path)
