"""POST /pose/hybrid and /pose: what a good request is answered."""

import base64
import gzip
from io import BytesIO

import numpy as np
import pytest
from contract_kit import (
    PERSON_BOX,
    Answer,
    Body,
    Caller,
    as_base64,
    check,
    nobody_base64,
    person_base64,
    person_png,
    strictly_parsed,
)
from makers import picture_file
from PIL import Image
from toy_engine import picture

from pose_service.core.skeletons import SMPL24

# The contract's formula, applied to the numbers as sent; 3 decimals of pixels are sent.
PROJECTION_TOLERANCE_PX = 0.01


def _projected_px(body: Body) -> np.ndarray:
    """CONTRACT 3.2: u = f (x + tx) / (z + tz) + width / 2, v likewise."""
    camera = body["camera_full"]
    points = np.array([[p["x_3d"], p["y_3d"], p["z_3d"]] for p in body["keypoints"]])
    x, y, z = (points + np.array([camera[name] for name in ("tx", "ty", "tz")])).T
    return np.stack(
        [
            camera["focal_length"] * x / z + body["frame_width"] / 2,
            camera["focal_length"] * y / z + body["frame_height"] / 2,
        ],
        axis=1,
    )


def _multipart(caller: Caller, part: str = "frame", **fields: str) -> Answer:
    file = (BytesIO(person_png()), "frame.png")
    return caller.post("/pose/hybrid", data={part: file, **fields})


def test_a_picture_of_a_person_is_answered_with_every_documented_field(caller: Caller) -> None:
    answer = caller.frame(frame_number=7, visualize=False)
    check("PoseHybridResponse", answer.body)
    check("LegacyPoseHybridResponse", answer.body)
    check("PoseResponse", answer.body)
    assert answer.status == 200
    assert answer.body["frame_number"] == 7
    assert (answer.body["frame_width"], answer.body["frame_height"]) == (320, 240)
    assert (answer.body["keypoint_count"], answer.body["has_3d"]) == (24, True)
    assert answer.body["mesh_vertices"] == len(answer.body["mesh_vertices_data"]) == 10
    assert len(answer.body["mesh_faces_data"]) == 16
    assert (answer.body["tracking_confidence"], answer.body["error"]) == (1.0, None)
    assert "visualization" not in answer.body


def test_keypoints_are_the_24_smpl_joints_in_order(caller: Caller) -> None:
    body = caller.frame().body
    assert [point["name"] for point in body["keypoints"]] == list(SMPL24.joints)
    assert [point["index"] for point in body["keypoints"]] == list(range(24))
    sent = [[p["x_3d"], p["y_3d"], p["z_3d"]] for p in body["keypoints"]]
    assert sent == body["joints_3d_raw"]
    assert all(point["z"] == point["z_3d"] for point in body["keypoints"])


def test_pixels_of_keypoints_are_the_projection_of_their_metres(caller: Caller) -> None:
    body = caller.frame().body
    sent_px = np.array([[point["x"], point["y"]] for point in body["keypoints"]])
    assert np.abs(sent_px - _projected_px(body)).max() < PROJECTION_TOLERANCE_PX
    left_x, top_y, right_x, bottom_y = PERSON_BOX
    pelvis = sent_px[0]
    assert pelvis == pytest.approx([(left_x + right_x) / 2, (top_y + bottom_y) / 2])


def test_y_points_down_and_left_is_on_the_right_of_the_picture(caller: Caller) -> None:
    by_name = {point["name"]: point for point in caller.frame().body["keypoints"]}
    assert by_name["head"]["y_3d"] < 0 < by_name["left_ankle"]["y_3d"]
    assert by_name["head"]["y"] < by_name["pelvis"]["y"] < by_name["left_ankle"]["y"]
    assert by_name["left_hip"]["x"] > by_name["right_hip"]["x"]


