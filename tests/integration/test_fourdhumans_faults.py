"""What can be wrong with files of the 4dhumans engine and the machine: told wherever one looks.

`/health`, `doctor` and the log name what is wrong and what to do; commands say it at once.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import official_files as official
import pytest
import standin_smpl
import torch
from fourdhumans_kit import (
    FETCH,
    REMEDY,
    Files,
    Machine,
    another_checkpoint,
    another_detector,
    cut,
    free_port,
    page,
    put,
    served,
)
from official_answer import request

from pose_service.bodies.smpl_files import NEUTRAL_BODY, PAGE
from pose_service.engines import fourdhumans
from pose_service.hmr2.files import ARCHIVE, CHECKPOINT, EXTRA_JOINTS
from pose_service.runtime import device
from pose_service.vitdet.files import DETECTOR


def _wrong_body(**changed: object) -> Callable[[Path], object]:
    return lambda path: official.write_body(path, **changed)


SMPL_X = {
    "v_template": np.zeros((10475, 3)), "weights": np.zeros((10475, 55)),
    "J_regressor": np.zeros((55, 10475)),
}  # fmt: skip
FETCH_AGAIN, GET_BODY = "fetch-weights 4dhumans", f"Register at {PAGE}"
WRONG_FILES: dict[str, tuple[str, Callable[[Path], object], str, str]] = {
    "no detector": (DETECTOR.name, Path.unlink, "is missing: finds people", FETCH_AGAIN),
    "half a detector": (DETECTOR.name, lambda path: cut(path, 0.5), "ends early", FETCH_AGAIN),
    "most of a detector": (
        DETECTOR.name, lambda path: cut(path, 0.99), "ends early or is damaged", FETCH_AGAIN
    ),
    "another detector": (
        DETECTOR.name, lambda path: put(path, another_detector), "does not fit", FETCH_AGAIN
    ),
    "half a checkpoint": (
        CHECKPOINT.name, lambda path: cut(path, 0.5), "ends early or is damaged", FETCH_AGAIN
    ),
    "another checkpoint": (
        CHECKPOINT.name,
        lambda path: put(path, another_checkpoint),
        "not one of HMR 2.0: not known: backbone.blocks.3.",
        FETCH_AGAIN,
    ),
    "a matrix of 17 joints": (
        EXTRA_JOINTS.name,
        lambda path: put(path, lambda path: standin_smpl.write_pickle(path, np.ones((17, 6890)))),
        "expected (19, 6890), got (17, 6890)",
        FETCH_AGAIN,
    ),
    "no body": (NEUTRAL_BODY.name, Path.unlink, "is missing: the body", GET_BODY),
    "a page for a body": (
        NEUTRAL_BODY.name, lambda path: put(path, page), "the download wanted a login", GET_BODY
    ),
    "half a body": (
        NEUTRAL_BODY.name, lambda path: cut(path, 0.5), "ends early or is damaged", GET_BODY
    ),
    "a female body": (
        NEUTRAL_BODY.name,
        lambda path: put(path, _wrong_body(gender="female")),
        "it is the female body",
        GET_BODY,
    ),
    "an SMPL-X body": (
        NEUTRAL_BODY.name,
        lambda path: put(path, _wrong_body(**SMPL_X)),
        "it is a SMPL-X body (10475 vertices, 55 joints)",
        GET_BODY,
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_FILES)
def test_a_wrong_file_is_told_by_health_doctor_and_log_with_what_to_do(
    machine: Machine, installed: Files, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    name, damage, words, remedy = WRONG_FILES[wrong]
    damage(installed[name])
    health = machine.health()
    assert (health["status"], health["ready"]) == ("not_ready", False)
    assert set(health["models"].values()) == {"not_loaded"}
    code, said = machine.run("doctor")
    assert code == 1
    assert "it cannot serve" in said
    for told in (health["error"], said, caplog.text):
        assert name in told
        assert words in told
        assert remedy in told


@pytest.mark.parametrize("wrong", WRONG_FILES)
def test_what_the_remedy_says_puts_a_wrong_file_right(
    machine: Machine, installed: Files, originals: Path, wrong: str
) -> None:
    name, damage, _, remedy = WRONG_FILES[wrong]
    official.write_mirror(machine.mirror, originals / "tree")
    damage(installed[name])
    if "Delete it or move it away." in machine.health()["error"]:
        installed[name].unlink()
    body = originals / official.HANDED_OUT_BODY
    assert machine.run(*FETCH, *(["--from", body] if remedy == GET_BODY else []))[0] == 0
    assert machine.health()["status"] == "ready"


def test_a_body_of_a_sex_is_refused_by_its_name_before_it_is_read(
    machine: Machine, installed: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    male = machine.folder / "basicmodel_m_lbs_10_207_0_v1.1.0.pkl"
    installed[NEUTRAL_BODY.name].rename(male)
    monkeypatch.setenv("POSE_SMPL_FILE", str(male))
    error = machine.health()["error"]
    assert f"{male} cannot be used as" in error
    assert "it is the male body" in error
    assert PAGE in error
    monkeypatch.setenv("POSE_SMPL_FILE", str(machine.folder / "nothing.pkl"))
    assert "nothing.pkl: there is no such file" in machine.health()["error"]


def test_a_frame_is_503_with_the_reason_while_a_file_is_missing(
    machine: Machine, installed: Files
) -> None:
    installed[CHECKPOINT.name].unlink()
    with served() as client:
        answer = client.post("/pose/hybrid", json=request())
        assert (answer.status_code, answer.get_json()["error_type"]) == (503, "ENGINE_UNAVAILABLE")
        assert f"{CHECKPOINT.name} is missing" in answer.get_json()["error"]
        assert int(answer.headers["Retry-After"]) >= 1


# What can be wrong with the machine


def test_no_network_is_told_with_how_to_do_without(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSE_WEIGHTS_MIRROR", f"http://127.0.0.1:{free_port()}")
    code, said = machine.run(*FETCH)
    assert code == 2
    for name in (DETECTOR.name, ARCHIVE.name):
        assert f"/{name} cannot be fetched: [Errno" in said
    assert "--from FILE" in said
    assert REMEDY in machine.health()["error"]


def test_a_full_disk_is_told_before_anything_is_fetched(
    machine: Machine, originals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official.write_mirror(machine.mirror, originals / "tree")
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
        code, said = machine.run(*FETCH)
    assert code == 2
    assert "MB are needed in" in said
    assert "set POSE_DATA_DIR to a folder on another disk" in said
    assert not list(machine.data.rglob("*.*"))
    assert machine.run(*FETCH)[0] == 0


def test_a_folder_that_cannot_be_written_is_told(machine: Machine) -> None:
    machine.data.write_text("a file is in the way")
    code, said = machine.run(*FETCH)
    assert code == 2
    assert "cannot be written" in said
    assert "Set POSE_DATA_DIR to a folder that you may write in." in said
    code, said = machine.run("doctor")
    assert code == 1
    assert f"{machine.data} cannot be written" in said


@pytest.mark.usefixtures("installed")
def test_a_card_that_cannot_be_used_is_told_and_never_replaced_by_the_processor(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for module in (fourdhumans, device):
        monkeypatch.setattr(module, "nvidia_cards", lambda: 1)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setenv("POSE_DEVICE", "auto")
    health = machine.health()
    code, said = machine.run("doctor")
    assert (health["status"], code) == ("not_ready", 1)
    for told in (health["error"], said, caplog.text):
        assert "is built without CUDA" in told
        assert "Run setup-4d-humans-wsl.sh" in told
        assert "set POSE_DEVICE=cpu" in told
