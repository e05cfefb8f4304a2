"""Which regions of pictures are shown to HMR 2.0, person by person."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.masks import Mask
from pose_service.core.records import Regions
from pose_service.hmr2.crops import person_crops
from pose_service.hmr2.squares import Squares, squares_around

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sight:
    """One person to look at: whose region it is, its box (4,), and its square as one `Squares`.

    `mask`: the region's, where it has one.
    """

    picture: int
    track_id: int
    score: float
    box_xyxy_px: FloatArray
    square: Squares
    mask: Mask | None = None


def sights(images: Sequence[ImageArray], regions: Sequence[Regions]) -> Iterator[Sight]:
    """Everybody to look at, picture by picture; a region that is none is logged and left out.

    `images`: (height, width, 3) each; `regions`: those of each.
    """
    for picture, (image, of_image) in enumerate(zip(images, regions, strict=True)):
        limits_px = np.array(image.shape[1::-1])
        masks = of_image.masks or [None] * len(of_image)
        columns = of_image.track_ids, of_image.scores, of_image.boxes_xyxy_px, masks
        for track_id, score, box, mask in zip(*columns, strict=True):
            try:
                square = _square(box, limits_px)
            except ValueError as error:
                log.warning("[POSE] a region is left out: %s", error)
            else:
                yield Sight(picture, int(track_id), float(score), box, square, mask)


def _square(box_xyxy_px: FloatArray, limits_px: FloatArray) -> Squares:
    """`ValueError` for a box that is none, or shows nothing of a picture of `limits_px` (2,)."""
    square = squares_around(box_xyxy_px[None])
    low, high = box_xyxy_px.reshape(2, 2)
    if not (np.minimum(high, limits_px) > np.maximum(low, 0)).all():
        raise ValueError(f"the box {box_xyxy_px.tolist()} lies outside of the picture")
    return square


def crops_of(
    images: Sequence[ImageArray], people: Sequence[Sight], anti_alias: bool, device: torch.device
) -> Tensor:
    """(people, 3, 256, 256) normalised squares of `people`, who stand picture by picture."""
    squares = {
        picture: joined(group) for picture, group in groupby(people, key=lambda one: one.picture)
    }
    pictures = [images[picture] for picture in squares]
    return person_crops(pictures, list(squares.values()), anti_alias=anti_alias, device=device)


def joined(people: Iterable[Sight]) -> Squares:
    """The squares of `people` (at least one), all of one picture."""
    squares = [one.square for one in people]
    return Squares(
        np.concatenate([each.centres_px for each in squares]),
        np.concatenate([each.sides_px for each in squares]),
    )
