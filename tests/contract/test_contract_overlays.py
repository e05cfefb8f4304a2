"""Finished clips with their people drawn: /pose/video/overlay, and the same on the other routes."""

import base64
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import av
import numpy as np
import pytest
from contract_kit import CLIP_FPS, CLIP_FRAMES, Caller, check, person_base64
from flask.testing import FlaskClient
from makers import clip_file
from numpy.typing import NDArray
from PIL import Image
from toy_engine import picture
from werkzeug.test import TestResponse

from pose_service.jobs.records import JobState
from pose_service.media.decode import open_clip
from pose_service.pipeline.drawing import Overlay

SEEN, FILLED = 5, 9
"""Frames of the walk in which the person is seen, and in which the picture is black."""

# x264 at its quality of 20 moves a pixel in a plain area by no more
LOSS = 8


def _job_of(caller: Caller, path: Path) -> str:
    answer = caller.post("/pose/video", data={"video": (BytesIO(path.read_bytes()), path.name)})
    assert answer.status == 200
    job_id: str = answer.body["job_id"]
    return job_id


@pytest.fixture(scope="module")
def job_id(caller: Caller, clip: Path) -> str:
    return _job_of(caller, clip)


def _got(client: FlaskClient, path: str, **more: Any) -> TestResponse:
    """The whole answer; the file it came from is closed."""
    with client.get(path, **more) as answer:
        answer.get_data()
        return answer


def _frames(caller: Caller, job_id: str, path: Path, query: str = "") -> list[NDArray[np.uint8]]:
    """The pictures of the overlay that the service sends."""
    answer = _got(caller.client, f"/pose/video/overlay/{job_id}{query}")
    assert (answer.status_code, answer.content_type) == (200, "video/mp4")
    path.write_bytes(answer.data)
    return [frame.image for frame in open_clip(path).frames()]


def _middle_of_the_person(number: int) -> tuple[int, int]:
    """Row and column: see the fixture `clip`."""
    return 120, 90 + 2 * number


