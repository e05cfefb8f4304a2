"""The 4dhumans engine: whether it can serve, what its parts make of pictures, and what they refuse.

The nets are tiny and hold stand-in weights; the official code ran with these, so its numbers are
known.
"""

import logging
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from official_files import write_files
from standin_hmr2 import BOXES_XYXY_PX, assert_golden, golden
from standin_hmr2 import picture as crowd
from tiny_fourdhumans import ENGINE, SCORE, picture, settings
from torch import Tensor

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.config import Settings
from pose_service.core.errors import EngineError, UnavailableError
from pose_service.core.records import (
    NEW_TRACK,
    BodyPoses,
    Camera,
    Look,
    Observation,
    PosedBodies,
    Regions,
)
from pose_service.engines import fourdhumans, registry
from pose_service.engines.seam import BodyModel, Engine
from pose_service.fourdhumans import assembly, compiling
from pose_service.fourdhumans import detector as detector_module
from pose_service.fourdhumans.detector import VitDetDetector
from pose_service.fourdhumans.placing import fitted_translations_m
from pose_service.fourdhumans.regressor import Hmr2Regressor
from pose_service.hmr2.network import BodyEstimates
from pose_service.runtime import device
from pose_service.vitdet.detector import Detections

TINY = golden("golden_tiny")
# as in the parity tests of the parts: float32 steps of what is 46 to 134 m away
PLACE_LIMIT_M, PIXEL_LIMIT, BODY_LIMIT = 1e-3, 5e-3, 1e-5
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def engine(data_dir: Path) -> Engine:
    return ENGINE.build(settings(data_dir, batch=4))


@pytest.fixture
def regressor(engine: Engine) -> Hmr2Regressor:
    assert isinstance(engine.regressor, Hmr2Regressor)
    return engine.regressor


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fourdhumans, "nvidia_cards", lambda: 0)
    monkeypatch.setattr(device, "nvidia_cards", lambda: 0)


# Whether it can serve


def test_with_all_files_it_serves_on_the_cpu_when_named_and_says_that_it_is_slow(
    data_dir: Path,
) -> None:
    chance = ENGINE.probe(settings(data_dir))
    assert chance.available
    assert "cpu in float32" in chance.reason
    assert "about a minute" in chance.reason
    assert "SMPL_NEUTRAL.pkl" in chance.reason


def test_all_that_is_missing_is_told_at_once_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    chance = ENGINE.probe(settings(tmp_path / "data"))
    assert not chance.available
    for name in ("model_final_f05665.pkl", "epoch=35-step=1000000.ckpt", "SMPL_to_J19.pkl"):
        assert f"{name} is missing" in chance.reason
    assert "SMPL_NEUTRAL.pkl is missing" in chance.reason
    assert chance.remedy.count("fetch-weights 4dhumans") == 1
    assert "https://smpl.is.tue.mpg.de" in chance.remedy


@pytest.mark.usefixtures("no_card")
def test_auto_passes_it_over_where_there_is_no_card(data_dir: Path) -> None:
    chance = ENGINE.probe(settings(data_dir, engine="auto", device="auto"))
    assert not chance.available
    assert "no NVIDIA card" in chance.reason
    assert "POSE_ENGINE=4dhumans" in chance.remedy


def test_auto_passes_it_over_where_the_cpu_is_asked_for(data_dir: Path) -> None:
    chance = ENGINE.probe(settings(data_dir, engine="auto"))
    assert not chance.available
    assert "POSE_DEVICE=cpu" in chance.reason


def test_auto_passes_over_a_card_that_cannot_be_used_and_a_name_does_not(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fourdhumans, "nvidia_cards", lambda: 1)
    monkeypatch.setattr(device, "nvidia_cards", lambda: 1)
    monkeypatch.setattr(torch.version, "cuda", None)
    wanted = settings(data_dir, engine="auto", device="auto")
    chance = ENGINE.probe(wanted)
    assert not chance.available
    assert "built without CUDA" in chance.reason
    with pytest.raises(EngineError, match=r"POSE_ENGINE=4dhumans: .* built without CUDA"):
        registry._named(settings(data_dir, device="auto"), {"4dhumans": ENGINE})


