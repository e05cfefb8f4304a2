"""Textures against the official sampler's: where texels lie, what hides them, how they mix."""

import numpy as np
import pytest
import torch
from standin import uniform
from standin_phalp import golden, mixing_texture, texel_maps

from pose_service.core.arrays import FloatArray
from pose_service.phalp.texture.depth import FAR_M, depth_maps
from pose_service.phalp.texture.maps import TextureMaps
from pose_service.phalp.texture.mixing import mixed
from pose_service.phalp.texture.sampling import seen_samples, textures, unfolded

GOLDEN = golden("uv_sampling")
MIXING = golden("uv_mixing")
SHOWN = GOLDEN["texel_flat_index"]
VERTICES_M = GOLDEN["verts"] + GOLDEN["cam_t"][:, None]
VALID = 52_736
# a depth of 40 m has float32 steps of 4e-6 m, and tells what is hidden by 1e-4 m
DEPTH_LIMIT_M = 1e-4
COLOUR_LIMIT = 2e-6
# texels so near to that limit that float32 decides either way: 0.15 % in the golden
UNDECIDED = 0.002


@pytest.fixture(scope="module")
def maps() -> TextureMaps:
    bmap, fmap = texel_maps(faces=200)
    return TextureMaps.of(bmap, fmap, GOLDEN["faces"], torch.device("cpu"))


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    """(2, 3, 256, 256) colours and (2, 256, 256) masks of the two people."""
    square = np.ones((8, 8), np.float32)
    colours = [np.kron(2 * uniform(f"uvs.img{person}", (3, 32, 32)), square) for person in range(2)]
    masks = [
        np.kron((uniform(f"uvs.mask{person}", (1, 32, 32)) > -0.5) * 255, square)[0]
        for person in range(2)
    ]
    return torch.from_numpy(np.stack(colours)), torch.from_numpy(np.stack(masks)).float()


def layers() -> torch.Tensor:
    colours, masks = pictures()
    return torch.cat([colours, masks[:, None].clamp(0, 1)], dim=1)


def test_texels_lie_where_the_golden_has_them(maps: TextureMaps) -> None:
    assert len(maps.texels) == VALID
    rows, columns = GOLDEN["texel_rc"].T
    np.testing.assert_array_equal(maps.texels[SHOWN], rows * 256 + columns)
    corners = torch.from_numpy(GOLDEN["faces"].astype(np.int64))[GOLDEN["fmap_sample"]]
    np.testing.assert_array_equal(maps.corners[SHOWN], corners)
    np.testing.assert_allclose(maps.weights[SHOWN], GOLDEN["bmap_sample"], rtol=1e-6)


def test_texels_show_the_official_points_of_the_body(maps: TextureMaps) -> None:
    points_m = maps.points(torch.from_numpy(VERTICES_M))[:, SHOWN]
    # float32 steps of 4e-6 at the depth of 40 m
    np.testing.assert_allclose(points_m, GOLDEN["map_verts"], rtol=1e-7, atol=1e-5)
    seen_at = 5000 / 128 * points_m[..., :2] / points_m[..., 2:]
    np.testing.assert_allclose(seen_at, GOLDEN["proj"], rtol=0, atol=2e-6)


def test_depth_is_that_of_the_reference_rasteriser() -> None:
    """The reference is one in float64; pixels on the outline may fall on either side of an edge."""
    faces = torch.from_numpy(GOLDEN["faces"].astype(np.int64))
    found = depth_maps(torch.from_numpy(VERTICES_M), faces).numpy()
    assert ((found == FAR_M) == (GOLDEN["depth_map"] == FAR_M)).all()
    np.testing.assert_allclose(found, GOLDEN["depth_map"], rtol=0, atol=DEPTH_LIMIT_M)


def test_what_is_seen_and_hidden_is_as_officially(maps: TextureMaps) -> None:
    depths_m = torch.from_numpy(GOLDEN["depth_map"])
    points_m = maps.points(torch.from_numpy(VERTICES_M))
    samples = seen_samples(points_m, depths_m, layers()).numpy()
    rgba = GOLDEN["rgba_at_proj"]
    np.testing.assert_allclose(samples[:, :3, SHOWN], rgba[:, :3], rtol=0, atol=1e-5)
    visible = np.unpackbits(GOLDEN["visible_bits"], axis=1)[:, :VALID].astype(bool)
    np.testing.assert_array_equal(visible[:, SHOWN], GOLDEN["visible"])
    # a sample whose mask is 0 says nothing: there `seen` cannot be told from `hidden`
    unhidden = seen_samples(points_m, torch.full_like(depths_m, FAR_M), layers()).numpy()
    told = unhidden[:, 3] != 0
    assert ((samples[:, 3] != 0) != visible)[told].mean() < UNDECIDED
    kept = GOLDEN["visible"] & (samples[:, 3, SHOWN] != 0)
    np.testing.assert_allclose(samples[:, 3, SHOWN][kept], rgba[:, 3][kept], rtol=0, atol=1e-5)


