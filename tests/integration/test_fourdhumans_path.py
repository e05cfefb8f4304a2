"""The 4dhumans engine from what is handed out to answers: fetched, checked, opened, built, asked.

Commands, service and engine are the real ones; the plug-in beside the tests makes the nets tiny.
"""

import logging
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import official_files as official
import pytest
import standin_smpl
import torch
from fourdhumans_kit import (
    FETCH,
    PHALP_NAMES,
    REMEDY,
    Files,
    Machine,
    Touch,
    another_checkpoint,
    another_detector,
    cut,
    flip,
    page,
    put,
    served,
)
from official_answer import assert_official, request

from pose_service.bodies.smpl_files import NEUTRAL_BODY, PAGE
from pose_service.hmr2.files import ARCHIVE, CHECKPOINT, EXTRA_JOINTS
from pose_service.phalp.files import APPEARANCE, POSE_PREDICTOR, POSE_SETTINGS
from pose_service.vitdet.files import DETECTOR

PHALP_WEIGHTS = {APPEARANCE.name, POSE_PREDICTOR.name, POSE_SETTINGS.name}


def test_what_is_handed_out_becomes_the_bodies_of_official_code(
    machine: Machine, originals: Path, caplog: pytest.LogCaptureFixture
) -> None:
    official.write_mirror(machine.mirror, originals / "tree")

    code, said = machine.run(*FETCH)
    assert code == 0
    assert f"{NEUTRAL_BODY.name} is missing" in said
    assert PAGE in said
    assert str(machine.data / NEUTRAL_BODY.folder) in said
    assert PAGE in machine.health()["error"]

    code, said = machine.run(*FETCH, "--from", originals / official.HANDED_OUT_BODY)
    assert (code, "4dhumans: every file is here" in said) == (0, True)
    assert {path.name for path in machine.data.rglob("*") if path.is_file()} == {
        DETECTOR.name, CHECKPOINT.name, EXTRA_JOINTS.name, official.HANDED_OUT_BODY, *PHALP_NAMES,
    }  # fmt: skip
    assert machine.run("doctor")[0] == 0

    with served() as client, caplog.at_level(logging.INFO):
        health = client.get("/health").get_json()
        assert (health["status"], health["engine"]) == ("ready", "4dhumans")
        answer = client.post("/pose/hybrid", json=request())
    assert answer.status_code == 200
    assert answer.get_json()["model_version"] == "4dhumans/tiny+smpl-neutral"
    assert_official(answer.get_json())


@pytest.mark.parametrize("mode", ["w:gz", "w:xz"])
def test_an_archive_that_is_compressed_serves_as_well(
    machine: Machine, originals: Path, mode: str
) -> None:
    official.write_mirror(machine.mirror, originals / "tree")
    with tarfile.open(machine.mirror / ARCHIVE.name, mode) as archive:  # type: ignore[call-overload]
        archive.add(originals / "tree", ".")
    assert machine.run(*FETCH)[0] == 0


def test_a_copy_in_upstreams_own_cache_is_used_where_it_lies(
    machine: Machine, originals: Path
) -> None:
    cache = machine.folder / "home" / ".cache" / "4DHumans"
    shutil.copytree(originals / "tree", cache)
    shutil.copy(originals / official.HANDED_OUT_BODY, cache / "data")
    for name, folder in (("weights", PHALP_WEIGHTS), ("3D", PHALP_NAMES - PHALP_WEIGHTS)):
        own = cache.parent / "phalp" / name
        own.mkdir(parents=True)
        for file in folder:
            shutil.copy(originals / "data" / DETECTOR.folder / file, own)
    official.write_detector(machine.mirror / DETECTOR.name)
    code, said = machine.run(*FETCH)
    assert (code, "4dhumans: every file is here" in said) == (0, True)
    assert {path.name for path in machine.data.rglob("*") if path.is_file()} == {DETECTOR.name}
    health = machine.health()
    assert (health["status"], health["models"]["phalp"]) == ("ready", "loaded")


# What can be wrong with what is fetched


WRONG_DETECTORS: dict[str, tuple[Callable[[Path], object], str]] = {
    "half of it": (lambda path: cut(path, 0.5), "ends early: at least 3236024 bytes"),
    "nearly all of it": (lambda path: cut(path, 0.99), "ends early or is damaged"),
    "a page": (page, "it is a web page: the download wanted a login"),
    "a short page": (lambda path: path.write_bytes(b"<html>"), "at least 1618012 bytes, got 6"),
    "another net": (another_detector, "does not fit: 1 missing: backbone.net.pos_embed"),
    "the checkpoint renamed": (
        lambda path: official.write_checkpoint(path, more=torch.zeros(10**6)),
        "it is a PyTorch checkpoint, a pickle was expected",
    ),
    "the body renamed": (official.write_body, "cannot be used as a detectron2 checkpoint"),
    "nothing": (Path.unlink, "the server answers 404"),
}


