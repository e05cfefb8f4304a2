"""Every error is a JSON answer, whatever it comes from."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from contract_kit import Caller, as_base64, check, person_base64, running
from makers import picture_file
from toy_engine import ToyBody, ToyDetector, picture, toy_engine

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.config import Settings
from pose_service.core.errors import UnavailableError
from pose_service.core.records import BodyPoses, Look, PosedBodies, Regions
from pose_service.engines.seam import Engine


class BreakingDetector(ToyDetector):
    """Fails in the way that the colour of the picture says."""

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        red, green, _ = images[0][0, 0]
        if red == 255:
            raise RuntimeError("the net fell over")
        if green == 255:
            raise UnavailableError("out of GPU memory", code="CUDA_OOM", retry_after_s=10)
        return super().detect(images, look)


class UnsoundBody(ToyBody):
    """A body whose mesh is not finite where the picture's person stands on the left."""

    def pose(self, poses: BodyPoses, *, vertices: bool = True) -> PosedBodies:
        posed = super().pose(poses, vertices=vertices)
        mesh: FloatArray | None = posed.vertices_m
        if mesh is not None:
            mesh[poses.translations_m[:, 0] < 0] = np.nan
        return replace(posed, vertices_m=mesh)


def _build(settings: Settings) -> tuple[Engine, str]:
    return replace(toy_engine(UnsoundBody()), detector=BreakingDetector()), "it breaks"


@pytest.fixture
def breaking(tmp_path: Path) -> Iterator[Caller]:
    settings = Settings(state_dir=tmp_path, media_roots=(tmp_path,))
    with running(settings, _build) as caller:
        yield caller


def _coloured(*rgb: int) -> str:
    image = picture((170, 40, 230, 200))
    image[0, 0] = rgb
    return as_base64(picture_file(image, "PNG"))


@pytest.mark.parametrize("path", ["/nowhere", "/", "/pose/hybrid/more", "/pose//hybrid"])
def test_an_unknown_route_is_404(caller: Caller, path: str) -> None:
    answer = caller.get(path)
    assert (answer.status, answer.body["error_type"]) == (404, "NOT_FOUND")
    assert path in answer.body["error"]


def test_another_method_is_405_with_the_right_one(caller: Caller) -> None:
    answer = caller.get("/pose/hybrid")
    assert answer.status == 405
    assert answer.body["error"] == "/pose/hybrid takes POST, not GET"
    assert "POST" in answer.headers["Allow"]


def test_a_slash_at_the_end_is_no_redirect(caller: Caller) -> None:
    assert caller.get("/health/").status == 200


def test_a_failure_of_the_nets_is_500_and_logged_with_its_trace(
    breaking: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        answer = breaking.frame(image_base64=_coloured(255, 0, 0), frame_number=9)
    assert answer.status == 500
    assert (answer.body["error_type"], answer.body["frame_number"]) == ("INTERNAL", 9)
    assert "the net fell over" in answer.body["error"]
    assert answer.body["hint"]
    assert any(record.exc_info for record in caplog.records)
    (line,) = [
        record.getMessage() for record in caplog.records if "ms frame" in record.getMessage()
    ]
    assert line.startswith("[POSE] POST /pose/hybrid 500 ")
    assert "frame_number=9" in line
    assert "the net fell over" in line
    assert breaking.frame(image_base64=_coloured(0, 0, 0)).status == 200


def test_no_memory_is_503_with_the_time_to_try_again(breaking: Caller) -> None:
    answer = breaking.frame(image_base64=_coloured(0, 255, 0), frame_number=2)
    assert answer.status == 503
    assert answer.body["error_type"] == "CUDA_OOM"
    assert answer.body["retry_after_seconds"] == 10
    assert answer.headers["Retry-After"] == "10"


def test_a_body_that_is_not_finite_is_answered_as_nobody_with_the_reason(breaking: Caller) -> None:
    answer = breaking.frame(image_base64=person_base64())
    check("PoseHybridResponse", answer.body)
    assert answer.status == 200
    assert answer.body["error"] == "the body's mesh came out not finite"
    assert answer.body["keypoints"] == []


def test_somebody_else_who_is_not_finite_is_left_out(breaking: Caller) -> None:
    two = as_base64(picture_file(picture((20, 100, 60, 180), (180, 20, 280, 220)), "PNG"))
    body = breaking.frame(image_base64=two, persons=True, visualize=True).body
    check("PoseHybridResponse", body)
    assert [person["bbox"][0] for person in body["persons"]] == [180.0]


def test_a_path_with_line_breaks_is_one_line_of_log(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        caller.get("/a%0Ab%0D%0A[INIT]%20forged")
    (line,) = [message for message in caplog.messages if "forged" in message]
    assert "\n" not in line


def test_the_log_tells_the_frame_number_the_time_and_the_outcome(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        caller.frame(frame_number=31)
    assert any(
        line.startswith("[POSE] POST /pose/hybrid 200 ")
        and line.endswith("frame_number=31 observed")
        for line in caplog.messages
    )
