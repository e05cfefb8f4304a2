"""Which 2D nets are taken, and how their files come here."""

import json
import logging
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import numpy as np
import onnx
import pytest
from file_server import mirror_of
from onnx import TensorProto, helper
from pose2d_kit import constant_net, detector_net, simcc_of

from pose_service.commands import main
from pose_service.commands.findings import State
from pose_service.commands.pose2d_checks import nets_2d
from pose_service.core.config import KEYPOINT_MODES, Settings, read_settings
from pose_service.pose2d.choosing import choose
from pose_service.pose2d.config import DEFAULT_FILE, ModelConfig, NetConfig, read_model_config
from pose_service.pose2d.detectors import RTMDET_COLOURS, YOLOX_COLOURS
from pose_service.pose2d.files import FOLDER, HRNET, MODES, RTMDETS, Net
from pose_service.pose2d.seam import NotChosen, Pose2D
from pose_service.runtime.delivery import Delivery
from pose_service.runtime.fetch import FetchError
from pose_service.runtime.obtain import obtain
from pose_service.runtime.offline import take_from
from pose_service.runtime.weights import located

BALANCED = MODES["balanced"]
X, Y = np.arange(20, 105, 5.0), np.arange(30, 200, 10.0)
PERSON = np.array([[100, 100, 300, 500, 0.9]])


@pytest.fixture(autouse=True)
def no_other_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "rtmlib"))


def settings_of(folder: Path, **changes: object) -> Settings:
    return Settings(data_dir=folder / "data", device="cpu").model_copy(update=changes)


