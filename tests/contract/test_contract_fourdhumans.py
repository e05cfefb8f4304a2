"""The contract with the 4dhumans engine: official formats, tiny nets, and the schema as published.

What the schema asks of SMPL holds here: counts, names and parameters.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from contract_kit import Body, Caller, as_base64, check, running
from makers import clip_file, picture_file
from official_files import write_files
from tiny_fourdhumans import ENGINE, settings

from pose_service.commands.selftest import HEIGHT_PX, WIDTH_PX, drawn_person
from pose_service.core.config import Settings
from pose_service.core.skeletons import SMPL24
from pose_service.engines.seam import Engine

ROOT = Path(__file__).resolve().parents[2]
RIDER = ROOT / "docs" / "images" / "rider.jpg"
CLIP_FRAMES = 6
# So surely the tiny detector, whose weights are stand-ins, takes some spots of every picture, and
# of every frame of the clip, for people.
SURE, SURER = 0.2, 0.22
# 3 decimals of pixels are sent
PROJECTION_LIMIT_PX = 0.01


def _build(settings: Settings) -> tuple[Engine, str]:
    return ENGINE.build(settings), "a test asked for it"


@pytest.fixture(scope="module")
def caller(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """A client of one service with the tiny engine, which all tests of this file share."""
    folder = tmp_path_factory.mktemp("4dhumans")
    given = settings(
        write_files(folder / "data"),
        state_dir=folder / "state",
        media_roots=(media,),
        picture_score=SURE,
        clip_score=SURER,
        clip_wait_s=60,
    )
    with running(given, _build) as caller:
        yield caller


@pytest.fixture(scope="module")
def clip(media: Path) -> Path:
    """The drawn person goes to the right."""
    images = [np.roll(drawn_person(), 8 * i, 1) for i in range(CLIP_FRAMES)]
    # what a codec adds moves stand-in scores about
    return clip_file(media / "drawn.mp4", images, quantiser=0)


def drawn_base64() -> str:
    return as_base64(picture_file(drawn_person(), "PNG"))


def posted(caller: Caller, path: str = "/pose/hybrid", **fields: Any) -> Body:
    """The answer to the drawn person, or another picture in `fields`."""
    answer = caller.post(path, json={"image_base64": drawn_base64(), **fields})
    assert answer.status == 200, answer.body
    body: Body = answer.body
    return body


def test_health_says_that_the_official_nets_are_loaded(caller: Caller) -> None:
    posted(caller)
    health = caller.get("/health").body
    check("HealthResponse", health)
    assert (health["status"], health["ready"], health["error"]) == ("ready", True, None)
    assert health["models"] == {
        "hmr2": "loaded", "vitdet": "loaded", "smpl": "loaded", "phalp": "loaded"
    }  # fmt: skip
    assert (health["engine"], health["device"]) == ("4dhumans", "cpu")
    assert health["vitdet_available"] is True
    warm = caller.get("/warmup").body
    assert [warm[name]["status"] for name in ("hmr2", "vitdet")] == ["loaded", "loaded"]


def test_an_answer_has_smpls_full_lengths_and_fits_the_published_schema(caller: Caller) -> None:
    body = posted(caller, frame_number=7, persons=True)
    check("PoseHybridResponseOnTheWire", body)
    check("PoseResponse", body)
    assert (body["frame_number"], body["model_version"]) == (7, "4dhumans/tiny+smpl-neutral")
    assert (body["frame_width"], body["frame_height"]) == (WIDTH_PX, HEIGHT_PX)
    assert [point["name"] for point in body["keypoints"]] == list(SMPL24.joints)
    assert body["detection"]["vitdet_used"] is True
    assert body["detection"]["num_persons_detected"] == len(body["persons"]) >= 1
    assert body["camera_params"]["type"] == "weak_perspective"
    assert body["camera_full"]["focal_length"] == 5000 / 256 * WIDTH_PX
    for person in body["persons"]:
        check("person", person)
        assert len(person["mesh_vertices"]) == 6890
        rotations = np.array([person["smpl"]["global_orient"], *person["smpl"]["body_pose"]])
        assert np.linalg.det(rotations) == pytest.approx(np.ones(24), abs=1e-4)
        assert person["body"] is None


def test_keypoints_are_the_projection_of_their_metres_by_the_camera(caller: Caller) -> None:
    body = posted(caller)
    camera = body["camera_full"]
    points = np.array([[p["x_3d"], p["y_3d"], p["z_3d"]] for p in body["keypoints"]])
    x, y, z = (points + body["camera_translation"]).T
    wanted = camera["focal_length"] * np.array([x / z, y / z]).T + [WIDTH_PX / 2, HEIGHT_PX / 2]
    sent = np.array([[point["x"], point["y"]] for point in body["keypoints"]])
    assert np.abs(sent - wanted).max() < PROJECTION_LIMIT_PX


def test_the_small_answer_has_no_mesh(caller: Caller) -> None:
    body = posted(caller, "/pose", frame_number=2)
    check("PoseResponse", body)
    assert (body["has_3d"], body["keypoint_count"]) == (False, 24)
    assert body["mesh_vertices_data"] is body["mesh_faces_data"] is None


def test_a_file_part_and_a_drawing_serve_as_well(caller: Caller) -> None:
    part = {"frame": (BytesIO(RIDER.read_bytes()), "rider.jpg"), "visualize": "true"}
    body = caller.post("/pose/hybrid", data=part).body
    check("PoseHybridResponseOnTheWire", body)
    assert body["visualization"].startswith("data:image/jpeg;base64,")


def test_a_batch_is_answered_in_order(caller: Caller) -> None:
    rider = as_base64(RIDER.read_bytes())
    frames = [
        {"image_base64": image, "frame_number": number}
        for number, image in ((5, drawn_base64()), (3, rider), (9, drawn_base64()))
    ]
    bodies = caller.post("/pose/batch", json={"frames": frames}).body
    assert [body["frame_number"] for body in bodies] == [5, 3, 9]
    assert [body["frame_width"] for body in bodies] == [WIDTH_PX, 1280, WIDTH_PX]
    check("PoseHybridResponseOnTheWire", bodies[1])
    assert [body["mesh_vertices"] for body in bodies] == [6890, 6890, 6890]


def test_every_frame_of_a_clip_has_a_body_and_one_track_comes_first(
    caller: Caller, clip: Path
) -> None:
    answer = caller.post("/pose/video", json={"video_path": str(clip), "mesh": False})
    assert answer.status == 200
    check("VideoResult", answer.body)
    frames = answer.body["frames"]
    assert [frame["frame_number"] for frame in frames] == list(range(CLIP_FRAMES))
    assert answer.body["total_frames"] == CLIP_FRAMES
    assert len({frame["persons"][0]["track_id"] for frame in frames}) == 1
    for frame in frames:
        assert len(frame["persons"][0]["smpl"]["betas"]) == 10
        assert frame["keypoint_count"] == 24
    # a body has one shape all through a clip
    assert len({str(frame["persons"][0]["smpl"]["betas"]) for frame in frames}) == 1
    status = caller.get(f"/pose/video/status/{answer.body['job_id']}").body
    check("VideoStatus", status)
    assert status["progress"]["frames_done"] == CLIP_FRAMES


def test_a_clip_keeps_what_the_net_said_of_each_frame(caller: Caller, clip: Path) -> None:
    wish = {"video_path": str(clip), "mesh": False, "raw": True, "smooth": False}
    answer = caller.post("/pose/video", json=wish).body
    seen = [frame["persons"][0] for frame in answer["frames"] if frame["provenance"] == "observed"]
    assert seen
    for person in seen:
        own, answered = person["raw"]["smpl"], person["smpl"]
        # without smoothing only the shape, and with it the distance, are the track's
        np.testing.assert_allclose(own["body_pose"], answered["body_pose"], atol=1e-4)
        np.testing.assert_allclose(own["global_orient"], answered["global_orient"], atol=1e-4)
    assert len({str(person["raw"]["smpl"]["betas"]) for person in seen}) > 1


def test_a_clips_bodies_are_measured_against_the_nets_own_joints(
    caller: Caller, clip: Path
) -> None:
    answer = caller.post("/pose/video", json={"video_path": str(clip), "mesh": False}).body
    primary = answer["quality"][0]
    assert primary["track_id"] == answer["primary_track_id"]
    assert primary["coverage"] == 1.0
    assert primary["reprojection_px"] > 0
    assert primary["shape_drift_mm"] > 0


def test_tracklets_of_a_clip_read_as_upstreams_programs_read_them(
    caller: Caller, clip: Path
) -> None:
    result = caller.post("/pose/video", json={"video_path": str(clip), "mesh": False}).body
    response = caller.client.get(f"/pose/video/result/{result['job_id']}?format=pkl")
    assert response.content_type == "application/octet-stream"
    assert response.headers["Content-Disposition"] == "attachment; filename=drawn.pkl"
    content = joblib.load(BytesIO(response.data))
    assert list(content) == [
        f"outputs//_DEMO/drawn/img/{i + 1:06d}.jpg" for i in range(CLIP_FRAMES)
    ]
    for record, frame in zip(content.values(), result["frames"], strict=True):
        people = sorted(frame["persons"], key=lambda person: int(person["track_id"]))
        assert record["tid"] == [person["track_id"] for person in people]
        for place, person in enumerate(people):
            camera = person["camera"]
            wanted_m = [camera["tx"], camera["ty"], camera["tz"]]
            # an even picture: both cameras look at the same point
            np.testing.assert_allclose(record["camera"][place], wanted_m, rtol=1e-6, atol=1e-5)
            smpl = record["smpl"][place]
            np.testing.assert_allclose(smpl["betas"], person["smpl"]["betas"], atol=1e-5)
            np.testing.assert_allclose(smpl["body_pose"], person["smpl"]["body_pose"], atol=1e-6)


def test_frames_of_a_clip_have_smpls_meshes(caller: Caller, clip: Path) -> None:
    asked = {"video_path": str(clip), "max_frames": 2, "faces": "once"}
    result = caller.post("/pose/video", json=asked).body
    assert len(result["mesh_faces_data"]) == 13776
    assert len(result["frames"]) == 2
    for frame in result["frames"]:
        assert np.shape(frame["mesh_vertices_data"]) == (6890, 3)
        assert frame["persons"][0]["mesh_vertices"] == frame["mesh_vertices_data"]


def test_a_hundred_known_boxes_are_a_hundred_bodies(caller: Caller) -> None:
    boxes = [[6 * i, 40 + i, 6 * i + 40, 300] for i in range(100)]
    body = posted(caller, "/pose", boxes=boxes, persons=True)
    assert [person["track_id"] for person in body["persons"]] == list(range(1, 101))
    assert [person["bbox"] for person in body["persons"]] == boxes


def test_no_people_is_a_200_that_says_so(caller: Caller) -> None:
    body = posted(caller, boxes=[])
    check("PoseHybridResponse", body)
    assert body["error"] == "No person detected in image"
    assert body["detection"] == {"num_persons_detected": 0, "vitdet_used": True}


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ("[1300, 10, 1400, 80]", "lies outside of the picture"),
        ("[10, 10, 10, 80]", "has no area"),
        ("[90, 10, 20, 80]", "has no area"),
        ("[-90000, -90000, 90000, 90000]", "is far larger than the picture"),
        ("[NaN, 0, 10, 10]", "boxes: expected"),
        ("[1e999, 0, 10, 10]", "boxes: expected"),
    ],
)
def test_a_box_that_is_none_is_refused_and_the_next_picture_is_answered(
    caller: Caller, box: str, words: str
) -> None:
    # as the text of a form, in which anything can be written
    part = {"frame": (BytesIO(RIDER.read_bytes()), "rider.jpg"), "boxes": f"[{box}]"}
    refused = caller.post("/pose/hybrid", data=part)
    assert refused.status == 400
    assert words in refused.body["error"]
    assert posted(caller, "/pose")["keypoint_count"] == 24


def test_real_photographs_are_answered(caller: Caller, shared_media: Path) -> None:
    photographs = sorted(shared_media.glob("*.jpg"))
    assert photographs
    for path in photographs:
        body = posted(caller, image_base64=as_base64(path.read_bytes()), faces=False)
        check("PoseHybridResponse", body)
        assert len(body["mesh_vertices_data"]) == body["mesh_vertices"] == 6890


def test_a_real_clip_has_a_result_for_every_frame(
    caller: Caller, media: Path, shared_media: Path
) -> None:
    copy = media / "vid.mp4"
    copy.write_bytes((shared_media / "vid.mp4").read_bytes())
    asked = {"video_path": str(copy), "max_frames": 5, "mesh": False}
    result = caller.post("/pose/video", json=asked).body
    check("VideoResult", result)
    assert [frame["frame_number"] for frame in result["frames"]] == list(range(5))
