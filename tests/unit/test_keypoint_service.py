"""/pose with 2D nets in ONNX files, from the request to the answer."""

from pathlib import Path

import numpy as np
import pytest
from makers import clip_file
from pose2d_kit import constant_net, detector_net, simcc_of
from pose_schema import check_pose
from toy_engine import build_toy, picture

from pose_service.app import create_app
from pose_service.core.config import Settings
from pose_service.pose2d.files import FOLDER, MODES
from pose_service.runtime.hub import ModelHub

PERSON = np.array([[80.0, 100.0, 320.0, 420.0, 0.9]])
"""Of the detector's square of 640 pixels, which a clip of 640x480 fills from above."""

X_PX, Y_PX = np.linspace(40, 150, 17), np.linspace(20, 240, 17)
"""Where the net sees the 17, in its picture of 192x256; half pixels are its steps."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    nets = MODES["balanced"]
    folder = tmp_path / "data" / FOLDER
    detector_net(folder / nets.detector.file.name, 640, PERSON)
    constant_net(
        folder / nets.rtmpose.file.name, ("n", 3, 256, 192), simcc_of(X_PX, Y_PX, 192, 256)
    )
    return Settings(
        data_dir=tmp_path / "data",
        state_dir=tmp_path / "state",
        media_roots=(tmp_path,),
        device="cpu",
    )


def test_a_clip_is_seen_by_the_nets_whose_files_are_there(
    settings: Settings, tmp_path: Path
) -> None:
    clip = clip_file(tmp_path / "a.mp4", [picture(size=(640, 480))] * 12)
    hub = ModelHub(settings, build_toy)
    app = create_app(settings, hub=hub)
    try:
        client = app.test_client()
        answer = client.post("/pose", json={"video_path": str(clip)})
        in_space = client.post("/pose", json={"video_path": str(clip), "angles": "3d"})
        health = client.get("/healthz").get_json()
    finally:
        app.extensions["pose_service"].stop()
    assert answer.status_code == 200
    body = answer.get_json()
    check_pose(body)
    summary = body["data"]["processing_summary"]
    assert (summary["model_info"]["name"], summary["angles"]) == ("RTMPose-Medium", "2d")
    assert (summary["model_info"]["axes"], summary["model_info"]["fallback"]) == (2, "")
    pose = body["data"]["poses_per_frame"][3]
    assert pose["frame_info"]["model_used"] == "RTMPose-Medium"
    assert pose["keypoints_3d"] is None
    # a box of 240 x 320 is cut out 1.25 times as large around its middle: 300 x 400 onto 192 x 256
    scale = 400 / 256
    first = (200 + (X_PX[0] - 96) * scale, 260 + (Y_PX[0] - 128) * scale)
    nose = pose["keypoints"]["nose"]
    assert (nose["x"], nose["y"]) == pytest.approx(first, abs=scale)
    assert nose["confidence"] == pytest.approx(0.8, abs=0.01)
    # the toy engine sees nobody in black pictures
    other = in_space.get_json()["data"]["processing_summary"]
    assert (other["model_info"]["name"], other["successful_poses"]) == ("toy", 0)
    models = health["models"]
    assert (models["rtmpose_loaded"], models["hrnet_loaded"]) == (True, False)
    assert models["model_info"]["name"] == "RTMPose-Medium"
    assert models["model_info"]["config"] == "rtmpose-m_simcc-aic-coco_pt-aic-coco_420e-256x192"
