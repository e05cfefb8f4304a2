"""Appearance encoder and pair costs against the official encoder's numbers."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from standin import uniform
from standin_phalp import encoder_state, encoder_texture, golden

from pose_service.core.arrays import FloatArray
from pose_service.phalp.appearance.encoder import AppearanceEncoder
from pose_service.phalp.appearance.looks import TextureLooks
from pose_service.phalp.appearance.pairs import texture_costs
from pose_service.phalp.checkpoint_appearance import encoder_of
from pose_service.phalp.texture.sampling import as_texture

GOLDEN = golden("autoencoder")
TEXTURES = np.stack([encoder_texture(index) for index in range(2)])
# of embeddings up to 0.5, through sums of up to 2304 products in float32
LIMIT = 1e-6


@pytest.fixture(scope="module")
def encoder() -> AppearanceEncoder:
    return encoder_of(encoder_state(), Path("hmar_v2_weights.pth"))


def encoded(encoder: AppearanceEncoder, textures: FloatArray) -> FloatArray:
    with torch.inference_mode():
        return encoder(torch.from_numpy(textures)).numpy()


def test_stand_in_textures_are_those_of_the_goldens() -> None:
    channel, row, column = GOLDEN["uv_sample_index"].T
    np.testing.assert_array_equal(TEXTURES[:, channel, row, column], GOLDEN["uv_sample"])
    np.testing.assert_allclose(TEXTURES.sum((1, 2, 3), np.float64), GOLDEN["uv_sum"], rtol=1e-9)
    np.testing.assert_allclose(
        np.abs(TEXTURES).sum((1, 2, 3), np.float64), GOLDEN["uv_abs_sum"], rtol=1e-9
    )


def test_embeddings_are_the_official_ones(encoder: AppearanceEncoder) -> None:
    found = encoded(encoder, TEXTURES)
    # channels side by side: other sums than upstream's, each of which is off by 1e-6 by itself
    np.testing.assert_allclose(found, GOLDEN["embedding"], rtol=0, atol=3 * LIMIT)
    exact = encoded(deepcopy(encoder).double(), TEXTURES)
    np.testing.assert_allclose(exact, GOLDEN["embedding"], rtol=0, atol=LIMIT)


def test_each_layer_has_the_official_mean_and_spread(encoder: AppearanceEncoder) -> None:
    """A ReLU or pool in the wrong place shows in the layer where it is, not only at the end."""
    found: list[tuple[float, float]] = []
    for layer in encoder.children():
        layer.register_forward_hook(
            lambda _layer, _inputs, outputs: found.append(
                (outputs.relu().double().mean(), outputs.relu().double().std(correction=0))
            )
        )
    try:
        encoded(encoder, TEXTURES[:1])
    finally:
        for layer in encoder.children():
            layer._forward_hooks.clear()
    np.testing.assert_allclose(np.array(found), GOLDEN["layer_mean_std"], rtol=1e-5)


def test_pair_costs_what_it_costs_officially(encoder: AppearanceEncoder) -> None:
    """Both cut to the texels that both show, then 100 times the squared distance of thousandths."""
    tracks, detections = (torch.from_numpy(TEXTURES[[index]]) for index in range(2))
    cost = texture_costs(encoder, tracks, detections, np.ones((1, 1), bool))
    # the cost is a sum of 4096 squares of differences that are right to 1e-9
    np.testing.assert_allclose(cost, GOLDEN["pair_texture_cost"], rtol=1e-4)
    shown = (TEXTURES[:, 3:] > 0.5).all(axis=0)
    embeddings = encoded(encoder, np.where(shown, TEXTURES, 0)) / 1000
    np.testing.assert_allclose(embeddings[0], GOLDEN["pair_emb_t"], rtol=0, atol=LIMIT / 1000)
    np.testing.assert_allclose(embeddings[1], GOLDEN["pair_emb_d"], rtol=0, atol=LIMIT / 1000)
    assert shown.mean() / 2 == pytest.approx(float(GOLDEN["pair_ratio"]), rel=1e-6)


def test_looks_compare_as_pair_by_pair_whatever_is_batched(encoder: AppearanceEncoder) -> None:
    """Four tracks and three detections, one of which shows a part of another's texels only."""
    parts = TEXTURES[[0, 1, 0, 1]].copy()
    parts[2, :3, :, :128], parts[2, 3, :, :128] = 0, -1
    parts[3, :3, 100:], parts[3, 3, 100:] = 0, -1
    textures = [torch.from_numpy(each) for each in parts]
    possible = np.array([[True, True, False], [True, False, True], [True] * 3, [False, True, True]])
    found = TextureLooks(encoder).costs(textures, textures[1:], possible)
    assert np.isnan(found[~possible]).all()
    for row, column in np.argwhere(possible):
        track, detection = parts[row], parts[column + 1]
        shown = (track[3:] > 0.5) & (detection[3:] > 0.5)
        pair = encoded(encoder, np.where(shown, np.stack([track, detection]), 0)) / 1000
        wanted = 100 * np.square(pair[0].astype(np.float64) - pair[1]).sum()
        # batches round otherwise: 1e-7 of an embedding
        assert found[row, column] == pytest.approx(wanted, rel=1e-4, abs=1e-12)


def test_pair_without_a_common_texel_has_no_cost(encoder: AppearanceEncoder) -> None:
    left, right = TEXTURES[:1].copy(), TEXTURES[:1].copy()
    left[:, 3, :, 128:], right[:, 3, :, :128] = -1, -1
    both = [torch.from_numpy(each) for each in (left, right)]
    cost = texture_costs(encoder, both[0], torch.cat([both[1], both[0]]), np.ones((1, 2), bool))
    assert np.isnan(cost[0, 0])
    assert cost[0, 1] == 0


def test_colours_become_textures_as_officially() -> None:
    colours = np.concatenate(
        [
            2 * uniform("phalp.raw.rgb", (3, 256, 256)),
            np.clip(2 * uniform("phalp.raw.mask", (1, 256, 256)), 0, 1),
        ]
    )
    made = as_texture(torch.from_numpy(colours)).numpy()
    channel, row, column = GOLDEN["uv_sample_index"].T
    np.testing.assert_array_equal(colours[channel, row, column], GOLDEN["proc_in_sample"])
    np.testing.assert_allclose(
        made[channel, row, column], GOLDEN["proc_out_sample"], rtol=0, atol=LIMIT
    )
    # 65,536 values whose float32 division may round otherwise
    np.testing.assert_allclose(
        made.sum((1, 2), np.float64), GOLDEN["proc_out_sum"], rtol=0, atol=1e-3
    )
