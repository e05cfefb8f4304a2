"""GET /pose/video/result: finished clips as files."""

import csv
import gzip
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from contract_kit import CLIP_FRAMES, Caller, check, running, strictly_parsed
from makers import clip_file
from toy_engine import ToyDetector, picture, toy_engine
from werkzeug.http import parse_options_header
from werkzeug.test import TestResponse

from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.records import Look, Regions
from pose_service.engines.seam import Engine
from pose_service.legacy.downloads import FORMATS

PATIENCE_S = 20.0
"""Far longer than anything here takes."""


@pytest.fixture(scope="module")
def job_id(caller: Caller, clip: Path) -> str:
    """A finished clip of one person, whose body is the toys' and not SMPL's."""
    answer = caller.post("/pose/video", json={"video_path": str(clip), "faces": "once"})
    return str(answer.body["job_id"])


def fetched(caller: Caller, job_id: str, query: str) -> TestResponse:
    response = caller.client.get(f"/pose/video/result/{job_id}?{query}")
    assert response.status_code == 200, response.data
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    return response


def test_without_a_format_the_result_is_the_answer_of_the_clip(caller: Caller, job_id: str) -> None:
    result = caller.get(f"/pose/video/result/{job_id}").body
    check("VideoResult", result)
    assert result == caller.get(f"/pose/video/status/{job_id}").body["result"]


def test_ndjson_has_the_answer_to_a_frame_in_every_line(caller: Caller, job_id: str) -> None:
    response = fetched(caller, job_id, "format=ndjson")
    assert response.content_type == "application/x-ndjson"
    assert response.headers["Content-Disposition"] == "attachment; filename=walk.ndjson"
    lines = [strictly_parsed(line) for line in response.data.splitlines()]
    assert lines == caller.get(f"/pose/video/status/{job_id}").body["result"]["frames"]
    for line in lines:
        check("PoseHybridResponse", line)


def test_a_slice_and_the_options_of_the_answer_hold_for_ndjson(caller: Caller, job_id: str) -> None:
    response = fetched(caller, job_id, "format=ndjson&from=5&to=7&mesh=false")
    lines = [json.loads(line) for line in response.data.splitlines()]
    assert [line["frame_number"] for line in lines] == [5, 6]
    assert all(line["mesh_vertices_data"] is None for line in lines)
    each = fetched(caller, job_id, "format=ndjson&faces=each&precision=1").data.splitlines()
    assert all(json.loads(line)["mesh_faces_data"] for line in each)


def test_csv_has_a_row_for_each_person_of_each_frame(caller: Caller, job_id: str) -> None:
    response = fetched(caller, job_id, "format=csv")
    assert response.content_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(response.text)))
    frames = caller.get(f"/pose/video/status/{job_id}").body["result"]["frames"]
    assert len(rows) == CLIP_FRAMES
    for row, frame in zip(rows, frames, strict=True):
        point, place_m = frame["keypoints"][4], frame["camera_translation"]
        assert row["provenance"] == frame["provenance"]
        assert float(row["time_s"]) == frame["timestamp"]
        assert float(row["left_knee_x_px"]) == pytest.approx(point["x"], abs=0.01)
        assert float(row["left_knee_y_m"]) == pytest.approx(point["y_3d"] + place_m[1], abs=1e-5)


@pytest.mark.parametrize("wanted", ["npz", "trc", "mot"])
def test_files_for_any_body_have_the_clips_name_and_something_in_them(
    caller: Caller, job_id: str, wanted: str
) -> None:
    response = fetched(caller, job_id, f"format={wanted}")
    assert response.headers["Content-Disposition"] == f"attachment; filename=walk.{wanted}"
    assert len(response.data) > 1000


def test_a_track_that_there_is_not_is_400_and_lists_those_there_are(
    caller: Caller, job_id: str
) -> None:
    answer = caller.get(f"/pose/video/result/{job_id}?format=trc&track=9")
    assert (answer.status, answer.body["error"]) == (400, "track: expected one of 1, got 9")


def test_a_text_is_packed_when_asked_for(caller: Caller, job_id: str) -> None:
    path = f"/pose/video/result/{job_id}?format=csv"
    packed = caller.client.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == caller.client.get(path).data


def test_a_format_that_there_is_not_is_400_and_lists_those_there_are(
    caller: Caller, job_id: str
) -> None:
    answer = caller.get(f"/pose/video/result/{job_id}?format=fbx")
    assert answer.status == 400
    assert answer.body["error"] == f"format: expected one of {', '.join(FORMATS)}, got 'fbx'"


def test_tracklets_of_another_body_are_400_and_say_what_can_be_had(
    caller: Caller, job_id: str
) -> None:
    answer = caller.get(f"/pose/video/result/{job_id}?format=pkl")
    assert answer.status == 400
    assert "the body of this clip, toy" in answer.body["error"]
    assert "csv" in answer.body["hint"] and "ndjson" in answer.body["hint"]


@pytest.mark.parametrize(
    "query", ["format=ndjson&from=4&to=2", "track=x", "track=0", "mesh=perhaps", "precision=0"]
)
def test_options_that_are_none_are_400(caller: Caller, job_id: str, query: str) -> None:
    assert caller.get(f"/pose/video/result/{job_id}?{query}").status == 400


@pytest.mark.parametrize("job_id", ["no-such-job", "5f0c6a2e-93b1-4c57-8d0e-2a7f1b9c4e10"])
def test_an_unknown_job_is_404(caller: Caller, job_id: str) -> None:
    assert caller.get(f"/pose/video/result/{job_id}?format=csv").status == 404


class HeldDetector(ToyDetector):
    """Waits for `go_on`, and then fails."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        assert self.go_on.wait(PATIENCE_S)
        raise RuntimeError("the net fell over")


def test_of_a_job_that_is_not_complete_the_file_says_what_there_is_to_say(tmp_path: Path) -> None:
    detector = HeldDetector()

    def build(settings: Settings) -> tuple[Engine, str]:
        return replace(toy_engine(), detector=detector), "it waits"

    settings = Settings(state_dir=tmp_path / "state", media_roots=(tmp_path,))
    settings.state_dir.mkdir()
    path = clip_file(tmp_path / "a.mp4", [picture((9, 9, 30, 60))] * 3)
    with running(settings, build) as caller:
        job = caller.post("/pose/video", json={"video_path": str(path), "async": True}).body
        url = f"/pose/video/result/{job['job_id']}?format=csv"
        waiting = caller.get(url)
        detector.go_on.set()
        deadline = time.monotonic() + PATIENCE_S
        while (answer := caller.get(url)).status == 202 and time.monotonic() < deadline:
            time.sleep(0.02)
    check("VideoQueued", waiting.body)
    assert waiting.status == 202
    assert (answer.status, answer.body["error_type"]) == (500, "RuntimeError")


def test_a_name_of_any_letters_is_a_name_that_a_browser_reads(caller: Caller, clip: Path) -> None:
    path = clip.with_name('a "läuft" 跑.mp4')
    path.write_bytes(clip.read_bytes())
    job = caller.post("/pose/video", json={"video_path": str(path), "mesh": False}).body
    header = fetched(caller, job["job_id"], "format=csv").headers["Content-Disposition"]
    assert header.isascii(), "a server sends nothing else"
    _, options = parse_options_header(header)
    assert options["filename"] == 'a "läuft" 跑.csv'
