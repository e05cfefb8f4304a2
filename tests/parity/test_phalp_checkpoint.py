"""PHALP's official tensors by name: those that are used, taken whole or refused with a list."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from standin_phalp import (
    TINY,
    Build,
    encoder_state,
    manifest,
    pose,
    predictor_shapes,
    predictor_state,
)
from torch import Tensor

from pose_service.core.arrays import FloatArray
from pose_service.core.errors import EngineError
from pose_service.phalp.appearance.encoder import AppearanceEncoder
from pose_service.phalp.checkpoint_appearance import encoder_of
from pose_service.phalp.checkpoint_pose import network_of, official_name
from pose_service.phalp.pose.config import PredictorSettings, PredictorSizes, sizes_of
from pose_service.phalp.pose.network import PosePredictorNet
from pose_service.phalp.pose.predictor import TransformerPredictor

PATH = Path("pose_predictor.pth")
READ_IN = "encoder.pose_shape_encoder.0.weight"
# the tiny net has heads of 64 numbers, as the official one
NO_SETTINGS = PredictorSettings()


def poses_of(state: Mapping[str, Tensor]) -> FloatArray:
    """What a tiny predictor says of one track with gaps."""
    frames = [0, 2, 3, 7, 8, 15, 20]
    sights = np.array([[pose(3, frame) for frame in frames]])
    network = network_of(state, NO_SETTINGS, PATH).eval()
    return TransformerPredictor(network)(sights, np.array([frames]), np.zeros(1, np.int64))


def looks_of(state: Mapping[str, Tensor]) -> Tensor:
    texture = torch.linspace(-2, 2, 4 * 256 * 256).reshape(1, 4, 256, 256).sin()
    with torch.inference_mode():
        return encoder_of(state, PATH)(texture)


def test_encoder_has_the_twelve_official_tensors() -> None:
    wanted = {name: tuple(shape) for name, (shape, _) in manifest("hmar")["required"].items()}
    assert len(wanted) == 12
    own = {f"encoding_head.{name}": each for name, each in AppearanceEncoder().state_dict().items()}
    assert {name: tuple(tensor.shape) for name, tensor in own.items()} == wanted
    assert sum(tensor.numel() for tensor in own.values()) == 1_005_856


def test_predictor_s_names_and_shapes_are_those_of_the_official_manifest() -> None:
    """What is in the file; of that, what answers, name for name as the network has it."""
    wanted = {name: tuple(shape) for name, (shape, _) in manifest("pose_predictor").items()}
    assert predictor_shapes(Build(), dead=True) == wanted
    with torch.device("meta"):
        network = PosePredictorNet(sizes_of(bare(predictor_shapes(Build())), NO_SETTINGS))
    own = {
        f"encoder.{official_name(name)}": tuple(tensor.shape)
        for name, tensor in network.state_dict().items()
    }
    assert own == predictor_shapes(Build())


def bare(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {name.removeprefix("encoder."): shape for name, shape in shapes.items()}


@pytest.mark.parametrize("width", [128, 256])
def test_sizes_are_read_from_the_tensors(width: int) -> None:
    found = sizes_of(bare(predictor_shapes(replace(Build(), width=width))), NO_SETTINGS)
    assert found == PredictorSizes(
        frames=125, width=width, pose_width=229, blocks=16, heads=16, inner_dim=1024, mlp_dim=512,
        kernel=7, stride=5, padding=1, body_width=1024,
    )  # fmt: skip


def test_settings_tell_what_shapes_do_not() -> None:
    found = sizes_of(bare(predictor_shapes(Build())), PredictorSettings(8, 1, 3))
    assert (found.heads, found.head_dim, found.stride, found.padding) == (8, 128, 1, 3)


@pytest.mark.parametrize(
    ("build", "settings"),
    [
        (replace(Build(), inner=2), NO_SETTINGS),
        (replace(Build(), kernel=6), NO_SETTINGS),
        (Build(), PredictorSettings(heads=7)),
        (Build(), PredictorSettings(stride=7, padding=1)),
    ],
)
def test_sizes_that_cannot_be_are_refused(build: Build, settings: PredictorSettings) -> None:
    shapes = bare(predictor_shapes(build))
    if build.inner == 2:
        shapes["transformer1.layers.0.0.fn.to_qkv.weight"] = (2, 256)
    with pytest.raises(EngineError) as refusal:
        sizes_of(shapes, settings)
    assert "official pose_predictor.pth" in refusal.value.hint


def test_pose_encoder_gets_the_weights_that_upstream_loses() -> None:
    """D1: there `encoder.` is cut out of `pose_shape_encoder.0`, too, which then stays random."""
    state = predictor_state(TINY)
    network = network_of(state, NO_SETTINGS, PATH)
    assert torch.equal(network.state_dict()["read_in.0.weight"], state[READ_IN])
    lost = [name for name in state if name.replace("encoder.", "") != name.removeprefix("encoder.")]
    assert len(lost) == 4
    assert READ_IN in lost


def test_checkpoint_whose_pose_encoder_is_lost_is_refused_and_not_made_up() -> None:
    state = {f"encoder.{name.replace('encoder.', '')}": each for name, each in tiny().items()}
    with pytest.raises(EngineError, match=r"pose_shape_encoder\.0\.weight"):
        network_of(state, NO_SETTINGS, PATH)


def tiny() -> dict[str, Tensor]:
    return predictor_state(TINY)


def test_every_tensor_reaches_the_answer() -> None:
    state, random = tiny(), torch.Generator().manual_seed(3)
    plain = poses_of(state)
    deaf = [
        name
        for name, value in state.items()
        if np.array_equal(
            poses_of({**state, name: value + torch.rand(value.shape, generator=random)}), plain
        )
    ]
    assert deaf == []


def test_what_answers_nothing_is_passed_over() -> None:
    dead = predictor_state(TINY, dead=True)
    noisy = {name: each if name in tiny() else torch.full_like(each, torch.nan)
             for name, each in dead.items()}  # fmt: skip
    assert len(noisy) > len(tiny())
    np.testing.assert_array_equal(poses_of(noisy), poses_of(tiny()))


@pytest.mark.parametrize("prefix", ["hmar.", "", "module.hmar.", "HMAR5"])
def test_encoder_is_found_behind_any_prefix(prefix: str) -> None:
    """Upstream drops five letters; which ones, only the official file can tell."""
    prefix += "." if prefix and not prefix.endswith(".") else ""
    assert torch.equal(looks_of(encoder_state(prefix)), looks_of(encoder_state()))


def test_two_encoders_in_one_file_are_refused() -> None:
    with pytest.raises(EngineError, match="there twice"):
        encoder_of(encoder_state("one.") | encoder_state("two."), PATH)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda each: None, "missing: {name}"),
        (lambda each: each[:-1], "of another shape or kind: {name}"),
        (lambda each: each.long(), "of another shape or kind: {name}"),
        (lambda each: each * torch.nan, "NaN or infinity in: {name}"),
        (lambda each: each + torch.inf, "NaN or infinity in: {name}"),
    ],
)
def test_tensor_that_is_wrong_is_named(
    change: Callable[[Tensor], Tensor | None], complaint: str
) -> None:
    for name, state, load in (
        ("pose_shape_encoder.2.bias", tiny(), lambda s: network_of(s, NO_SETTINGS, PATH)),
        ("encoding_head.conv5.weight", encoder_state(""), lambda s: encoder_of(s, PATH)),
    ):
        full = name if name in state else f"encoder.{name}"
        changed = {**state, full: change(state[full])}
        with pytest.raises(EngineError, match=complaint.format(name=name)):
            load({key: each for key, each in changed.items() if each is not None})


def test_network_keeps_no_part_of_the_file() -> None:
    state = tiny()
    network = network_of(state, NO_SETTINGS, PATH)
    places = {each.data_ptr() for each in state.values()}
    assert not places & {each.data_ptr() for each in network.state_dict().values()}


def test_half_types_change_a_cost_by_a_hundredth_at_most() -> None:
    exact = looks_of(encoder_state())
    for half, limit in ((torch.bfloat16, 0.02), (torch.float16, 0.0)):
        encoder = encoder_of(encoder_state(), PATH)
        encoder.multiply_in(half)
        texture = torch.linspace(-2, 2, 4 * 256 * 256).reshape(1, 4, 256, 256).sin()
        with torch.inference_mode():
            found = encoder(texture)
        assert found.dtype == torch.float32
        assert float((found - exact).norm() / exact.norm()) <= limit