def stand_in(net: Net, path: Path) -> Path:
    """A file that is right for `net`, at `path`."""
    width, height = net.opened_as.usual_px
    if net is HRNET:
        heat = np.zeros((17, height // 4, width // 4))
        heat[:, 20, 10] = 0.5
        return constant_net(path, ("n", 3, height, width), [heat])
    if width == height:
        return detector_net(path, width, PERSON)
    return constant_net(path, ("n", 3, height, width), simcc_of(X, Y, width, height))


def put(settings: Settings, *nets: Net) -> None:
    for net in nets:
        stand_in(net, settings.data_dir / FOLDER / net.file.name)


def archive_of(net: Net, folder: Path) -> Path:
    """The net as OpenMMLab packs it: one file in folders of some name, with others beside it."""
    stem = net.file.name.removesuffix(".onnx")
    content = stand_in(net, folder / "end2end.onnx").read_bytes()
    path = folder / net.source.name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"20230831/rtmpose_onnx/{stem}/deploy.json", "{}")
        archive.writestr(f"20230831/rtmpose_onnx/{stem}/end2end.onnx", content)
    (folder / "end2end.onnx").unlink()
    return path


def test_rtmpose_is_taken_where_it_is(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    put(settings, BALANCED.detector, BALANCED.rtmpose, HRNET)
    chosen = choose(settings, ModelConfig())
    assert isinstance(chosen, Pose2D)
    assert (chosen.model.name, chosen.model.precision) == ("RTMPose-Medium", "fp32")
    assert chosen.model.version == BALANCED.rtmpose.file.name.removesuffix(".onnx")
    assert (chosen.model.axes, chosen.model.fallback) == (2, "")
    image = np.zeros((640, 640, 3), np.uint8)
    ((boxes, _),) = chosen.detector.detect([image])
    np.testing.assert_allclose(boxes, PERSON[:, :4])
    points, confidence = chosen.net.keypoints(image, boxes)
    assert points.shape == (1, 17, 2)
    np.testing.assert_allclose(confidence, 0.8)


@pytest.mark.parametrize("mode", KEYPOINT_MODES)
def test_the_word_chooses_detector_and_rtmpose(mode: str, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, keypoint_mode=mode)
    put(settings, MODES[mode].detector, MODES[mode].rtmpose)
    chosen = choose(settings, ModelConfig())
    assert isinstance(chosen, Pose2D)
    assert chosen.model.name == MODES[mode].rtmpose.title
    others = [word for word in KEYPOINT_MODES if word != mode]
    for word in others:
        left = choose(settings_of(tmp_path, keypoint_mode=word), ModelConfig())
        assert isinstance(left, NotChosen)
        assert f"The files of {mode} are here: set POSE_KEYPOINT_MODE={mode}." in left.remedy


def test_hrnet_stands_in_and_says_why(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    put(settings, BALANCED.detector, HRNET)
    chosen = choose(settings, ModelConfig())
    assert isinstance(chosen, Pose2D)
    assert chosen.model.name == "HRNet-W48"
    assert "RTMPose-Medium" in chosen.model.fallback and "is missing" in chosen.model.fallback
    off = choose(settings, ModelConfig(rtmpose=NetConfig(enabled=False)))
    assert isinstance(off, Pose2D)
    assert off.model.fallback == "RTMPose-Medium is switched off"


def test_hrnet_does_not_stand_in_where_the_fallback_is_the_engine(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    put(settings, BALANCED.detector, HRNET)
    for fallback in ("engine", "none", False):
        chosen = choose(settings, ModelConfig(rtmpose=NetConfig(fallback=fallback)))
        assert isinstance(chosen, NotChosen)
        assert "HRNet" not in chosen.reason


def test_none_is_taken_where_nothing_is_and_each_reason_is_told(tmp_path: Path) -> None:
    chosen = choose(settings_of(tmp_path), ModelConfig())
    assert isinstance(chosen, NotChosen)
    assert "RTMPose-Medium: " in chosen.reason and "HRNet-W48: " in chosen.reason
    assert "fetch-weights pose2d --mode balanced" in chosen.remedy
    assert "docs/pose2d.md" in chosen.remedy
    off = NetConfig(enabled=False)
    switched_off = choose(settings_of(tmp_path), ModelConfig(rtmpose=off, hrnet=off))
    assert isinstance(switched_off, NotChosen)
    assert switched_off.reason == "RTMPose-Medium is switched off; HRNet-W48 is switched off"
    assert "RTMPOSE_ENABLED=true" in switched_off.remedy


def test_without_a_detector_no_net_is_taken_and_rtmdet_stands_in(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    put(settings, BALANCED.rtmpose)
    chosen = choose(settings, ModelConfig())
    assert isinstance(chosen, NotChosen)
    assert "YOLOX-M: " in chosen.reason
    put(settings, RTMDETS[1])
    stood_in = choose(settings, ModelConfig())
    assert isinstance(stood_in, Pose2D)
    assert stood_in.model.fallback == "people are found by RTMDet-nano"


def test_each_detector_gets_the_colours_it_was_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    monkeypatch.setattr(
        "pose_service.pose2d.choosing.BoxNet", lambda net, layout, colours: given.append(colours)
    )
    for net in (RTMDETS[0], BALANCED.detector):
        settings = settings_of(tmp_path / net.title)
        put(settings, BALANCED.rtmpose, net)
        choose(settings, ModelConfig())
    assert given == [RTMDET_COLOURS, YOLOX_COLOURS]


def test_a_detector_that_only_says_it_takes_any_number_of_pictures_is_taken(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    put(settings, BALANCED.rtmpose, BALANCED.detector)
    path = settings.data_dir / FOLDER / BALANCED.detector.file.name
    model = onnx.load(path)
    # a constant of one picture's boxes, whatever comes in
    del model.graph.node[:]
    boxes = helper.make_tensor("boxes", TensorProto.FLOAT, [1, 1, 5], PERSON.ravel())
    model.graph.node.append(helper.make_node("Constant", [], ["out0"], value=boxes))
    for tensor in (*model.graph.input, *model.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"
    path.write_bytes(model.SerializeToString())
    chosen = choose(settings, ModelConfig())
    assert isinstance(chosen, Pose2D)
    ((boxes_px, _),) = chosen.detector.detect([np.zeros((640, 640, 3), np.uint8)])
    np.testing.assert_allclose(boxes_px, PERSON[:, :4])


def test_a_file_of_another_model_is_passed_over_with_both_shapes(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    put(settings, BALANCED.detector, HRNET)
    wrong = settings.data_dir / FOLDER / BALANCED.rtmpose.file.name
    constant_net(wrong, ("n", 3, 256, 192), [np.ones((133, 384)), np.ones((133, 512))])
    chosen = choose(settings, ModelConfig())
    assert isinstance(chosen, Pose2D)
    assert chosen.model.name == "HRNet-W48"
    assert "(n, 17, 384)" in chosen.model.fallback and "(None, 133, 384)" in chosen.model.fallback


def test_a_checkpoint_of_the_users_own_is_taken(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    put(settings, BALANCED.detector)
    own = stand_in(BALANCED.rtmpose, tmp_path / "own.onnx")
    asked = ModelConfig(rtmpose=NetConfig(checkpoint="own.onnx"), source=tmp_path / "c.json")
    chosen = choose(settings, asked)
    assert isinstance(chosen, Pose2D)
    assert chosen.model.version == "own"
    own.unlink()
    gone = choose(settings, asked)
    assert isinstance(gone, NotChosen)
    assert "own.onnx" in gone.reason and "cannot be read" in gone.reason


def test_batch_processing_off_is_one_person_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path, batch=5)
    put(settings, BALANCED.detector, BALANCED.rtmpose)
    batches = []
    opened = type(BALANCED.rtmpose.opened_as).open
    monkeypatch.setattr(
        "pose_service.pose2d.opening.NetFile.open",
        lambda self, path, seat: batches.append(seat.batch) or opened(self, path, seat),
    )
    for on in (True, False):
        performance = ModelConfig().performance.model_copy(update={"batch_processing": on})
        choose(settings, ModelConfig(performance=performance))
    # the detector sees one picture at a time anyway
    assert batches == [1, 5, 1, 1]


def test_without_onnxruntime_the_remedy_is_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pose_service.pose2d.choosing.is_installed", lambda: False)
    chosen = choose(settings_of(tmp_path), ModelConfig())
    assert isinstance(chosen, NotChosen)
    assert chosen.reason == "onnxruntime is not installed"
    assert "requirements-onnx.txt" in chosen.remedy


def test_files_that_rtmlib_has_are_found(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    there = tmp_path / "rtmlib/hub/checkpoints" / BALANCED.rtmpose.file.name
    stand_in(BALANCED.rtmpose, there)
    assert located(BALANCED.rtmpose.file, settings) == there


def test_a_mode_is_fetched_unpacked_and_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mirror").mkdir()
    for net in (BALANCED.detector, BALANCED.rtmpose):
        archive_of(net, tmp_path / "mirror")
    with mirror_of(tmp_path / "mirror") as url, caplog.at_level(logging.WARNING):
        settings = settings_of(tmp_path, weights_mirror=url)
        for net in (BALANCED.detector, BALANCED.rtmpose):
            obtain(Delivery(net.source, settings))
    # a stand-in's hash is not the known one: its shapes decided, and that is said
    assert "What is in it decides" in caplog.text
    assert isinstance(choose(settings, ModelConfig()), Pose2D)
    names = {path.name for path in (settings.data_dir / FOLDER).iterdir()}
    assert names == {BALANCED.detector.file.name, BALANCED.rtmpose.file.name}


def test_an_archive_of_another_model_is_not_let_in(tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    path = archive_of(HRNET, tmp_path / "mirror")
    path.rename(path.with_name(BALANCED.rtmpose.source.name))
    with mirror_of(tmp_path / "mirror") as url:
        settings = settings_of(tmp_path, weights_mirror=url)
        with pytest.raises(FetchError, match="not the wanted file"):
            obtain(Delivery(BALANCED.rtmpose.source, settings))
    assert not any((settings.data_dir / FOLDER).glob("*.onnx"))


@pytest.mark.parametrize("names", [["a/other.onnx"], ["a/end2end.onnx", "b/end2end.onnx"]])
def test_an_archive_without_its_file_or_with_two_is_refused(
    names: list[str], tmp_path: Path
) -> None:
    (tmp_path / "mirror").mkdir()
    with zipfile.ZipFile(tmp_path / "mirror" / BALANCED.rtmpose.source.name, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    with mirror_of(tmp_path / "mirror") as url:
        settings = settings_of(tmp_path, weights_mirror=url)
        with pytest.raises(FetchError, match=r"has no \*/end2end\.onnx"):
            obtain(Delivery(BALANCED.rtmpose.source, settings))


def test_a_folder_brings_archives_and_single_files_without_a_net(tmp_path: Path) -> None:
    settings, given = settings_of(tmp_path), tmp_path / "given/deep"
    given.mkdir(parents=True)
    archive_of(BALANCED.detector, given)
    stand_in(BALANCED.rtmpose, given / BALANCED.rtmpose.file.name)
    stand_in(HRNET, given / HRNET.file.other_names[0])
    nets = (BALANCED.detector, BALANCED.rtmpose, HRNET)
    take_from(tmp_path / "given", tuple(Delivery(net.source, settings) for net in nets))
    for net in nets:
        assert located(net.file, settings).parent == settings.data_dir / FOLDER


def test_the_command_fetches_a_mode_and_says_where_all_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mode = MODES["lightweight"]
    (tmp_path / "mirror").mkdir()
    for net in (mode.detector, mode.rtmpose):
        archive_of(net, tmp_path / "mirror")
    monkeypatch.setenv("POSE_DATA_DIR", str(tmp_path / "data"))
    with mirror_of(tmp_path / "mirror") as url:
        monkeypatch.setenv("POSE_WEIGHTS_MIRROR", url)
        assert main(["fetch-weights", "pose2d", "--mode", "lightweight"]) == 0
    said = capsys.readouterr().out
    assert "pose2d: every file it needs is here" in said.replace("\n", "")
    assert "POSE_KEYPOINT_MODE=lightweight" in said
    assert main(["fetch-weights", "embedded", "--mode", "balanced"]) == 2
    assert "--mode is for pose2d" in capsys.readouterr().err


def test_doctor_says_of_each_net_where_it_is_or_how_to_get_it(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    found = {finding.subject: finding for finding in nets_2d(settings)}
    assert found["RTMPose-Medium"].state is State.NOTE
    assert "Without it /pose takes HRNet-W48" in found["RTMPose-Medium"].detail
    assert "fetch-weights pose2d" in found["RTMPose-Medium"].remedy
    assert "the engine's joints" in found["YOLOX-M"].detail
    put(settings, BALANCED.rtmpose, RTMDETS[0])
    found = {finding.subject: finding for finding in nets_2d(settings, full=True)}
    assert found["RTMPose-Medium"].state is State.OK
    assert RTMDETS[0].file.name in found["YOLOX-M"].detail


def test_doctor_looks_at_the_checkpoint_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text('{"models": {"rtmpose_medium": {"checkpoint": "own.onnx"}}}')
    settings = settings_of(tmp_path, nets_config=path)
    found = {finding.subject: finding for finding in nets_2d(settings)}
    assert found["RTMPose-Medium"].state is State.NOTE
    assert "own.onnx cannot be used" in found["RTMPose-Medium"].detail
    stand_in(BALANCED.rtmpose, tmp_path / "own.onnx")
    found = {finding.subject: finding for finding in nets_2d(settings)}
    assert found["RTMPose-Medium"].state is State.OK


def test_doctor_knows_the_runtime_for_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: f"{name} 1")
    found = {finding.subject: finding for finding in nets_2d(settings_of(tmp_path))}
    assert found["onnxruntime-gpu"].state is State.OK
    assert "onnxruntime" not in found


def test_doctor_tells_what_is_wrong_with_the_file_of_settings(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text('{"gpu": 1, "models": {"hrnet_w48": {"checkpoint": "w.pth"}}}')
    settings = read_settings({"POSE_MODEL_CONFIG": str(path), "RTMPOSE_ENABLED": "false"})
    found = list(nets_2d(settings))
    assert any(finding.detail.endswith("this version: gpu") for finding in found)
    assert any("'w.pth' is no ONNX file" in finding.detail for finding in found)
    assert [each.detail for each in found if each.subject == "RTMPose-Medium"] == ["switched off"]
    path.write_text("{")
    assert [finding.state for finding in nets_2d(settings)] == [State.PROBLEM]


def test_looking_for_files_loads_neither_a_runtime_nor_opencv() -> None:
    code = (
        "import sys, pose_service.commands.checks, pose_service.pose2d.files, "
        "pose_service.pose2d.config; "
        "heavy = {'onnxruntime', 'cv2', 'torch', 'scipy'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_choosing_loads_no_torch(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    put(settings, BALANCED.detector, BALANCED.rtmpose)
    code = (
        "import sys; from pathlib import Path; from pose_service.core.config import Settings; "
        "from pose_service.pose2d.choosing import choose; "
        "from pose_service.pose2d.config import ModelConfig; "
        f"settings = Settings(data_dir=Path({str(settings.data_dir)!r}), device='cpu'); "
        "print(choose(settings, ModelConfig()).model.name); "
        "heavy = {'torch', 'scipy'} & set(sys.modules); sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "RTMPose-Medium"), done.stderr


def test_the_shipped_file_names_nets_that_are_known() -> None:
    config = read_model_config(Settings())
    assert config.hrnet.config is not None
    assert HRNET.file.name == f"{config.hrnet.config}.onnx"


def test_the_document_names_every_net_and_every_field_of_the_file() -> None:
    page = (DEFAULT_FILE.parents[1] / "docs/pose2d.md").read_text(encoding="utf-8")
    nets = [net for mode in MODES.values() for net in (mode.detector, mode.rtmpose)]
    stems = [net.file.name.removesuffix(".onnx") for net in (*nets, HRNET, *RTMDETS)]
    config = json.loads(DEFAULT_FILE.read_text(encoding="utf-8"))
    fields = [name for block in ("biomechanics", "performance") for name in config[block]]
    fields += [*config, *config["models"], *config["models"]["hrnet_w48"]]
    assert [word for word in (*MODES, *stems, *fields) if word not in page] == []
