"""How people look to PHALP: their bodies before the square's camera, masks, textures, guards."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import standin_phalp
import torch
from official_files import write_files
from standin_hmr2 import BOXES_XYXY_PX, assert_golden, golden, person_mask, picture
from tiny_fourdhumans import ENGINE, SIZES, settings

from pose_service.core.errors import UnavailableError
from pose_service.core.masks import Mask
from pose_service.core.records import BodyPoses, Look, Observation, Regions
from pose_service.engines.seam import Engine
from pose_service.fourdhumans.phalp_assembly import load_phalp
from pose_service.fourdhumans.phalp_nets import PhalpNets
from pose_service.fourdhumans.placing import crop_places_m
from pose_service.fourdhumans.sightings import detections_of
from pose_service.fourdhumans.textures import mask_crops
from pose_service.hmr2.cameras import crop_translations_m
from pose_service.hmr2.crops import person_crops
from pose_service.hmr2.squares import squares_around
from pose_service.phalp.texture.sampling import textures
from pose_service.runtime.device import Compute
from pose_service.runtime.memory import MemoryGuard

TINY = golden("golden_tiny")
SQUARES = squares_around(BOXES_XYXY_PX[:3])
MASK = Mask.of(person_mask() > 0)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def engine(data_dir: Path) -> Engine:
    return ENGINE.build(settings(data_dir, phalp="off"))


@pytest.fixture(scope="module")
def nets(data_dir: Path, engine: Engine) -> PhalpNets:
    loaded = load_phalp(settings(data_dir), SIZES, Compute(CPU, None), engine.body)
    assert loaded is not None
    return loaded


@pytest.fixture(scope="module")
def three(engine: Engine) -> list[Observation]:
    """The three people of the official tracker's run, the second without a mask."""
    regions = replace(Regions.of_boxes(BOXES_XYXY_PX[:3]), masks=(MASK, None, MASK))
    (seen,) = engine.regressor.observe([picture()], [regions], Look.CLIP)
    return seen


def test_an_observation_has_the_mask_of_its_region(three: Sequence[Observation]) -> None:
    assert [seen.mask for seen in three] == [MASK, None, MASK]


def test_masks_are_cut_out_as_the_official_tracker_does() -> None:
    crops = mask_crops([MASK], squares_around(BOXES_XYXY_PX[:1]), CPU)
    assert crops.dtype == torch.float32
    assert_golden(crops[0].byte(), TINY["phalp/mask_box0_u8"], 0)


def test_masks_are_cut_out_like_a_picture_of_them() -> None:
    # three squares, of which two leave the picture
    red = np.repeat(person_mask()[..., None], 3, axis=2)
    levels = person_crops([red], [SQUARES], anti_alias=False, device=CPU)[:, 0]
    crops = mask_crops([MASK] * 3, SQUARES, CPU)
    # of 58 grey levels one is as far as the normalisation's rounding goes
    np.testing.assert_allclose(levels * 58.395 + 123.675, crops, atol=1e-4)


def test_bodies_go_back_before_the_camera_of_their_square() -> None:
    wanted = crop_translations_m(TINY["phalp/pred_cam"].astype(np.float64))
    found = crop_places_m(TINY["phalp/camera"].astype(np.float64), SQUARES, (1280, 900))
    # float32 steps of what is 46 to 134 m away
    np.testing.assert_allclose(found, wanted, rtol=2e-6, atol=1e-5)


def test_features_are_those_of_the_official_tracker(
    engine: Engine, three: Sequence[Observation]
) -> None:
    found = detections_of(three, engine.body, 1280)
    assert {one.square_px for one in found} == {1280}
    locations = np.stack([one.location for one in found])
    # official joints are in pixels of the 256-pixel square, ours in sides of it
    assert_golden(256 * locations[:, :90], TINY["phalp/joints_2d_45"].reshape(3, 90), 1e-3)
    assert_golden(locations[:, 90:].reshape(3, 3, 3)[:, 0], TINY["phalp/camera"], 1e-3)
    poses = np.stack([one.pose for one in found])
    assert_golden(poses[:2, :216], TINY["out/pred_rotmat"][:2].reshape(2, 216), 1e-5)
    assert_golden(200 * poses[:, 228], TINY["phalp/camera"][:, 2], 1e-3)
    assert detections_of([], engine.body, 1280) == []


