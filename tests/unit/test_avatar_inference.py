"""`HMR2Inference`: a photograph in, SMPL numbers out, by tiny nets with a person-shaped body."""

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from official_files import write_files
from PIL import Image
from standin_hmr2 import BOXES_XYXY_PX
from standin_hmr2 import picture as crowd
from standin_person import write_people
from tiny_fourdhumans import ENGINE, picture, settings

from pose_service.avatar.check.refusals import PictureRefusedError
from pose_service.avatar.hmr2_inference import HMR2Inference, largest_person
from pose_service.avatar.measurement_extractor import MeasurementExtractor
from pose_service.avatar.records import Wish
from pose_service.avatar.smpl.bodies import SmplBodies
from pose_service.avatar.smpl.fit_smpl import fit_smpl
from pose_service.core.config import Settings, SettingsError
from pose_service.core.errors import BadImageError, BadRequestError, EngineError, UnavailableError
from pose_service.core.geometry import rotation_from_vector
from pose_service.core.records import BodyPoses, Regions
from pose_service.engines import registry

SHAPES = {
    "betas": (10,), "body_pose": (69,), "global_orient": (3,), "vertices": (6890, 3),
    "joints": (24, 3),
}  # fmt: skip
# single precision of the net, of the body and of turns taken to axis and angle
SAME = 1e-4


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = write_files(tmp_path_factory.mktemp("data"))
    write_people(data_dir / "4dhumans" / "smpl", "neutral", "male")
    return data_dir


@pytest.fixture(scope="module")
def here(data_dir: Path) -> Settings:
    return settings(data_dir)


@pytest.fixture(scope="module", autouse=True)
def tiny_engine() -> Any:
    """The tiny engine in the place of the real one, as a plug-in."""
    point = EntryPoint("4dhumans", "plugged:ENGINE", registry.ENTRY_POINT_GROUP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "plugged", SimpleNamespace(ENGINE=ENGINE))
        patch.setattr(registry.metadata, "entry_points", lambda group: [point])
        yield


@pytest.fixture(scope="module")
def inference(here: Settings) -> HMR2Inference:
    return HMR2Inference("cpu", settings=here)


def photograph() -> Image.Image:
    return Image.fromarray(picture())


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, inference: HMR2Inference) -> Callable[[Any], None]:
    """Let the detector find people in these boxes (n, 4), pixels."""

    def find(boxes_xyxy_px: Any) -> None:
        regions = Regions.of_boxes(np.array(boxes_xyxy_px, float).reshape(-1, 4))
        detector = SimpleNamespace(detect=lambda images, look=None: [regions for _ in images])
        changed = inference._engine.__class__(
            **{**inference._engine.__dict__, "detector": detector}
        )
        monkeypatch.setattr(inference, "_engine", changed)

    return find


def test_a_photograph_gives_the_arrays_of_the_contract(inference: HMR2Inference) -> None:
    answer = inference.predict(photograph())
    assert {name: array.shape for name, array in answer.items()} == SHAPES
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in answer.values())


def test_vertices_and_joints_are_those_of_the_parameters(
    inference: HMR2Inference, data_dir: Path
) -> None:
    answer = inference.predict(photograph())
    turns = np.concatenate([answer["global_orient"], answer["body_pose"]]).reshape(24, 3)
    poses = BodyPoses(
        rotation_from_vector(turns.astype(float))[None], np.zeros((1, 3)), answer["betas"][None]
    )
    posed = inference._engine.body.pose(poses)
    np.testing.assert_allclose(answer["vertices"], np.asarray(posed.vertices_m)[0], atol=SAME)
    np.testing.assert_allclose(answer["joints"], posed.joints_m[0], atol=SAME)


def test_the_largest_of_several_people_is_taken(
    inference: HMR2Inference, found: Callable[[Any], None]
) -> None:
    image = Image.fromarray(crowd())
    areas = np.prod(BOXES_XYXY_PX[:3, 2:] - BOXES_XYXY_PX[:3, :2], axis=1)
    largest = BOXES_XYXY_PX[:3][np.argmax(areas)]
    found(largest)
    alone = inference.predict(image)
    others = [box for box in BOXES_XYXY_PX[:3] if not np.array_equal(box, largest)]
    found([others[0], largest, others[1]])
    among = inference.predict(image)
    for name in SHAPES:
        np.testing.assert_allclose(among[name], alone[name], atol=SAME)
    found(others[0])
    assert np.abs(inference.predict(image)["vertices"] - alone["vertices"]).max() > 10 * SAME


def test_nobody_is_told_in_the_words_of_the_contract(
    inference: HMR2Inference, found: Callable[[Any], None]
) -> None:
    found([])
    with pytest.raises(PictureRefusedError) as caught:
        inference.predict(photograph())
    assert str(caught.value) == "No person detected in image"
    assert caught.value.status == 422
    # a box in which the net sees no body counts as nobody, too
    found([[-50, -80, -10, -20]])
    with pytest.raises(PictureRefusedError):
        inference.predict(photograph())