@pytest.mark.parametrize("wrong", WRONG_DETECTORS)
def test_a_wrong_detector_is_refused_and_the_right_one_is_taken_after_it(
    machine: Machine, originals: Path, wrong: str
) -> None:
    damage, words = WRONG_DETECTORS[wrong]
    official.write_mirror(machine.mirror, originals / "tree")
    damage(machine.mirror / DETECTOR.name)
    code, said = machine.run(*FETCH)
    assert code == 2
    assert words in said
    assert "fetch the file on another machine" in said
    assert not (machine.data / DETECTOR.folder / DETECTOR.name).exists()
    # one that fails does not keep the others from coming
    assert (machine.data / CHECKPOINT.folder / CHECKPOINT.name).exists()
    health = machine.health()
    assert health["status"] == "not_ready"
    assert f"{DETECTOR.name} is missing" in health["error"]
    assert REMEDY in health["error"]

    put(machine.mirror / DETECTOR.name, official.write_detector)
    assert machine.run(*FETCH)[0] == 0


def _in_tree(place: int, change: Callable[[Path], object]) -> Callable[[Path, Path], None]:
    """`change` one of the archive's two files before it is packed."""

    def repack(archive: Path, tree: Path) -> None:
        change(tree / ARCHIVE.members[place][0])
        official.pack(tree, archive)

    return repack


def _linked(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


WRONG_ARCHIVES: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "half of it": (lambda archive, _: cut(archive, 0.5), "is not a tar archive that is whole"),
    "a page": (lambda archive, _: page(archive), "is not a tar archive that is whole"),
    "another file": (
        lambda archive, _: put(archive, official.write_detector),
        "is not a tar archive that is whole",
    ),
    "half a checkpoint": (_in_tree(0, lambda path: cut(path, 0.5)), "it ends early or is damaged"),
    "a flipped bit": (_in_tree(0, flip), "it is damaged (checksum of"),
    "another net": (_in_tree(0, another_checkpoint), "not one of HMR 2.0: not known: backbone."),
    "no checkpoint": (_in_tree(0, Path.unlink), f"has no {ARCHIVE.members[0][0]}"),
    "no matrix": (_in_tree(1, Path.unlink), f"has no {ARCHIVE.members[1][0]}"),
    "a linked matrix": (_in_tree(1, _linked), "is no plain file"),
    "half a matrix": (_in_tree(1, lambda path: cut(path, 0.9)), "it ends early or is damaged"),
}


@pytest.mark.parametrize("wrong", WRONG_ARCHIVES)
def test_a_wrong_archive_is_refused_and_the_right_one_is_taken_after_it(
    machine: Machine, originals: Path, wrong: str
) -> None:
    damage, words = WRONG_ARCHIVES[wrong]
    tree = machine.folder / "tree"
    shutil.copytree(originals / "tree", tree)
    official.write_mirror(machine.mirror, tree)
    damage(machine.mirror / ARCHIVE.name, tree)
    code, said = machine.run(*FETCH)
    assert code == 2
    assert words in said
    assert {path.name for path in machine.data.rglob("*.*")} < {
        DETECTOR.name, CHECKPOINT.name, EXTRA_JOINTS.name, *PHALP_NAMES
    }  # fmt: skip
    health = machine.health()
    assert "is missing: " in health["error"]
    assert REMEDY in health["error"]

    put(machine.mirror / ARCHIVE.name, lambda path: official.pack(originals / "tree", path))
    assert machine.run(*FETCH)[0] == 0


@pytest.mark.parametrize("name", [DETECTOR.name, CHECKPOINT.name, EXTRA_JOINTS.name])
def test_a_hostile_file_is_named_and_never_run(
    machine: Machine, originals: Path, name: str
) -> None:
    tree = machine.folder / "tree"
    shutil.copytree(originals / "tree", tree)
    touch = Touch(machine.trace)
    if name == CHECKPOINT.name:
        official.write_checkpoint(tree / ARCHIVE.members[0][0], hyper_parameters=touch)
    if name == EXTRA_JOINTS.name:
        matrix = np.zeros((19, 6890))
        standin_smpl.write_pickle(tree / ARCHIVE.members[1][0], [matrix, touch])
    official.write_mirror(machine.mirror, tree)
    if name == DETECTOR.name:
        official.write_detector(machine.mirror / name, hook=touch)
    code, said = machine.run(*FETCH)
    assert code == 2
    assert f"{name} in the source is not the wanted file" in said
    assert f"it asks for `{os.system.__module__}.system`" in said
    assert not machine.trace.exists()
    assert not list(machine.data.rglob(name))


def test_a_hostile_body_is_never_run_however_it_comes(
    machine: Machine, installed: Files, originals: Path
) -> None:
    hostile = machine.folder / official.HANDED_OUT_BODY
    official.write_body(hostile, more=Touch(machine.trace))
    installed[NEUTRAL_BODY.name].unlink()
    code, said = machine.run(*FETCH, "--from", hostile)
    assert (code, f"it asks for `{os.system.__module__}.system`" in said) == (2, True)
    assert not list(machine.data.rglob(hostile.name))

    shutil.copy(hostile, machine.data / NEUTRAL_BODY.folder)
    health = machine.health()
    assert health["status"] == "not_ready"
    assert f"it asks for `{os.system.__module__}.system`" in health["error"]
    assert not machine.trace.exists()
