"""People's looks as textures: the `phalp.parts.Looks` of the tracker."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pose_service.core.arrays import FloatArray
from pose_service.phalp.appearance.encoder import AppearanceEncoder
from pose_service.phalp.appearance.pairs import texture_costs
from pose_service.phalp.records import BoolArray
from pose_service.phalp.texture.mixing import mixed


@dataclass(frozen=True)
class TextureLooks:
    """Textures (4, 256, 256), see `texture.sampling`, on the encoder's device."""

    encoder: AppearanceEncoder

    def costs(
        self, tracks: Sequence[Tensor], detections: Sequence[Tensor], possible: BoolArray
    ) -> FloatArray:
        """See `texture_costs`."""
        with torch.inference_mode():
            return texture_costs(
                self.encoder, torch.stack([*tracks]), torch.stack([*detections]), possible
            )

    def mixed(
        self, kept: Sequence[Tensor], seen: Sequence[Tensor], scores: FloatArray
    ) -> list[Tensor]:
        """See `texture.mixing`; one at a time, so that each can be kept without the others."""
        with torch.inference_mode():
            return [
                mixed(old[None], new[None], scores[place : place + 1])[0]
                for place, (old, new) in enumerate(zip(kept, seen, strict=True))
            ]