def test_pictures_of_any_kind_are_read_upright_and_in_colour(inference: HMR2Inference) -> None:
    upright = photograph()
    wanted = inference.predict(upright)
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    turned.getexif()[0x0112] = 6  # to be shown a quarter turn clockwise
    for image in (turned, upright.convert("RGBA")):
        answer = inference.predict(image)
        for name in SHAPES:
            np.testing.assert_array_equal(answer[name], wanted[name])


def test_the_male_body_is_the_one_nearest_to_what_was_seen(
    inference: HMR2Inference, data_dir: Path
) -> None:
    neutral, male = (inference.predict(photograph(), word) for word in ("neutral", "male"))
    assert np.abs(male["betas"] - neutral["betas"]).max() > 0.1
    np.testing.assert_array_equal(male["body_pose"], neutral["body_pose"])
    folder = data_dir / "4dhumans" / "smpl"
    measures = [
        MeasurementExtractor(folder, word).extract(
            answer["betas"], answer["body_pose"], answer["global_orient"]
        )
        for word, answer in (("neutral", neutral), ("male", male))
    ]
    # the stand-ins can take each other's form
    assert measures[1] == pytest.approx(measures[0], rel=2e-3)


def test_both_faces_and_the_avatars_own_body_give_the_same_numbers(
    inference: HMR2Inference, here: Settings
) -> None:
    sight = largest_person(inference._engine, picture())
    fitted = fit_smpl([sight], Wish(), SmplBodies(here), "any")
    answer = inference.predict(photograph())
    for name in ("betas", "body_pose", "global_orient"):
        np.testing.assert_allclose(answer[name], fitted.parameters[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("image", "came"),
    [
        (picture(), "ndarray"),
        ("person.jpg", "str"),
        (Image.new("RGB", (0, 8)), "one without pixels"),
    ],
)
def test_what_is_no_picture_is_told(inference: HMR2Inference, image: Any, came: str) -> None:
    with pytest.raises(BadImageError, match=f"expected a picture of Pillow's, got {came}"):
        inference.predict(image)


def test_an_unknown_gender_and_a_missing_body_are_told(
    inference: HMR2Inference, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(BadRequestError, match="got 'Male'"):
        inference.predict(photograph(), "Male")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(EngineError, match=r"SMPL_FEMALE\.pkl is missing") as caught:
        inference.predict(photograph(), "female")
    assert "4dhumans/smpl" in caught.value.hint


def test_a_full_card_is_an_error_that_says_what_to_do(
    inference: HMR2Inference, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(inference._engine.regressor.net, "forward", full)  # type: ignore[attr-defined]
    with pytest.raises(UnavailableError) as caught:
        inference.predict(photograph())
    assert caught.value.code == "CUDA_OOM"
    assert "POSE_CPU_FALLBACK=1" in caught.value.hint


def test_a_model_that_cannot_load_fails_at_once(tmp_path: Path, here: Settings) -> None:
    missing = here.model_copy(update={"hmr2_checkpoint": tmp_path / "no.ckpt"})
    with pytest.raises(EngineError, match=r"POSE_HMR2_CHECKPOINT=.*no\.ckpt: there is no such"):
        HMR2Inference("cpu", settings=missing)
    damaged = tmp_path / "damaged.ckpt"
    damaged.write_bytes(b"<html>")
    with pytest.raises(EngineError, match="the download wanted a login"):
        HMR2Inference("cpu", settings=here.model_copy(update={"hmr2_checkpoint": damaged}))


def test_the_callers_own_settings_are_honoured(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in {
        "ML_HMR2_CHECKPOINT_PATH": data_dir / "4dhumans" / "epoch=35-step=1000000.ckpt",
        "ML_HMR2_DEVICE": "cpu",
        "ML_SMPL_MODEL_PATH": data_dir / "4dhumans" / "smpl",
        "ML_BATCH_SIZE": 1,
        "ML_DETECTION_THRESHOLD": 0.25,
        "POSE_DATA_DIR": data_dir,
    }.items():
        monkeypatch.setenv(name, str(value))
    inference = HMR2Inference()
    own = inference._settings
    assert (own.device, own.batch, own.picture_score) == ("cpu", 1, 0.25)
    assert own.smpl_file == data_dir / "4dhumans" / "smpl"
    assert inference.predict(photograph(), "male")["betas"].shape == (10,)
    monkeypatch.setenv("ML_DETECTION_THRESHOLD", "0.9")
    with pytest.raises(PictureRefusedError):
        HMR2Inference().predict(photograph())


def test_a_device_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"device: .*got 'tpu'"):
        HMR2Inference("tpu", settings=Settings())