def test_translation_is_not_added_to_vertices(caller: Caller) -> None:
    body = caller.frame().body
    heights = np.array(body["mesh_vertices_data"])[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((-0.9, 0.9))
    assert body["camera_translation"] == [body["camera_full"][name] for name in ("tx", "ty", "tz")]


def test_the_crop_camera_shows_the_body_in_the_square_around_its_box(caller: Caller) -> None:
    body = caller.frame().body
    assert body["detection"] == {
        "box_center": [130.0, 120.0], "box_size": 160.0, "score": 0.9,
        "num_persons_detected": 1, "vitdet_used": False,
    }  # fmt: skip
    crop, full = body["camera_params"], body["camera_full"]
    # the pelvis is in the middle of the box, and a body of 1.8 m fills it: 2 / 1.8
    assert crop["scale"] == pytest.approx(2 / 1.8, abs=1e-5)
    assert (crop["tx"], crop["ty"]) == pytest.approx((0, 0), abs=1e-5)
    tz = 2 * full["focal_length"] / (body["detection"]["box_size"] * crop["scale"])
    assert tz == pytest.approx(full["tz"], abs=1e-4)


def test_angles_of_the_stick_are_those_it_was_made_with(caller: Caller) -> None:
    angles = caller.frame().body["joint_angles_3d"]
    assert set(angles) == {
        "left_knee", "right_knee", "left_hip", "right_hip", "left_elbow", "right_elbow",
        "left_shoulder", "right_shoulder", "spine",
    }  # fmt: skip
    assert angles["left_elbow"] == angles["right_elbow"] == 90.0
    assert angles["spine"] == 180.0
    assert 170 < angles["left_knee"] < 180


def test_nobody_is_a_200_that_is_right_without_its_error(caller: Caller) -> None:
    answer = caller.frame(image_base64=nobody_base64(), frame_number=0)
    check("PoseHybridResponse", answer.body)
    assert answer.status == 200
    assert answer.body["error"] == "No person detected in image"
    assert answer.body["keypoints"] == []
    assert answer.body["mesh_vertices_data"] is answer.body["mesh_faces_data"] is None
    assert answer.body["tracking_confidence"] == 0


def test_a_gap_in_a_session_is_predicted_and_marked(caller: Caller) -> None:
    seen = [caller.frame(frame_number=i, session_id="gap").body for i in range(3)]
    gap = caller.frame(frame_number=3, session_id="gap", image_base64=nobody_base64()).body
    check("PoseHybridResponse", gap)
    assert [body["tracking_confidence"] for body in seen] == [1.0, 1.0, 1.0]
    assert 0 < gap["tracking_confidence"] < 1
    assert (gap["keypoint_count"], gap["provenance"]) == (24, "predicted")
    assert gap["detection"] is None


def test_a_session_is_implied_by_consecutive_numbers(caller: Caller) -> None:
    for number in (500, 501):
        caller.frame(frame_number=number)
    gap = caller.frame(frame_number=502, image_base64=nobody_base64()).body
    jump = caller.frame(frame_number=900, image_base64=nobody_base64()).body
    assert gap["provenance"] == "predicted"
    assert jump["error"] == "No person detected in image"


def test_the_largest_person_is_the_primary_and_persons_lists_all(caller: Caller) -> None:
    two = picture((20, 100, 50, 180), (150, 20, 230, 220))
    image = as_base64(picture_file(two, "PNG"))
    body = caller.frame(image_base64=image, persons=True).body
    check("PoseHybridResponse", body)
    assert [person["bbox"] for person in body["persons"]] == [
        [150.0, 20.0, 230.0, 220.0], [20.0, 100.0, 50.0, 180.0]
    ]  # fmt: skip
    assert body["detection"]["num_persons_detected"] == 2
    for person in body["persons"]:
        check("person", person)
    assert body["persons"][0]["mesh_vertices"] == body["mesh_vertices_data"]
    assert body["persons"][0]["keypoints_2d"] == [[p["x"], p["y"]] for p in body["keypoints"]]


def test_a_body_that_is_not_smpl_tells_its_own_parameters(caller: Caller) -> None:
    (person,) = caller.frame(persons=True).body["persons"]
    assert person["smpl"] is None
    assert person["body"]["model"] == "toy"
    assert person["body"]["rotation_names"] == ["root", "head"]
    assert person["body"]["rotations"] == [np.eye(3).tolist()] * 2
    assert person["body"]["scale"] == 1.0
    assert person["provenance"] == "observed"


def test_joint_sets_are_added_by_name_and_null_where_the_body_has_none(caller: Caller) -> None:
    (person,) = caller.frame(joint_sets=["smpl24", "coco17", "blazepose33"]).body["persons"]
    sets = person["joint_sets"]
    assert sets["smpl24"]["points_px"] == person["keypoints_2d"]
    assert len(sets["coco17"]["names"]) == len(sets["coco17"]["points_m"]) == 17
    assert sets["blazepose33"] is None


def test_faces_can_be_left_out(caller: Caller) -> None:
    body = caller.frame(faces=False).body
    check("PoseHybridResponse", body)
    assert body["mesh_faces_data"] is None
    assert body["has_3d"] is True


@pytest.mark.parametrize("precision", [1, 5, 9])
def test_precision_is_the_decimals_of_the_mesh(caller: Caller, precision: int) -> None:
    vertices = np.array(caller.frame(precision=precision).body["mesh_vertices_data"])
    assert np.abs(vertices - np.round(vertices, precision)).max() == 0
    coarse = np.array(caller.frame(precision=1).body["mesh_vertices_data"])
    assert np.abs(vertices - coarse).max() <= 0.05 + 1e-9


def test_visualize_gives_a_picture_of_the_same_size(caller: Caller) -> None:
    body = caller.frame(visualize=True).body
    check("PoseHybridResponse", body)
    prefix, _, data = body["visualization"].partition(",")
    assert prefix == "data:image/jpeg;base64"
    drawn = np.asarray(Image.open(BytesIO(base64.b64decode(data))))
    assert drawn.shape == (240, 320, 3)
    assert np.abs(drawn.astype(int) - picture(PERSON_BOX)).mean() > 5, "something is drawn"


def test_visualize_of_nobody_gives_the_picture_itself(caller: Caller) -> None:
    body = caller.frame(visualize=True, image_base64=nobody_base64()).body
    check("PoseHybridResponse", body)
    drawn = np.asarray(Image.open(BytesIO(base64.b64decode(body["visualization"][23:]))))
    assert drawn.max() < 8, "JPEG keeps black nearly black"


def test_a_data_uri_is_taken_like_bare_base64(caller: Caller) -> None:
    bare = caller.frame().body
    uri = caller.frame(image_base64=f"data:image/png;base64,{person_base64()}").body
    assert uri["keypoints"] == bare["keypoints"]


@pytest.mark.parametrize("part", ["frame", "image"])
@pytest.mark.parametrize("number", ["frameNumber", "frame_number"])
def test_a_multipart_frame_is_answered_like_json(caller: Caller, part: str, number: str) -> None:
    answer = _multipart(caller, part, **{number: "7", "visualize": ""})
    check("PoseHybridResponse", answer.body)
    assert answer.body["frame_number"] == 7
    assert answer.body["keypoints"] == caller.frame().body["keypoints"]


def test_exif_turns_a_phones_picture_but_not_a_json_one(caller: Caller) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to see it upright
    data = picture_file(picture(PERSON_BOX), "JPEG", exif=exif)
    phone = caller.post("/pose/hybrid", data={"frame": (BytesIO(data), "a.jpg")}).body
    plain = caller.frame(image_base64=as_base64(data)).body
    assert (phone["frame_width"], phone["frame_height"]) == (240, 320)
    assert (plain["frame_width"], plain["frame_height"]) == (320, 240)


def test_pose_leaves_the_mesh_out(caller: Caller) -> None:
    answer = caller.frame("/pose", frame_number=4)
    check("PoseResponse", answer.body)
    assert (answer.body["keypoint_count"], answer.body["has_3d"]) == (24, False)
    assert answer.body["mesh_vertices_data"] is answer.body["mesh_faces_data"] is None
    assert answer.body["tracking_confidence"] == 1.0
    assert answer.body["keypoints"] == caller.frame(frame_number=4).body["keypoints"]


def test_gzip_is_used_when_asked_for(caller: Caller) -> None:
    request = {"image_base64": person_base64()}
    headers = {"Accept-Encoding": "gzip, deflate"}
    packed = caller.client.post("/pose/hybrid", json=request, headers=headers)
    assert packed.headers["Content-Encoding"] == "gzip"
    body = strictly_parsed(gzip.decompress(packed.data))
    check("PoseHybridResponse", body)
    assert int(packed.headers["Content-Length"]) == len(packed.data)
    plain = caller.client.post("/pose/hybrid", json=request)
    assert "Content-Encoding" not in plain.headers
    assert len(plain.data) > len(packed.data)


def test_a_thorough_look_is_at_the_picture_alone(caller: Caller) -> None:
    for number in range(3):
        caller.frame(frame_number=number, session_id="thorough")
    nobody = {"image_base64": nobody_base64(), "session_id": "thorough"}
    looked = caller.post("/pose/hybrid", json={**nobody, "frame_number": 3, "thorough": True})
    check("PoseHybridResponse", looked.body)
    assert looked.body["error"] == "No person detected in image"
    predicted = caller.post("/pose/hybrid", json={**nobody, "frame_number": 3})
    assert predicted.body["provenance"] == "predicted"