def assert_official(made: FloatArray, maps: TextureMaps) -> None:
    """`made` (2, 4, 256, 256) is the golden's texture but for undecided texels."""
    found = made.reshape(2, 4, -1)[:, :, maps.texels[SHOWN]]
    other = (found[:, 3] != GOLDEN["uv_vector"][:, 3]).mean()
    assert other <= UNDECIDED
    same = np.broadcast_to((found[:, 3] == GOLDEN["uv_vector"][:, 3])[:, None], found.shape)
    np.testing.assert_allclose(found[same], GOLDEN["uv_vector"][same], rtol=0, atol=COLOUR_LIMIT)
    seen = (made[:, 3] == 1).sum(axis=(1, 2))
    np.testing.assert_allclose(seen, GOLDEN["uv_mask_count"], rtol=UNDECIDED)
    # of those few each may change a sum by the largest colour of 0.4
    np.testing.assert_allclose(
        made.sum((2, 3), np.float64)[:, :3],
        GOLDEN["uv_vector_sum"][:, :3],
        rtol=0,
        atol=0.4 * UNDECIDED * VALID,
    )


def test_textures_before_the_reference_s_depth_are_the_official_ones(maps: TextureMaps) -> None:
    points_m = maps.points(torch.from_numpy(VERTICES_M))
    samples = seen_samples(points_m, torch.from_numpy(GOLDEN["depth_map"]), layers())
    assert_official(unfolded(samples, maps).numpy(), maps)


def test_textures_before_our_own_depth_are_the_official_ones_too(maps: TextureMaps) -> None:
    made = textures(torch.from_numpy(VERTICES_M), *pictures(), maps)
    assert_official(torch.stack(made).numpy(), maps)


def test_textures_are_the_same_whoever_else_is_in_the_picture(maps: TextureMaps) -> None:
    """Nine people go through in two portions."""
    chosen = [0, 1, 0, 0, 1, 0, 1, 1, 0]
    vertices_m = torch.from_numpy(VERTICES_M)
    colours, masks = pictures()
    alone = textures(vertices_m, colours, masks, maps)
    together = textures(vertices_m[chosen], colours[chosen], masks[chosen], maps)
    for person, texture in zip(chosen, together, strict=True):
        np.testing.assert_array_equal(texture, alone[person])
        assert texture.untyped_storage().nbytes() == texture.nbytes


def test_body_beyond_the_far_plane_is_not_seen_at_all(maps: TextureMaps) -> None:
    """Its texture has no texel: upstream takes it for everybody's (D6)."""
    far_m = torch.from_numpy(GOLDEN["verts"][:1]) + torch.tensor([0.0, 0.0, FAR_M + 5])
    colours, masks = pictures()
    (made,) = textures(far_m, colours[:1], masks[:1], maps)
    assert (made[3] == -1).all()
    assert (made[:3] == 0).all()


def test_memory_of_a_texture_is_mixed_as_officially() -> None:
    channel, row, column = MIXING["index"].T
    kept = torch.from_numpy(mixing_texture(0)[None])
    for index in range(1, 4):
        new = torch.from_numpy(mixing_texture(index)[None])
        kept = mixed(kept, new, MIXING["conf"][[index]])
        sample = kept[0, channel, row, column]
        # upstream keeps float64: a rounding of 1e-7 per step
        np.testing.assert_allclose(sample, MIXING[f"mixed{index}.sample"], rtol=0, atol=1e-6)
        sums = kept.double().sum((0, 2, 3)), kept.double().abs().sum((0, 2, 3))
        np.testing.assert_allclose(sums[0], MIXING[f"mixed{index}.sum"], rtol=0, atol=1e-2)
        np.testing.assert_allclose(sums[1], MIXING[f"mixed{index}.abs_sum"], rtol=1e-6)
