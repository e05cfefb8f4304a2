"""The answer to one picture, from people made by hand."""

from dataclasses import replace

import numpy as np
import pytest
from legacy_kit import Stand, answer_to, frame_of, person, projected_px
from toy_engine import ToyBody, large_body

from pose_service.core.records import Person, Provenance
from pose_service.legacy.frame import unreadable_answer
from pose_service.legacy.options import AnswerOptions, Faces


def test_pixels_and_metres_agree_to_a_hundredth_of_a_pixel() -> None:
    stand = Stand(translation_m=(0.123456789, -0.987654321, 3.141592654))
    answer = answer_to(frame_of(person(stand)))
    camera = answer["camera_full"]
    points = [[p["x_3d"], p["y_3d"], p["z_3d"]] for p in answer["keypoints"]]
    expected = projected_px(np.array(points), np.array([camera[n] for n in ("tx", "ty", "tz")]))
    sent = np.array([[p["x"], p["y"]] for p in answer["keypoints"]])
    assert np.abs(sent - expected).max() < 0.01


def test_the_crop_camera_is_hmr2s_own_conversion_backwards() -> None:
    """HMR 2.0: tz = 2 f / (b s), tx_full = tx + 2 (cx - w/2) / (s b), ty_full likewise."""
    stand = Stand(translation_m=(0.3, -0.2, 8.0), box_xyxy_px=(100.0, 50.0, 200.0, 350.0))
    crop = answer_to(frame_of(person(stand)))["camera_params"]
    side, centre_x, centre_y = 300.0, 150.0, 200.0
    assert 2 * 1000 / (side * crop["scale"]) == pytest.approx(8.0, rel=1e-5)
    shift_x, shift_y = (
        2 * (centre - middle) / (side * crop["scale"])
        for centre, middle in ((centre_x, 320), (centre_y, 180))
    )
    # six decimals are sent
    assert crop["tx"] + shift_x == pytest.approx(0.3, abs=2e-5)
    assert crop["ty"] + shift_y == pytest.approx(-0.2, abs=2e-5)


def test_a_predicted_person_has_no_detection_and_less_confidence() -> None:
    gone = Stand(provenance=Provenance.PREDICTED, tracking_confidence=0.63)
    answer = answer_to(frame_of(person(gone)))
    assert answer["detection"] is None
    assert (answer["tracking_confidence"], answer["provenance"]) == (0.63, "predicted")
    assert answer["error"] is None


def test_only_those_seen_in_this_frame_count_as_detected() -> None:
    people = [
        person(Stand(track_id=1)),
        person(Stand(track_id=2, provenance=Provenance.PREDICTED)),
        person(Stand(track_id=3)),
    ]
    assert answer_to(frame_of(*people))["detection"]["num_persons_detected"] == 2


def test_an_answer_without_mesh_has_keypoints_but_no_3d() -> None:
    answer = answer_to(frame_of(person(Stand())), AnswerOptions(mesh=False))
    assert (answer["has_3d"], answer["mesh_vertices"], answer["keypoint_count"]) == (False, 0, 24)
    assert answer["mesh_vertices_data"] is answer["mesh_faces_data"] is None


def test_a_whole_mesh_weighs_what_the_contract_says() -> None:
    """417 808 bytes were measured for 5 decimals with faces; vertices of another body differ."""
    body = large_body()
    answer = answer_to(frame_of(person(Stand())), AnswerOptions(faces=Faces.EACH), body)
    assert answer["mesh_vertices"] == len(answer["mesh_vertices_data"]) == 6890
    assert len(answer["mesh_faces_data"]) == 13776
    assert answer["mesh_faces_data"] == body.faces.tolist()


def test_vertices_are_written_with_the_decimals_asked_for_and_no_float_dust() -> None:
    body = large_body()
    answer = answer_to(frame_of(person(Stand())), AnswerOptions(precision=4), body)
    exact = body.pose(person(Stand()).pose).vertices_m
    assert exact is not None
    sent = np.array(answer["mesh_vertices_data"])
    assert np.abs(sent - exact[0]).max() <= 0.5e-4 + 1e-7  # float32 adds its own half step
    longest = max(len(str(value)) for vertex in answer["mesh_vertices_data"] for value in vertex)
    assert longest <= len("-0.1234")


def test_an_smpl_body_is_told_in_smpls_own_names() -> None:
    class Smpl(ToyBody):
        rotation_names = tuple(f"joint{i}" for i in range(24))

    betas = [0.1 * i for i in range(10)]
    turned = person(Stand(), rotations=24, shape=betas)
    turned.pose.rotations[0, 0] = np.diag([1.0, -1.0, -1.0])
    body = Smpl("smpl")
    (entry,) = answer_to(frame_of(turned), AnswerOptions(persons=True), body)["persons"]
    assert entry["smpl"]["betas"] == pytest.approx(betas)
    assert np.shape(entry["smpl"]["body_pose"]) == (23, 3, 3)
    assert entry["smpl"]["global_orient"] == np.diag([1.0, -1.0, -1.0]).tolist()
    assert entry["body"] is None


def test_a_body_of_many_shape_parameters_tells_them_all() -> None:
    (entry,) = answer_to(frame_of(person(Stand(), shape=[1.0, 2.0])), AnswerOptions(persons=True))[
        "persons"
    ]
    assert entry["body"]["shape"] == [1.0, 2.0]
    assert "scale" not in entry["body"]


def _spoilt(**parts: object) -> Person:
    return replace(person(Stand()), **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (_spoilt(confidence=float("nan")), "confidences"),
        (_spoilt(joint_confidence=np.full(24, np.inf)), "joint confidences"),
        (_spoilt(box_xyxy_px=np.array([0, 0, np.nan, 1])), "box"),
        (_spoilt(box_xyxy_px=np.array([5.0, 5.0, 5.0, 5.0])), "empty"),
        (person(Stand(translation_m=(0, 0, -3.0))), "behind the camera"),
        (person(Stand(translation_m=(0, 0, 0.0))), ""),
        (person(Stand(translation_m=(0, 0, float("nan")))), ""),
        (person(Stand(), shape=[float("inf")]), ""),
    ],
)
def test_what_is_not_finite_is_answered_as_nobody_with_the_reason(bad: Person, reason: str) -> None:
    with np.errstate(invalid="ignore"):
        answer = answer_to(frame_of(bad), AnswerOptions(persons=True))
    assert reason in answer["error"]
    assert (answer["keypoints"], answer["has_3d"], answer["persons"]) == ([], False, [])
    assert answer["camera_full"] is answer["camera_params"] is answer["camera_translation"] is None


def test_a_picture_that_cannot_be_read_has_every_field_too() -> None:
    nobody = answer_to(frame_of())
    unreadable = unreadable_answer("toy/1", 4, "not a picture")
    assert set(nobody) - set(unreadable) == {"phalp_available"}
    assert (unreadable["frame_number"], unreadable["frame_width"]) == (4, 1)
