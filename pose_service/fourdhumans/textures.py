"""How the people of a picture look: PHALP's textures of the bodies that HMR 2.0 saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pose_service.bodies.smpl import Smpl
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.masks import Mask
from pose_service.core.records import BodyPoses, Observation
from pose_service.fourdhumans.placing import crop_places_m
from pose_service.fourdhumans.regressor import given_pose
from pose_service.hmr2.crops import person_crops
from pose_service.hmr2.squares import Squares
from pose_service.hmr2.warp import scaled, taps_of_square
from pose_service.phalp.texture.maps import TextureMaps
from pose_service.phalp.texture.sampling import textures
from pose_service.runtime.memory import MemoryGuard

_Known = tuple[Observation, Mask]


@dataclass(frozen=True)
class SeenTextures:
    """`body` and `maps` are on one device; `guard` is that of `body`."""

    body: Smpl
    maps: TextureMaps
    guard: MemoryGuard

    def of(self, image: ImageArray, people: Sequence[Observation]) -> list[Tensor | None]:
        """A (4, 256, 256) texture for each of `people`, all in one batch; None without a mask.

        `image`: (height, width, 3) uint8 RGB, whose camera the people's bodies are before.
        """
        known = [(seen, seen.mask) for seen in people if seen.mask is not None]
        made = iter(self.guard.run(known, lambda part: self._made(image, part)))
        return [None if seen.mask is None else next(made) for seen in people]

    @torch.inference_mode()
    def _made(self, image: ImageArray, people: Sequence[_Known]) -> list[Tensor]:
        device = self.body.rest_joints.device
        squares = _squares([seen for seen, _ in people])
        poses = BodyPoses.join([given_pose(seen) for seen, _ in people])
        places_m = crop_places_m(poses.translations_m, squares, image.shape[1::-1])
        rotations, shapes, places = (
            torch.from_numpy(np.ascontiguousarray(each, np.float32)).to(device)
            for each in (poses.rotations, poses.shapes, places_m)
        )
        vertices_m = self.body(rotations, shapes).vertices_m + places[:, None]
        crops = person_crops([image], [squares], anti_alias=False, device=device)
        masks = mask_crops([mask for _, mask in people], squares, device)
        return textures(vertices_m, crops, masks, _on(device, self.maps))


def mask_crops(masks: Sequence[Mask], squares: Squares, device: torch.device) -> Tensor:
    """(n, 256, 256) float32 grey levels: each of `masks` in its own square, 255 where it is on.

    By the rule of the pictures' crops without a blur; off outside of the picture.
    """
    columns = masks, squares.centres_px, squares.sides_px
    crops = [_mask_crop(*each, device) for each in zip(*columns, strict=True)]
    return torch.stack(crops).float()


def _mask_crop(
    mask: Mask, centre_px: FloatArray, side_px: np.floating, device: torch.device
) -> Tensor:
    x, y = taps_of_square(centre_px, side_px, (mask.width_px, mask.height_px))
    (left, right), (top, bottom) = x.span, y.span
    levels = 255 * mask.pixels()[top:bottom, left:right].astype(np.uint8)
    region = torch.from_numpy(np.ascontiguousarray(levels))[..., None].to(device)
    return scaled(region, x.moved(left), y.moved(top))[..., 0]


def _on(device: torch.device, maps: TextureMaps) -> TextureMaps:
    parts = maps.faces, maps.texels, maps.corners, maps.weights
    return TextureMaps(*(each.to(device) for each in parts))


def _squares(people: Sequence[Observation]) -> Squares:
    rois = np.stack([seen.roi for seen in people]).astype(np.float32)
    return Squares(rois[:, :2], rois[:, 2])