def test_a_machine_without_torch_is_told_what_to_install(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fourdhumans, "find_spec", lambda name: None)
    chance = ENGINE.probe(settings(data_dir))
    assert chance.reason == "PyTorch is not installed"
    assert "requirements-4dhumans.txt" in chance.remedy


def test_a_torch_that_does_not_load_is_told(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(settings: Settings) -> None:
        raise OSError("libcudart.so.13: cannot open shared object file")

    monkeypatch.setattr(fourdhumans, "choose", broken)
    chance = ENGINE.probe(settings(data_dir))
    assert "libcudart.so.13" in chance.reason
    assert "requirements-4dhumans.txt" in chance.remedy


@pytest.mark.parametrize("engine_name", ["auto", "4dhumans"])
def test_asking_loads_no_torch_where_the_answer_is_no(tmp_path: Path, engine_name: str) -> None:
    code = (
        "import sys; from pathlib import Path; from pose_service.core.config import Settings; "
        "from pose_service.engines.fourdhumans import ENGINE; "
        f"here = Settings(engine={engine_name!r}, device='cpu', data_dir=Path({str(tmp_path)!r})); "
        "assert not ENGINE.probe(here).available; sys.exit('torch' in sys.modules)"
    )
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("rank", [0, 10, 99])
def test_a_plug_in_takes_the_place_of_the_engine_of_its_name(
    monkeypatch: pytest.MonkeyPatch, rank: int
) -> None:
    point = EntryPoint("4dhumans", "plugged:ENGINE", registry.ENTRY_POINT_GROUP)
    plugged = replace(ENGINE, rank=rank)
    monkeypatch.setitem(sys.modules, "plugged", SimpleNamespace(ENGINE=plugged))
    monkeypatch.setattr(registry.metadata, "entry_points", lambda group: [point])
    assert registry.recipes()["4dhumans"] is plugged


# Building it


def test_the_engine_says_what_it_is_made_of(engine: Engine) -> None:
    assert engine.model_version == "4dhumans/tiny+smpl-neutral"
    assert fourdhumans.ENGINE.probe.keywords["sizes"].word == "vitdet-h+hmr2.0b"  # type: ignore[attr-defined]
    assert engine.device == "cpu"
    assert engine.models == {
        "vitdet": "loaded", "hmr2": "loaded", "smpl": "loaded", "phalp": "loaded"
    }  # fmt: skip
    assert engine.frames_together == 4
    assert engine.camera(1280, 900) == Camera(25000.0, 1280, 900)
    assert engine.new_tracker(30.0).lookahead == 8


def test_both_nets_have_run_before_the_engine_is_ready(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []
    detect, observe = VitDetDetector.detect, Hmr2Regressor.observe

    def spied_detect(self: VitDetDetector, images: Sequence[ImageArray]) -> list[Regions]:
        calls.append(f"{len(images)} pictures")
        return detect(self, images)

    def spied_observe(
        self: Hmr2Regressor, images: Sequence[ImageArray], regions: Sequence[Regions]
    ) -> list[list[Observation]]:
        calls.append(f"{len(regions[0])} people")
        return observe(self, images, regions)

    monkeypatch.setattr(VitDetDetector, "detect", spied_detect)
    monkeypatch.setattr(Hmr2Regressor, "observe", spied_observe)
    with caplog.at_level(logging.INFO):
        ENGINE.build(settings(data_dir))
    assert calls == ["1 pictures", "1 people"]
    assert str(data_dir / "4dhumans/smpl/SMPL_NEUTRAL.pkl") in caplog.text


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    write_files(tmp_path)
    path = tmp_path / "4dhumans" / "epoch=35-step=1000000.ckpt"
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(EngineError, match="epoch=35") as caught:
        ENGINE.build(settings(tmp_path))
    assert "fetch-weights 4dhumans" in caught.value.hint


def test_memory_that_is_short_while_loading_is_told(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **options: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(assembly.vitdet_checkpoint, "load_file", full)
    with pytest.raises(EngineError, match="memory is not enough for the nets") as caught:
        ENGINE.build(settings(data_dir))
    assert "POSE_PRECISION" in caught.value.hint


def test_half_types_move_joints_by_less_than_a_pixel(data_dir: Path, engine: Engine) -> None:
    half = ENGINE.build(settings(data_dir, precision="bf16"))
    ((exact,), (rough,)) = (
        one.regressor.observe([crowd()], [Regions.of_boxes(BOXES_XYXY_PX[:1])])[0]
        for one in (engine, half)
    )
    moved_px = np.abs(exact.landmarks_px - rough.landmarks_px).max()
    # 8 bits of 440 px are 1.7 px, of which most is averaged away
    assert 0 < moved_px < 1


# Compiled nets


class Compiler:
    """Stands in for `torch.compile`: the function as it is, and the batches that it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.options: list[dict[str, object]] = []
        self.batches: list[int] = []
        monkeypatch.setattr(torch, "compile", self._compile)

    def _compile(self, forward: object, **options: object) -> object:
        self.options.append(options)

        def run(batch: Tensor) -> object:
            self.batches.append(len(batch))
            return forward(batch)  # type: ignore[operator]

        return run


def test_compiled_nets_see_few_sizes_of_batch_all_made_beforehand(
    data_dir: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = Compiler(monkeypatch)
    fast = ENGINE.build(settings(data_dir, compile="compile", batch=3))
    assert compiler.options == [{"mode": "default", "dynamic": False}] * 2
    assert compiler.batches == [1, 2, 3, 1, 2, 4, 6]
    compiler.batches.clear()
    regions = Regions.of_boxes(BOXES_XYXY_PX)
    (slow_seen,) = engine.regressor.observe([crowd()], [regions])
    (seen,) = fast.regressor.observe([crowd()], [regions])
    assert compiler.batches == [6, 1]
    # batches of other sizes add up in another order
    np.testing.assert_allclose(
        [one.landmarks_px for one in seen],
        [one.landmarks_px for one in slow_seen],
        atol=PIXEL_LIMIT,
    )
    assert fast.detector.detect([picture()] * 2)[1].scores == pytest.approx([SCORE], abs=1e-4)


def test_a_net_that_was_moved_off_its_card_runs_uncompiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiler = Compiler(monkeypatch)
    run = compiling.compiled(lambda batch: batch + 1, "compile", 4, torch.device("cuda:0"))
    assert run(torch.zeros(3, 2)).shape == (3, 2)
    assert compiler.batches == []


def test_cuda_graphs_are_refused_on_the_cpu_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="CUDA graphs need a card") as caught:
        ENGINE.build(settings(tmp_path, compile="graphs"))
    assert "POSE_COMPILE" in caught.value.hint


def test_graphs_are_torchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = Compiler(monkeypatch)
    compiling.expect_possible("graphs", torch.device("cuda:0"))
    compiling.compiled(lambda batch: batch, "graphs", 4, torch.device("cuda:0"))
    assert compiler.options == [{"mode": "reduce-overhead", "dynamic": False}]


# The detector


def test_the_detector_finds_the_same_person_in_each_picture_of_a_batch(engine: Engine) -> None:
    found = engine.detector.detect([picture()] * 5)
    assert len(found) == 5
    for regions in found:
        assert regions.scores == pytest.approx([SCORE], abs=1e-4)
        assert regions.track_ids.tolist() == [NEW_TRACK]
    assert engine.detector.detect([]) == []


@pytest.mark.parametrize(
    ("look", "score_over", "masks"),
    [
        (Look.PICTURE, 0.5, False),
        (Look.THOROUGH, 0.25, False),
        (Look.SESSION, 0.5, True),
        (Look.CLIP, 0.8, True),
    ],
)
def test_each_look_has_its_threshold_and_batches_are_as_set(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, look: Look, score_over: float, masks: bool
) -> None:
    asked: list[tuple[int, object, object, object]] = []

    def fake(
        net: object,
        images: Sequence[ImageArray],
        *,
        only_class: int,
        score_over: float,
        masks: bool,
    ) -> list[Detections]:
        asked.append((len(images), only_class, score_over, masks))
        scores = np.array([0.9, 0.85], np.float32)
        return [Detections(BOXES_XYXY_PX[:2], scores, np.zeros(2, int), None)] * len(images)

    monkeypatch.setattr(detector_module, "detect", fake)
    assert isinstance(engine.detector, VitDetDetector)
    usual = replace(engine.detector, settings=Settings())
    found = usual.detect([picture()] * 6, look)
    assert asked == [(4, 0, score_over, masks), (2, 0, score_over, masks)]
    assert len(found) == 6
    assert found[5].scores.tolist() == pytest.approx([0.9, 0.85])
    np.testing.assert_array_equal(found[5].boxes_xyxy_px, BOXES_XYXY_PX[:2])


# The regressor


def official_three(engine: Engine, look: Look) -> tuple[list[Observation], BodyPoses]:
    """The three people of the official code's run."""
    (seen,) = engine.regressor.observe([crowd()], [Regions.of_boxes(BOXES_XYXY_PX[:3])], look)
    return seen, engine.regressor.solve(seen, engine.camera(1280, 900))


def test_bodies_stand_in_the_picture_where_official_code_puts_them(engine: Engine) -> None:
    seen, poses = official_three(engine, Look.PICTURE)
    assert_golden(poses.rotations, TINY["out/pred_rotmat"], BODY_LIMIT)
    assert_golden(poses.shapes, TINY["out/betas"], BODY_LIMIT)
    assert_golden(poses.translations_m, TINY["out/pred_cam_t_full"], PLACE_LIMIT_M)
    joints_m = engine.body.pose(poses).joint_sets_m["hmr44"]
    pixels = engine.camera(1280, 900).project(joints_m + poses.translations_m[:, None])
    assert_golden(pixels, TINY["out/full_image_keypoints_2d"], PIXEL_LIMIT)
    assert [one.track_id for one in seen] == [1, 2, 3]
    np.testing.assert_allclose(
        [one.roi for one in seen],
        np.column_stack([TINY["in/box_center"], TINY["in/box_size"], np.zeros(3)]),
    )


def test_in_clips_bodies_are_those_of_the_official_tracker(engine: Engine) -> None:
    _, poses = official_three(engine, Look.CLIP)
    place = TINY["phalp/camera"]
    # the tracker thinks of a picture of 256 px: the same place from a fifth of the focal length
    np.testing.assert_allclose(poses.translations_m, place, rtol=0, atol=PLACE_LIMIT_M)
    _, of_picture = official_three(engine, Look.PICTURE)
    # only the third is large enough to be blurred
    moved = np.abs(poses.rotations - of_picture.rotations).max(axis=(1, 2, 3))
    assert moved[:2].max() < BODY_LIMIT < moved[2]


def test_landmarks_are_smpls_joints_and_agree_with_the_answer(engine: Engine) -> None:
    seen, poses = official_three(engine, Look.PICTURE)
    joints_m = engine.body.pose(poses).joints_m
    pixels = engine.camera(1280, 900).project(joints_m + poses.translations_m[:, None])
    np.testing.assert_allclose([one.landmarks_m for one in seen], joints_m, atol=1e-6)
    np.testing.assert_allclose([one.landmarks_px for one in seen], pixels, atol=1e-3)


def test_people_of_several_pictures_go_through_the_net_together(
    engine: Engine, regressor: Hmr2Regressor
) -> None:
    batches: list[int] = []

    def counted(squares: Tensor) -> BodyEstimates:
        batches.append(len(squares))
        return regressor.net(squares)  # type: ignore[no-any-return]

    watched = replace(regressor, forward=counted)
    images = [crowd(), picture(), crowd()]
    regions = [
        Regions.of_boxes(BOXES_XYXY_PX[:3]), Regions.empty(), Regions.of_boxes(BOXES_XYXY_PX),
    ]  # fmt: skip
    seen = watched.observe(images, regions)
    assert batches == [8, 2]
    assert [len(one) for one in seen] == [3, 0, 7]
    for first, again in zip(seen[0], seen[2], strict=False):
        np.testing.assert_allclose(first.landmarks_px, again.landmarks_px, atol=PIXEL_LIMIT)
    assert watched.observe([], []) == []


def test_a_hundred_people_are_all_seen(engine: Engine) -> None:
    corners = np.array([(x, y) for x in range(0, 1200, 120) for y in range(0, 800, 80)])
    boxes = np.hstack([corners, corners + np.array([60, 80])]).astype(float)
    regions = Regions.of_boxes(boxes)
    (seen,) = engine.regressor.observe([crowd()], [regions])
    assert [one.track_id for one in seen] == list(range(1, 101))


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((100, 100, 100, 300), "expected x1 < x2"),
        ((200, 100, 100, 300), "expected x1 < x2"),
        ((np.nan, 0, 10, 10), "expected x1 < x2"),
        ((0, 0, np.inf, 10), "expected x1 < x2"),
        ((0, 0, 1e9, 10), "expected x1 < x2"),
        ((1300, 0, 1400, 100), "outside of the picture"),
        ((-50, -80, -10, -20), "outside of the picture"),
    ],
)
def test_a_region_that_is_none_is_left_out_and_told(
    engine: Engine, caplog: pytest.LogCaptureFixture, box: tuple[float, ...], words: str
) -> None:
    regions = Regions.of_boxes(np.array([BOXES_XYXY_PX[0], BOXES_XYXY_PX[1]], float))
    boxes = np.array([BOXES_XYXY_PX[0], box, BOXES_XYXY_PX[1]])
    regions = replace(
        regions,
        boxes_xyxy_px=boxes,
        scores=np.ones(3),
        rois=np.zeros((3, 4)),
        track_ids=np.array([5, 6, 7]),
    )
    (seen,) = engine.regressor.observe([crowd()], [regions])
    assert [one.track_id for one in seen] == [5, 7]
    assert words in caplog.text


@pytest.mark.parametrize("part", ["rotations", "betas", "crop_cameras"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_body_that_is_not_finite_is_left_out_and_told(
    regressor: Hmr2Regressor, caplog: pytest.LogCaptureFixture, part: str, value: float
) -> None:
    def broken(squares: Tensor) -> BodyEstimates:
        estimates: BodyEstimates = regressor.net(squares)
        spoilt = getattr(estimates, part).clone()
        spoilt[1].flatten()[-1] = value
        return estimates._replace(**{part: spoilt})

    regions = Regions.of_boxes(BOXES_XYXY_PX[:3])
    (seen,) = replace(regressor, forward=broken).observe([crowd()], [regions])
    assert [one.track_id for one in seen] == [1, 3]
    assert str(BOXES_XYXY_PX[1].tolist()) in caplog.text


def test_a_body_behind_the_camera_is_left_out(regressor: Hmr2Regressor) -> None:
    def behind(squares: Tensor) -> BodyEstimates:
        estimates: BodyEstimates = regressor.net(squares)
        return estimates._replace(crop_cameras=-estimates.crop_cameras)

    regions = Regions.of_boxes(BOXES_XYXY_PX[:1])
    assert replace(regressor, forward=behind).observe([crowd()], [regions]) == [[]]


def test_joints_count_as_the_person_and_by_half_outside_of_the_picture(engine: Engine) -> None:
    # the first is whole in the picture, the third cut by its left and lower edge
    regions = replace(Regions.of_boxes(BOXES_XYXY_PX[[0, 2]]), scores=np.array([0.9, 0.6]))
    (whole, cut) = engine.regressor.observe([crowd()], [regions])[0]
    assert (whole.confidence, cut.confidence) == (0.9, 0.6)
    assert np.all(whole.joint_confidence == 0.9)
    inside = np.all((cut.landmarks_px >= 0) & (cut.landmarks_px <= (1280, 900)), axis=1)
    assert 0 < inside.sum() < 24
    np.testing.assert_allclose(cut.joint_confidence, np.where(inside, 0.6, 0.3))


def test_when_memory_is_short_fewer_people_go_at_once(regressor: Hmr2Regressor) -> None:
    def crowded(squares: Tensor) -> BodyEstimates:
        if len(squares) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return regressor.net(squares)  # type: ignore[no-any-return]

    guard = assembly.MemoryGuard(regressor.net, CPU, 8)
    short = replace(regressor, forward=crowded, guard=guard)
    (seen,) = short.observe([crowd()], [Regions.of_boxes(BOXES_XYXY_PX)])
    assert len(seen) == 7


def test_when_there_is_no_memory_at_all_it_is_unavailable(regressor: Hmr2Regressor) -> None:
    def full(squares: Tensor) -> BodyEstimates:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    guard = assembly.MemoryGuard(regressor.net, CPU, 8)
    with pytest.raises(UnavailableError) as caught:
        replace(regressor, forward=full, guard=guard).observe(
            [crowd()], [Regions.of_boxes(BOXES_XYXY_PX)]
        )
    assert caught.value.code == "CUDA_OOM"


# One shape for all sights of a person


def test_the_shared_shape_is_the_mean_weighted_by_confidence(engine: Engine) -> None:
    seen, poses = official_three(engine, Look.PICTURE)
    sights = [replace(seen[0], confidence=0.9), replace(seen[1], confidence=0.3)]
    wanted = 0.75 * poses.shapes[0] + 0.25 * poses.shapes[1]
    shape = engine.regressor.shared_shape(sights, engine.camera(1280, 900))
    np.testing.assert_allclose(shape, wanted, atol=1e-7)


class Growing:
    """A body whose first shape number is how much it is larger than it was."""

    def __init__(self, body: BodyModel) -> None:
        self._body = body

    def pose(self, poses: BodyPoses, *, vertices: bool = True) -> PosedBodies:
        rest = self._body.pose(replace(poses, shapes=np.zeros((len(poses), 10))), vertices=False)
        larger = 1 + poses.shapes[:, :1, None]
        return PosedBodies(larger * rest.joints_m, {}, None)


def test_a_body_that_grows_moves_away_until_it_is_seen_as_before(regressor: Hmr2Regressor) -> None:
    growing = replace(regressor, body=Growing(regressor.body))
    camera = Camera(25000.0, 1280, 900)
    (seen,) = growing.observe([crowd()], [Regions.of_boxes(BOXES_XYXY_PX[:3])])
    own = growing.solve(seen, camera)
    sizes = 1 + own.shapes[:, :1]
    poses = growing.solve(seen, camera, np.full(10, 0.3))
    np.testing.assert_array_equal(poses.shapes, np.full((3, 10), 0.3))
    np.testing.assert_array_equal(poses.rotations, own.rotations)
    # a picture cannot tell a body from one that is larger and farther off by the same factor
    np.testing.assert_allclose(poses.translations_m, own.translations_m * 1.3 / sizes, rtol=1e-6)


def test_the_bodys_own_shape_leaves_it_where_it_is(engine: Engine) -> None:
    seen, own = official_three(engine, Look.PICTURE)
    camera = engine.camera(1280, 900)
    for one, pose in zip(seen, own, strict=True):
        again = engine.regressor.solve([one], camera, pose.shapes[0])
        np.testing.assert_allclose(again.translations_m, pose.translations_m, rtol=1e-4)


def test_nobody_is_solved_to_nobody(engine: Engine) -> None:
    for shape in (None, np.zeros(10)):
        assert len(engine.regressor.solve([], engine.camera(1280, 900), shape)) == 0


def test_an_observation_of_another_engine_is_refused(engine: Engine) -> None:
    seen, _ = official_three(engine, Look.PICTURE)
    with pytest.raises(ValueError, match="expected the body that HMR 2"):
        engine.regressor.solve([replace(seen[0], pose=None)], engine.camera(1280, 900))


@pytest.mark.parametrize("weights", [(1.0,) * 5, (1.0, 0.5, 0.0, 1.0, 0.2)])
def test_a_place_is_found_again_from_exact_points(weights: tuple[float, ...]) -> None:
    camera = Camera(37500.0, 1920, 1080)
    joints_m: FloatArray = np.random.default_rng(7).normal(0, 0.5, (2, 5, 3))
    places_m = np.array([(3.0, -1.0, 139.0), (-0.2, 0.4, 20.0)])
    points_px = camera.project(joints_m + places_m[:, None])
    # a point without weight may be anywhere
    points_px[:, 2] += 500 * (weights[2] == 0)
    found = fitted_translations_m(joints_m, points_px, np.tile(weights, (2, 1)), camera)
    np.testing.assert_allclose(found, places_m, rtol=1e-8)
