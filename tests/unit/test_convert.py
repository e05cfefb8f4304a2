"""`convert`: tracklets and finished clips as other files, from the command line."""

import csv
import json
from pathlib import Path

import joblib
import numpy as np
import orjson
import pytest
from export_kit import FPS, SAMPLE, frame_of, stored

from pose_service.bodies.segments import FREE_JOINTS
from pose_service.commands import main
from pose_service.core.records import BodyPoses, Person, Provenance, TrackedFrame
from pose_service.export.tracklet_json import frame_fields
from pose_service.export.tracklet_records import read_tracklets
from pose_service.legacy.encode import encode


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("POSE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))


def anny_frames(count: int) -> list[TrackedFrame]:
    """Somebody with the free body who stands; the last frame is empty."""
    pose = BodyPoses(
        np.tile(np.eye(3), (1, len(FREE_JOINTS), 1, 1)),
        np.array([[0.1, 0.2, 5.0]]),
        np.ones((1, 1)),
    )
    box = np.array([600.0, 200, 700, 500])
    person = Person(3, Provenance.OBSERVED, 1.0, 0.9, box, np.full(24, 0.9), pose)
    return [*(frame_of(index, [person]) for index in range(count - 1)), frame_of(count - 1, [])]


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """The folder of a finished clip of the embedded engine."""
    folder = tmp_path / "5f0c"
    folder.mkdir()
    stored(folder, anny_frames(4), "anny")
    return folder


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_tracklets_become_json_with_all_frames(tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    assert main(["convert", str(SAMPLE), "--to", "json", "--out", str(out)]) == 0
    wanted = [json.loads(encode(frame_fields(frame))) for frame in read_tracklets(SAMPLE)]
    assert json.loads(out.read_bytes()) == {"frames": wanted}


def test_tracklets_become_ndjson_beside_the_file_where_no_other_is_named(tmp_path: Path) -> None:
    source = tmp_path / "demo_a.pkl"
    source.write_bytes(SAMPLE.read_bytes())
    assert main(["convert", str(source), "--to", "ndjson"]) == 0
    lines = (tmp_path / "demo_a.pkl.ndjson").read_bytes().splitlines()
    assert [orjson.loads(line)["frame_number"] for line in lines] == [0, 1, 2]


def test_tracklets_become_a_table(tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    assert main(["convert", str(SAMPLE), "--to", "csv", "--out", str(out)]) == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["track_id"] for row in rows] == ["1", "2"] * 3


def test_a_format_that_tracklets_have_not_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(SAMPLE), "--to", "glb", "--out", str(tmp_path / "a.glb")]) == 2
    assert "--to glb: expected one of json, ndjson, csv" in said(capsys)


def test_a_file_that_is_none_is_told_and_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "a.pkl"
    source.write_bytes(SAMPLE.read_bytes()[:5000])
    assert main(["convert", str(source), "--to", "json"]) == 2
    assert "ends early or is damaged" in said(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["a.pkl"]


def test_a_wrong_frame_late_in_the_file_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = joblib.load(SAMPLE)
    content[list(content)[-1]]["camera"] = []
    source = tmp_path / "a.pkl"
    joblib.dump(content, source)
    assert main(["convert", str(source), "--to", "csv"]) == 2
    assert "000003.jpg" in said(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["a.pkl"]


def test_a_results_folder_becomes_the_answers_of_its_frames(result: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.ndjson"
    assert main(["convert", str(result), "--to", "ndjson", "--out", str(out)]) == 0
    frames = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert [frame["timestamp"] for frame in frames] == [index / FPS for index in range(4)]
    assert [len(frame["persons"]) for frame in frames] == [1, 1, 1, 0]
    assert [frame["mesh_faces_data"] is not None for frame in frames] == [True, False, False, False]


def test_surfaces_can_be_left_out(result: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    assert main(["convert", str(result), "--to", "json", "--no-mesh", "--out", str(out)]) == 0
    answer = orjson.loads(out.read_bytes())
    assert answer["total_frames"] == 4
    assert all(frame["mesh_vertices_data"] is None for frame in answer["frames"])


def test_a_results_folder_becomes_a_table(result: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    assert main(["convert", str(result), "--to", "csv", "--out", str(out)]) == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["frame_number"], row["track_id"]) for row in rows] == [
        ("0", "3"), ("1", "3"), ("2", "3")
    ]  # fmt: skip
    assert float(rows[0]["pelvis_z_m"]) == 5.0


def test_a_body_without_smpls_parameters_is_no_tracklet(
    result: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(result), "--to", "pkl"]) == 2
    words = said(capsys)
    assert "the body of this clip, anny, has no such parameters" in words
    assert "csv" in words


def test_smpl_without_its_file_is_told_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(tmp_path, [], "smpl")
    assert main(["convert", str(tmp_path), "--to", "csv", "--out", str(tmp_path / "a.csv")]) == 2
    assert "smpl.is.tue.mpg.de" in said(capsys)


def test_a_damaged_result_is_told(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (result / "result.json").write_bytes(b'{"info": 5')
    assert main(["convert", str(result), "--to", "csv"]) == 2
    assert "holds no result that can be read" in said(capsys)


@pytest.mark.parametrize(
    ("body_name", "word"),
    [("toy", "'toy', which does not come with the service"), (None, "not there")],
)
def test_a_folder_that_cannot_be_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body_name: str | None, word: str
) -> None:
    if body_name:
        stored(tmp_path, [], body_name)
    assert main(["convert", str(tmp_path), "--to", "csv", "--out", str(tmp_path / "a.csv")]) == 2
    assert word in said(capsys)


def test_an_unknown_format_of_a_result_is_told(
    result: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(result), "--to", "fbx"]) == 2
    assert "--to fbx: expected one of json, ndjson, pkl" in said(capsys)