def test_the_overlay_is_a_video_that_browsers_play(
    caller: Caller, job_id: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    frames = _frames(caller, job_id, path)
    assert len(frames) == CLIP_FRAMES
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "plays before it is there"
    with av.open(str(path)) as container:
        (stream,) = container.streams
        assert stream.type == "video", "no sound"
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert container.streams.video[0].average_rate == CLIP_FPS


def test_the_mesh_of_somebody_filled_in_is_half_as_strong(
    caller: Caller, job_id: str, tmp_path: Path
) -> None:
    frames = _frames(caller, job_id, tmp_path / "a.mp4", "?layers=mesh")
    seen = frames[SEEN][_middle_of_the_person(SEEN)].astype(float)
    filled = frames[FILLED][_middle_of_the_person(FILLED)].astype(float)
    # three quarters of the body's colour on white; half of that on black
    colour = (seen - 0.25 * 255) / 0.75
    np.testing.assert_allclose(filled, 0.375 * colour, atol=LOSS)
    assert filled.max() > 40


@pytest.mark.parametrize(
    ("layers", "inside"), [("mesh", True), ("boxes", False), ("ids", False), ("none", False)]
)
def test_layers_are_drawn_and_no_others(
    caller: Caller, job_id: str, clip: Path, tmp_path: Path, layers: str, inside: bool
) -> None:
    frames = _frames(caller, job_id, tmp_path / "a.mp4", f"?layers={layers}")
    bare = open_clip(clip).frame(SEEN).image.astype(int)
    changed = np.abs(frames[SEEN] - bare).max(axis=2) > 4 * LOSS
    assert changed[_middle_of_the_person(SEEN)] == inside
    assert changed.any() == (layers != "none")


def test_the_side_view_makes_the_video_wider(caller: Caller, job_id: str, tmp_path: Path) -> None:
    plain = _frames(caller, job_id, tmp_path / "a.mp4", "?layers=boxes")
    wide = _frames(caller, job_id, tmp_path / "b.mp4", "?layers=boxes&side_view=true")
    assert plain[0].shape == (240, 320, 3)
    assert wide[0].shape == (240, 320 + 120, 3)
    left = np.abs(wide[SEEN][:, :318].astype(int) - plain[SEEN][:, :318])
    assert np.median(left) <= 1


def _textured(number: int) -> NDArray[np.uint8]:
    """A person with a pattern of large squares, so that the encoder keeps it."""
    image = picture((130, 40, 190, 200))
    squares = (np.indices((240, 320)) // 4).sum(axis=0) % 2
    image[(image[..., 0] > 0) & (squares > 0)] = 160
    if number in (4, 5):
        image[:] = 60 * squares[..., None]
    return image


def test_faces_are_blurred_in_the_video_also_where_they_are_filled_in(
    caller: Caller, tmp_path: Path
) -> None:
    job_id = _job_of(caller, clip_file(tmp_path / "t.mp4", [_textured(i) for i in range(10)]))
    sharp = _frames(caller, job_id, tmp_path / "a.mp4", "?layers=none")
    blurred = _frames(caller, job_id, tmp_path / "b.mp4", "?layers=none&face_blur=true")
    # the body is 160 pixels high for 1.8 m: the head's middle is 0.76 m above row 120, its circle
    # has a radius of 0.24 m, so these are inside of it
    face = (slice(42, 62), slice(150, 170))
    for number in range(10):
        # the steepest edge: a smear goes from dark to bright over the whole circle
        before, after = (
            np.abs(np.diff(frames[number][face].astype(int), axis=1)).max()
            for frames in (sharp, blurred)
        )
        assert before > 30
        assert after < before / 4, f"frame {number}"
    body = (slice(120, 180), slice(140, 180))
    assert blurred[2][body].std() > 0.8 * sharp[2][body].std()


@pytest.fixture
def uneven(tmp_path: Path) -> tuple[Path, list[float]]:
    """A clip whose rate varies."""
    times_s = [0.0, 0.04, 0.1, 0.3, 0.34, 0.6]
    images = [picture((60 + 2 * i, 40, 120 + 2 * i, 200)) for i in range(len(times_s))]
    return clip_file(tmp_path / "uneven.mp4", images, times_s=times_s), times_s


def test_a_variable_rate_is_kept(
    caller: Caller, uneven: tuple[Path, list[float]], tmp_path: Path
) -> None:
    path, times_s = uneven
    _frames(caller, _job_of(caller, path), tmp_path / "a.mp4")
    drawn_s = [frame.time_s for frame in open_clip(tmp_path / "a.mp4").frames()]
    np.testing.assert_allclose(drawn_s, times_s, atol=1 / 10_000)


def test_a_player_can_ask_for_a_part(caller: Caller, job_id: str) -> None:
    whole = _got(caller.client, f"/pose/video/overlay/{job_id}").data
    part = _got(caller.client, f"/pose/video/overlay/{job_id}", headers={"Range": "bytes=100-299"})
    assert (part.status_code, part.data) == (206, whole[100:300])
    assert part.headers["Content-Range"] == f"bytes 100-299/{len(whole)}"


def test_many_who_ask_at_once_get_one_video_that_was_drawn_once(
    caller: Caller, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = _job_of(caller, clip)
    written: list[Path] = []
    write = Overlay.write

    def counted(self: Overlay, path: Path, *more: Any) -> None:
        written.append(path)
        write(self, path, *more)

    monkeypatch.setattr(Overlay, "write", counted)
    got: list[bytes] = []

    def ask() -> None:
        client = caller.client.application.test_client()
        got.append(_got(client, f"/pose/video/overlay/{job_id}?layers=ids").data)

    threads = [Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 1
    assert len(got) == 6 and len(set(got)) == 1


def test_a_video_that_was_drawn_once_is_there_without_its_source(
    caller: Caller, media: Path, clip: Path
) -> None:
    source = media / "moved.mp4"
    source.write_bytes(clip.read_bytes())
    job_id = caller.post("/pose/video", json={"video_path": str(source)}).body["job_id"]
    drawn = _got(caller.client, f"/pose/video/overlay/{job_id}").data
    source.unlink()
    assert _got(caller.client, f"/pose/video/overlay/{job_id}").data == drawn
    answer = caller.get(f"/pose/video/overlay/{job_id}?layers=ids")
    assert answer.status == 404
    assert "not there any more" in answer.body["error"]


WRONG = {
    "layers=bones": "layers: expected a list of names out of mesh, skeleton, boxes, ids",
    "layers=mesh,,ids": "layers: expected",
    "side_view=left": "side_view: expected true or false, got 'left'",
    "face_blur=2": "face_blur: expected true or false",
}


@pytest.mark.parametrize("query", WRONG)
def test_a_wrong_option_is_400_and_lists_what_there_is(
    caller: Caller, job_id: str, query: str
) -> None:
    for path in (f"/pose/video/overlay/{job_id}", f"/frame/{job_id}/3"):
        answer = caller.get(f"{path}?{query}")
        assert answer.status == 400
        assert WRONG[query] in answer.body["error"]


def test_process_video_takes_the_same_options(caller: Caller, clip: Path) -> None:
    def sent(**fields: str) -> Any:
        upload = {"video": (BytesIO(clip.read_bytes()), "walk.mp4"), "max_frames": "4", **fields}
        return caller.post("/process_video", data=upload)

    wide = sent(layers="skeleton,ids", side_view="true", face_blur="true")
    path = Path(wide.body["data"]["output_path"])
    assert path.name == "overlay-skeleton+ids+side+blur.mp4"
    assert next(open_clip(path).frames()).image.shape == (240, 440, 3)
    assert sent(layers="nothing").status == 400


def test_a_frame_takes_the_same_options(caller: Caller, job_id: str) -> None:
    answer = _got(caller.client, f"/frame/{job_id}/{FILLED}?layers=none&side_view=true")
    drawn = np.asarray(Image.open(BytesIO(answer.data))).astype(int)
    assert drawn.shape == (240, 440, 3)
    # black but for what JPEG makes of the panel's edge
    assert drawn[:, :300].max() < 12


def test_a_pictures_drawing_takes_the_same_options(caller: Caller) -> None:
    fields = {"visualize": True, "layers": ["boxes"], "side_view": True, "face_blur": True}
    answer = caller.frame(**fields)
    check("PoseHybridResponse", answer.body)
    data = base64.b64decode(answer.body["visualization"].partition(",")[2])
    assert Image.open(BytesIO(data)).size == (440, 240)
    wrong = caller.post(
        "/pose/hybrid", json={"image_base64": person_base64(), "visualize": True, "layers": ["x"]}
    )
    assert wrong.status == 400
    assert "mesh, skeleton, boxes, ids" in wrong.body["error"]


def test_unknown_jobs_are_404(caller: Caller) -> None:
    for job_id in ("x", "00000000-0000-4000-8000-000000000000"):
        assert caller.get(f"/pose/video/overlay/{job_id}").status == 404


def test_a_clip_that_is_not_finished_says_where_it_is(
    caller: Caller, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = caller.client.application.extensions["pose_service"].jobs
    job = jobs.get(job_id)
    waits = replace(job, state=JobState.QUEUED)
    failed = replace(
        job, state=JobState.ERROR, error="no", error_type="BAD_VIDEO", error_status=400
    )
    for unfinished, status in ((waits, 202), (failed, 400)):
        monkeypatch.setattr(jobs, "get", lambda _, unfinished=unfinished: unfinished)
        assert caller.get(f"/pose/video/overlay/{job_id}").status == status
