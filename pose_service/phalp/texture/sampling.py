"""Textures of people from their crops: what of the body's surface is seen, and in which colour.

After `HMR2023TextureSampler` of 4D-Humans (`track.py`). A texture is (4, 256, 256): red, green and
blue, normalised and divided by 5, 0 where nothing is seen; then 1 where something is, else -1.
"""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from pose_service.phalp.records import TEXTURE_PX
from pose_service.phalp.texture.depth import FOCAL_PX, depth_maps
from pose_service.phalp.texture.maps import TextureMaps

CHANNELS: Final = 4

# half a crop is 1 in the coordinates that pictures are sampled in
_GRID_FOCAL: Final = FOCAL_PX / (TEXTURE_PX / 2)
_HIDDEN_BEHIND_M: Final = 1e-4
_COLOUR_UNIT: Final = 5.0
# people at a time: 60 MB
_TOGETHER: Final = 8


def textures(vertices_m: Tensor, crops: Tensor, masks: Tensor, maps: TextureMaps) -> list[Tensor]:
    """People's (4, 256, 256) float32 textures, on the device of all; each may be kept by itself.

    `vertices_m`: (people, vertices, 3) before each crop's own camera, translation added (see
    `hmr2.cameras.crop_translations_m`). `crops`: (people, 3, 256, 256) normalised RGB. `masks`:
    (people, 256, 256) grey levels, 0 where the picture shows somebody or something else.
    """
    made: list[Tensor] = []
    parts = (torch.split(each, _TOGETHER) for each in (vertices_m, crops, masks))
    for some_vertices_m, some_crops, some_masks in zip(*parts, strict=True):
        points_m = maps.points(some_vertices_m)
        depths_m = depth_maps(some_vertices_m, maps.faces)
        colours = torch.cat([some_crops, some_masks[:, None].clamp(0, 1)], dim=1)
        some = unfolded(seen_samples(points_m, depths_m, colours), maps)
        # a part of a batch would keep the whole batch
        made += [each.clone() for each in some]
    return made


def seen_samples(points_m: Tensor, depths_m: Tensor, colours: Tensor) -> Tensor:
    """(people, 4, n): `colours` (people, 4, 256, 256) at points (people, n, 3), mask 0 if hidden.

    A point is hidden where it lies behind the depth map `depths_m` (people, 256, 256), which is
    sampled like a colour: near the body's outline and the crop's edge that is not always right,
    but it is what the released weights know.
    """
    places = _GRID_FOCAL * points_m[..., :2] / points_m[..., 2:]
    layers = torch.cat([colours, depths_m[:, None]], dim=1)
    samples = F.grid_sample(layers, places[:, None], align_corners=False)[:, :, 0]
    seen = points_m[..., 2] <= samples[:, -1] + _HIDDEN_BEHIND_M
    # not a product: what is no number is not seen either
    samples[:, 3] = torch.where(seen, samples[:, 3], 0)
    return samples[:, :CHANNELS]


def unfolded(samples: Tensor, maps: TextureMaps) -> Tensor:
    """(people, 4, 256, 256) textures of samples (people, 4, n), one for each texel of `maps`."""
    flat = samples.new_zeros(len(samples), CHANNELS, TEXTURE_PX * TEXTURE_PX)
    flat[:, :, maps.texels] = samples
    return as_texture(flat.view(-1, CHANNELS, TEXTURE_PX, TEXTURE_PX))


def as_texture(colours: Tensor) -> Tensor:
    """(..., 4, height, width) RGB and mask to what the encoder knows: `process_uv_image`."""
    seen = colours[..., 3:, :, :] != 0
    shown = torch.where(seen, colours[..., :3, :, :] / _COLOUR_UNIT, 0)
    return torch.cat([shown, 2 * seen.float() - 1], dim=-3)
