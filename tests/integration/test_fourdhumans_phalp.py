"""PHALP on the 4dhumans engine from what is handed out to clips and sessions over HTTP.

Its files are optional: what is missing or wrong is told, and people are served all the same.
"""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import official_files as official
import pytest
import standin_phalp
from flask.testing import FlaskClient
from fourdhumans_kit import FETCH, PHALP_NAMES, REMEDY, Files, Machine, Touch, cut, page, served
from makers import picture_file

from pose_service.media.decode import open_clip
from pose_service.phalp.files import APPEARANCE, BMAP, MEAN_STD, POSE_PREDICTOR
from pose_service.pipeline.results import StoredClip

FRAMES = 4
# so surely the tiny detector takes some spots of these clips for people
SURE = "0.2"
BY_PLACE = "people are told apart by place and pose alone"


def tracked(client: FlaskClient, clip: Path, **fields: object) -> Any:
    """The result of the first frames of `clip`, everybody in it."""
    asked = {"video_path": str(clip), "max_frames": FRAMES, "mesh": False, "persons": True}
    answer = client.post("/pose/video", json=asked | fields)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def assert_complete(result: Any) -> None:
    """N frames in, N out; every id once in a frame."""
    frames = result["frames"]
    assert [frame["frame_number"] for frame in frames] == list(range(FRAMES))
    for frame in frames:
        ids = [person["track_id"] for person in frame["persons"]]
        assert len(ids) == len(set(ids)) > 0
        assert {person["provenance"] for person in frame["persons"]} <= {
            "observed", "predicted", "interpolated"
        }  # fmt: skip