def test_only_people_with_a_mask_have_a_texture_and_it_is_that_of_their_crop(
    engine: Engine, nets: PhalpNets, three: Sequence[Observation]
) -> None:
    first, second, third = nets.textures.of(picture(), three)
    assert second is None
    poses = BodyPoses.join([seen.pose for seen in three if seen.pose is not None])
    vertices_m = engine.body.pose(poses).vertices_m
    assert vertices_m is not None
    places_m = crop_translations_m(TINY["phalp/pred_cam"])
    wanted = textures(
        torch.from_numpy(vertices_m + places_m[:, None].astype(np.float32)),
        person_crops([picture()], [SQUARES], anti_alias=False, device=CPU),
        mask_crops([MASK] * 3, SQUARES, CPU),
        nets.textures.maps,
    )
    for made, other in ((first, wanted[0]), (third, wanted[2])):
        assert made is not None
        seen = other[3] > 0
        assert 0 < seen.float().mean() < 1
        # a place that is off by float32 steps hides or shows a texel in a thousand
        assert (made[3] == other[3]).float().mean() > 0.998
        both = seen & (made[3] > 0)
        assert (made[:3] - other[:3]).abs()[:, both].mean() < 1e-3


def test_nobody_has_no_texture(nets: PhalpNets) -> None:
    assert nets.textures.of(picture(), []) == []


# When memory is short


def test_textures_are_made_of_fewer_people_at_once(
    nets: PhalpNets, three: Sequence[Observation], monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    forward = nets.textures.body.forward

    def crowded(rotations: torch.Tensor, shapes: torch.Tensor) -> object:
        batches.append(len(rotations))
        if len(rotations) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(rotations, shapes)

    usual = nets.textures.of(picture(), three)
    monkeypatch.setattr(nets.textures.body, "forward", crowded)
    sparing = replace(nets.textures, guard=MemoryGuard(nets.textures.body, CPU, 8))
    found = sparing.of(picture(), three)
    assert batches == [2, 1, 1]
    for one, other in zip(found, usual, strict=True):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            torch.testing.assert_close(one, other, atol=1e-3, rtol=0)


def test_poses_are_foretold_for_fewer_tracks_at_once(
    nets: PhalpNets, monkeypatch: pytest.MonkeyPatch
) -> None:
    poses = np.stack([[standin_phalp.pose(track, i) for i in range(7)] for track in range(5)])
    times = np.tile(np.arange(7), (5, 1))
    predict = nets.predict_poses
    usual = predict(poses, times, np.arange(5))
    assert usual.shape == (5, 229)
    forward = predict.predictor.network.forward

    def crowded(*inputs: torch.Tensor) -> torch.Tensor:
        if len(inputs[0]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(*inputs)

    monkeypatch.setattr(predict.predictor.network, "forward", crowded)
    sparing = replace(predict, guard=MemoryGuard(predict.predictor.network, CPU, 8))
    np.testing.assert_allclose(sparing(poses, times, np.arange(5)), usual, atol=1e-5)
    assert predict(poses[:0], times[:0], np.arange(0)).shape == (0, 229)


def test_looks_that_cannot_be_compared_for_want_of_memory_are_unavailable(
    nets: PhalpNets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(textures: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    texture = torch.from_numpy(standin_phalp.encoder_texture(0))
    other = torch.from_numpy(standin_phalp.encoder_texture(1))
    (cost,) = nets.looks.costs([texture], [other], np.ones((1, 1), bool)).ravel()
    assert cost > 0
    monkeypatch.setattr(nets.looks.looks.encoder, "forward", full)
    with pytest.raises(UnavailableError) as caught:
        nets.looks.costs([texture], [other], np.ones((1, 1), bool))
    assert caught.value.code == "CUDA_OOM"
