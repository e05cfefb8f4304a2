"""The transformer and its pyramid, against every intermediate of the reference run.

Limits of 5e-5: another convolution backend moves these arrays by up to 7.5e-6, while the least of
the known mistakes (a norm with PyTorch's own epsilon) moves one of them by 1.4e-4.
"""

import pytest
import torch
from standin import plain_weight, uniform
from standin_vitdet import Array, golden, tiny_model, tiny_trace, worst
from torch import nn

from pose_service.vitdet.attention import join_windows, split_windows, window_places
from pose_service.vitdet.layers import ChannelNorm
from pose_service.vitdet.positions import absolute, relative

LIMIT = 5e-5
NET = "backbone.net"


def test_patches_become_tokens() -> None:
    assert worst(tiny_trace().out[f"{NET}.patch_embed"][0], _tiny("patch_embed")) <= LIMIT


def test_the_position_embedding_is_resized_without_its_first_row() -> None:
    got = absolute(tiny_model().backbone.net.pos_embed, 16, 16)
    assert worst(got, _tiny("pos_embed_resized")) <= LIMIT


@pytest.mark.parametrize("block", range(4))
def test_each_block_gives_the_reference_tokens(block: int) -> None:
    assert worst(tiny_trace().out[f"{NET}.blocks.{block}"][0], _tiny(f"block_{block}")) <= LIMIT


def test_windows_are_padded_with_zeros_after_the_norm() -> None:
    trace = tiny_trace()
    assert worst(trace.out[f"{NET}.blocks.0.norm1"][0], _tiny("block_0_norm1")) <= LIMIT
    normed = trace.out[f"{NET}.blocks.0.norm1"][0]
    windows = split_windows(normed, window_places(16, 16, 5), 5, torch.zeros(64))
    assert worst(windows, _tiny("block_0_windows")) <= LIMIT


def test_attention_within_windows_is_put_together_and_cropped() -> None:
    attended = tiny_trace().out[f"{NET}.blocks.0.attn"][0]
    assert worst(attended, _tiny("block_0_attn_out")) <= LIMIT


def test_attention_over_the_whole_grid() -> None:
    attended = tiny_trace().out[f"{NET}.blocks.1.attn"][0]
    assert worst(attended, _tiny("block_1_attn_out")) <= LIMIT


def test_relative_positions_of_the_tiny_global_block() -> None:
    table = tiny_model().get_parameter(f"{NET}.blocks.1.attn.rel_pos_h")
    assert worst(relative(table, 16), _tiny("block_1_rel_h")) <= LIMIT


@pytest.mark.parametrize("place", range(5))
def test_each_pyramid_level(place: int) -> None:
    level = tiny_trace().out["backbone"][0][place]
    assert worst(level, _tiny(f"p{place + 2}")) <= LIMIT


def test_windows_of_every_grid_go_back_where_they_came_from() -> None:
    for rows, columns in ((16, 16), (15, 10), (3, 7)):
        tokens = torch.arange(2 * rows * columns * 3.0).reshape(2, rows, columns, 3)
        places = window_places(rows, columns, 5)
        windows = split_windows(tokens, places, 5, torch.zeros(3))
        assert windows.shape == (2 * -(-rows // 5) * -(-columns // 5), 5, 5, 3)
        assert torch.equal(join_windows(windows, places, 2), tokens.flatten(1, 2))


def test_what_is_missing_to_whole_windows_is_filled() -> None:
    windows = split_windows(torch.ones(1, 6, 6, 1), window_places(6, 6, 5), 5, torch.tensor([2.0]))
    assert windows.flatten(1).sum(dim=1).tolist() == [25, 45, 45, 49]
    assert windows[1, :, :, 0].tolist() == [[1, 2, 2, 2, 2]] * 5


def test_a_table_of_the_right_length_is_used_as_it_is() -> None:
    table = torch.arange(5.0)[:, None]
    assert relative(table, 3)[..., 0].tolist() == [[2, 1, 0], [3, 2, 1], [4, 3, 2]]


def test_tables_of_other_lengths_are_resized() -> None:
    units = golden("golden_units")
    short = torch.from_numpy(uniform("unit.relpos", (23, 16)))
    long = torch.from_numpy(uniform("unit.relpos2", (127, 80)))
    assert worst(relative(short, 16), units["relpos_23_to_16x16"]) <= LIMIT
    assert worst(relative(long, 48)[..., :4], units["relpos_127_to_48x48_first4ch"]) <= LIMIT


def test_the_position_embedding_fits_a_grid_that_is_not_square() -> None:
    embedding = torch.from_numpy(uniform("unit.abspos", (1, 197, 8)))
    assert worst(absolute(embedding, 20, 31), golden("golden_units")["abspos_14_to_20x31"]) <= LIMIT


def test_channels_are_normed_at_every_pixel() -> None:
    norm = ChannelNorm(12)
    norm.weight = nn.Parameter(torch.from_numpy(plain_weight("unit.ln.weight", (12,))))
    norm.bias = nn.Parameter(torch.from_numpy(plain_weight("unit.ln.bias", (12,))))
    maps = torch.from_numpy(3 * uniform("unit.lnx", (2, 12, 5, 7)))
    assert worst(norm(maps), golden("golden_units")["chan_ln_out"]) <= LIMIT


def _tiny(key: str) -> Array:
    return golden("golden_tiny")[key]