@pytest.fixture
def watched(machine: Machine, shared_media: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine on which clips may be read, and the tiny detector sees people in them."""
    monkeypatch.setenv("POSE_MEDIA_ROOTS", str(shared_media.resolve()))
    monkeypatch.setenv("POSE_CLIP_SCORE", SURE)
    monkeypatch.setenv("POSE_PICTURE_SCORE", SURE)
    return machine


def test_what_is_handed_out_tells_people_apart_in_real_clips(
    watched: Machine, originals: Path, shared_media: Path
) -> None:
    official.write_mirror(watched.mirror, originals / "tree")
    assert watched.run(*FETCH)[0] == 0
    code, said = watched.run(*FETCH, "--from", originals / official.HANDED_OUT_BODY)
    assert (code, "4dhumans: every file is here" in said) == (0, True)
    code, said = watched.run("doctor", "--full")
    assert (code, "It can serve." in said) == (0, True)
    assert [name for name in PHALP_NAMES if f": {name}: " in said] == []
    with served() as client:
        health = client.get("/health").get_json()
        assert (health["status"], health["models"]["phalp"]) == ("ready", "loaded")
        for name in ("vid.mp4", "sports2d.mp4"):
            result = tracked(client, (shared_media / name).resolve())
            assert_complete(result)
            assert result["frames"][0]["phalp_available"] is True
    (clip, _) = stored_clips(watched)
    people = [person for frame in clip.frames() for person in frame.people]
    seen = [person for person in people if person.provenance == "observed"]
    assert seen
    for person in seen:
        assert person.mask is not None
        assert 0 <= person.identity_risk <= 1


def stored_clips(machine: Machine) -> list[StoredClip]:
    heads = sorted((machine.folder / "state").rglob("result.json"))
    return [StoredClip.open(head.parent) for head in heads]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("phalp", ["upstream", "off"])
def test_each_way_of_telling_people_apart_serves_clips(
    watched: Machine, shared_media: Path, monkeypatch: pytest.MonkeyPatch, phalp: str
) -> None:
    monkeypatch.setenv("POSE_PHALP", phalp)
    with served() as client:
        health = client.get("/health").get_json()
        assert (health["models"]["phalp"] == "loaded") == (phalp == "upstream")
        assert_complete(tracked(client, (shared_media / "vid.mp4").resolve()))


@pytest.mark.usefixtures("installed")
def test_frames_of_a_session_are_told_apart_and_filled_by_phalp(
    watched: Machine, shared_media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = open_clip(shared_media / "vid.mp4")
    pictures = [frame.image[::2, ::2] for frame in clip.frames(4)]
    pictures[2] = np.zeros_like(pictures[2])
    with served() as client:
        answers = [
            client.post(
                "/pose/hybrid",
                json={
                    "image_base64": base64.b64encode(picture_file(image, "PNG")).decode(),
                    "session_id": "one", "frame_number": number, "persons": True, "mesh": False,
                },
            ).get_json()
            for number, image in enumerate(pictures)
        ]  # fmt: skip
    by_frame = [
        {person["track_id"]: person["provenance"] for person in answer["persons"]}
        for answer in answers
    ]
    assert set(by_frame[0]) & set(by_frame[1])
    # in the black picture the stand-in sees somebody, too; whom it does not is foretold
    assert "predicted" in {by_frame[2][track_id] for track_id in by_frame[1]}
    rotations = np.array(
        [
            [each["smpl"]["global_orient"], *each["smpl"]["body_pose"]]
            for each in answers[2]["persons"]
        ]
    )
    assert np.linalg.det(rotations) == pytest.approx(np.ones(rotations.shape[:2]), abs=1e-4)


# What serves without, and what is told


def test_no_address_of_phalps_is_no_reason_not_to_serve(
    watched: Machine, originals: Path, shared_media: Path, caplog: pytest.LogCaptureFixture
) -> None:
    official.write_mirror(watched.mirror, originals / "tree")
    for name in PHALP_NAMES:
        (watched.mirror / name).unlink()
    code, said = watched.run(*FETCH)
    assert code == 0
    assert "not fetched: " in said
    assert f"{APPEARANCE.name} is missing: how alike two people look" in said
    assert "4dhumans serves without" in said
    watched.run(*FETCH, "--from", originals / official.HANDED_OUT_BODY)
    code, said = watched.run("doctor")
    assert code == 0
    assert f"note: {APPEARANCE.name}" in said
    assert "It can serve." in said
    with served() as client:
        health = client.get("/health").get_json()
        assert (health["status"], health["models"]["phalp"]) == ("ready", "not_loaded")
        result = tracked(client, (shared_media / "vid.mp4").resolve())
    for told in (health["engine_reason"], caplog.text):
        assert BY_PLACE in told
        assert f"{APPEARANCE.name} is missing" in told
        assert REMEDY.rstrip(".") in told
    assert_complete(result)
    assert result["frames"][0]["phalp_available"] is False


def _of_another_net(path: Path) -> None:
    standin_phalp.write_appearance(path, model={"of.another": np.ones(3)})


def _hostile(path: Path) -> None:
    standin_phalp.write_predictor(path, hook=Touch(path.parent.parent / "trace"))


WRONG_FILES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "half of it": (APPEARANCE.name, lambda path: cut(path, 0.5), "ends early"),
    "a page": (BMAP.name, page, "no .npy array of numbers"),
    "another net": (APPEARANCE.name, _of_another_net, "hmar_v2_weights.pth"),
    "a hostile predictor": (POSE_PREDICTOR.name, _hostile, "it asks for `"),
    "a mean of other poses": (
        MEAN_STD.name, lambda path: np.save(path, np.ones((2, 1, 300))), "at most 229"
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_FILES)
def test_a_wrong_file_of_phalps_is_refused_told_and_never_run(
    machine: Machine, originals: Path, wrong: str
) -> None:
    name, damage, words = WRONG_FILES[wrong]
    official.write_mirror(machine.mirror, originals / "tree")
    damage(machine.mirror / name)
    code, said = machine.run(*FETCH)
    assert code == 0
    assert words in said
    assert f"4dhumans serves without {name}" in said
    assert not list(machine.data.rglob(name))
    assert not machine.trace.exists()


def test_a_wrong_file_that_was_put_in_place_is_told_with_what_to_do(
    machine: Machine, installed: Files
) -> None:
    installed[MEAN_STD.name].unlink()
    np.save(installed[MEAN_STD.name], np.full((2, 1, 226), np.nan))
    health = machine.health()
    assert BY_PLACE in health["engine_reason"]
    assert "NaN" in health["engine_reason"]
    assert health["status"] == "ready"

    installed[MEAN_STD.name].unlink()
    np.save(installed[MEAN_STD.name], np.ones((2, 1, 226)))
    installed[POSE_PREDICTOR.name].unlink()
    standin_phalp.write_predictor(installed[POSE_PREDICTOR.name], state_dict={})
    health = machine.health()
    assert health["status"] == "not_ready"
    assert POSE_PREDICTOR.name in health["error"]
    assert "POSE_PHALP=off" in health["error"]
