"""The pose predictor against the official module's poses, in both of its likely sizes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from standin_phalp import Build, golden, pose, predictor_state

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.phalp.checkpoint_pose import network_of
from pose_service.phalp.pose.config import PredictorSettings
from pose_service.phalp.pose.network import PosePredictorNet
from pose_service.phalp.pose.predictor import TransformerPredictor

GOLDEN = golden("pose_predictor")
# sums over 256 tokens and 16 blocks in another order: 5e-6 as measured; a wrong slot moves
# a pose by 1e-2
LIMIT = 5e-5

# track, frames of its sights, frames since the last one
SIGHTS = {
    "one_full": (1, [0, 1, 2, 3, 4, 5, 6], 0),
    "one_new": (2, [10, 10, 10, 10, 10, 10, 11], 0),
    "one_gaps": (3, [0, 2, 3, 7, 8, 15, 20], 0),
    "one_missed3": (3, [0, 2, 3, 7, 8, 15, 20], 3),
    "one_missed51": (4, [5, 6, 7, 8, 9, 10, 11], 51),
    "one_long": (5, [0, 30, 60, 90, 120, 150, 180], 2),
}
BATCHES = {
    **{name: [name] for name in SIGHTS},
    "multi3": ["one_full", "one_new", "one_missed3"],
    "multi3_reorder": ["one_missed3", "one_full", "one_new"],
}


@pytest.fixture(scope="module", params=[128, 256])
def network(request: pytest.FixtureRequest) -> PosePredictorNet:
    state = predictor_state(replace(Build(), width=request.param))
    network = network_of(state, PredictorSettings(), Path("pose_predictor.pth"))
    mean, std = np.zeros(229, np.float32), np.ones(229, np.float32)
    mean[:226], std[:226] = GOLDEN["mean"], GOLDEN["std"]
    network.normalise_by(torch.from_numpy(mean), torch.from_numpy(std))
    return network.eval()


def histories(names: list[str]) -> tuple[FloatArray, IntArray, IntArray]:
    sights = [SIGHTS[name] for name in names]
    poses = np.array([[pose(track, frame) for frame in frames] for track, frames, _ in sights])
    return poses, np.array([frames for _, frames, _ in sights]), np.array([m for *_, m in sights])


def wanted(network: PosePredictorNet, case: str, kind: str) -> FloatArray:
    return GOLDEN[f"f{len(network.unseen)}.{case}.{kind}"]


@pytest.mark.parametrize("case", BATCHES)
def test_each_track_is_foretold_as_if_it_were_alone(network: PosePredictorNet, case: str) -> None:
    found = TransformerPredictor(network)(*histories(BATCHES[case]))
    np.testing.assert_allclose(found, wanted(network, case, "per_track"), rtol=0, atol=LIMIT)


@pytest.mark.parametrize("case", ["multi3", "multi3_reorder"])
def test_upstream_reads_all_tracks_at_the_first_one_s_moment(
    network: PosePredictorNet, case: str
) -> None:
    """D2: released code; what it is off by is far more than rounding."""
    found = TransformerPredictor(network, "upstream")(*histories(BATCHES[case]))
    np.testing.assert_allclose(found, wanted(network, case, "upstream"), rtol=0, atol=LIMIT)
    off = np.abs(found - wanted(network, case, "per_track")).max(axis=1)
    assert off[0] < LIMIT
    assert (off[1:] > 20 * LIMIT).all()


def test_tokens_before_the_heads_are_the_official_ones(network: PosePredictorNet) -> None:
    """The five slots of the trace, each asked for by itself; what the heads make of them, too."""
    poses, times, _ = histories(["one_gaps"])
    slots = torch.from_numpy(times - times[:, :1])
    seen = torch.from_numpy(poses.astype(np.float32)), slots, torch.ones(1, 7, dtype=torch.bool)
    tokens: list[torch.Tensor] = []
    hook = network.place.register_forward_pre_hook(lambda _head, inputs: tokens.append(inputs[0]))
    with torch.inference_mode():
        found = [network(*seen, torch.tensor([slot])) for slot in (0, 20, 21, 24, 124)]
    hook.remove()
    width = len(network.unseen)
    np.testing.assert_allclose(
        torch.cat(tokens), GOLDEN[f"f{width}.trace.tokens_21_24"], rtol=0, atol=LIMIT
    )
    np.testing.assert_allclose(
        torch.cat(found), GOLDEN[f"f{width}.trace.pose_camera"], rtol=0, atol=LIMIT
    )


def test_no_track_asks_nothing_of_the_network(network: PosePredictorNet) -> None:
    empty = np.zeros((0, 7, 229)), np.zeros((0, 7), np.int64), np.zeros(0, np.int64)
    assert TransformerPredictor(network)(*empty).shape == (0, 229)
