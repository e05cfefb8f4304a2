"""How unlike the looks of tracks and detections are, where both show the same part of the body.

Each pair is compared on the texels that both show, so its two textures are encoded for this pair
alone: upstream makes 2 n m single passes per frame. Here only pairs that matter are encoded, in
batches, and a texture that a pair does not cut is encoded once for all such pairs.
"""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.phalp.appearance.encoder import AppearanceEncoder
from pose_service.phalp.records import BoolArray

_SHOWN: Final = 0.5
_UNIT: Final = 1000.0
_WEIGHT: Final = 100.0
# textures encoded together: a CPU's cache holds two, a card wants to be filled (0.5 GB)
_TOGETHER: Final = {"cpu": 2, "cuda": 64}


def texture_costs(
    encoder: AppearanceEncoder, tracks: Tensor, detections: Tensor, possible: BoolArray
) -> FloatArray:
    """(n, m) float64: 100 times the squared distance of embeddings, NaN of pairs without any.

    Those are the pairs that share no texel, and those that are not `possible` (n, m): place and
    pose exclude them whatever their looks. `tracks`: (n, 4, 256, 256), `detections`:
    (m, 4, 256, 256) textures, on the encoder's device.
    """
    expect_shape("possible", possible, (len(tracks), len(detections)))
    costs = np.full(possible.shape, np.nan)
    if not possible.any():
        return costs
    textures = torch.cat([tracks.float(), detections.float()])
    own, shared = _shown(textures, len(tracks))
    rows, columns = np.nonzero(possible & (shared > 0))
    if len(rows):
        views = _views(rows, columns + len(tracks), own, shared[rows, columns])
        costs[rows, columns] = _distances(encoder, textures, views)
    return costs


def _shown(textures: Tensor, tracks: int) -> tuple[FloatArray, FloatArray]:
    """How many texels each of the first n and the other m textures shows, and each two share.

    (n + m,) and (n, m), whole numbers.
    """
    shown = (textures[:, 3] > _SHOWN).flatten(1).float()
    own, shared = shown.sum(1), shown[:tracks] @ shown[tracks:].T
    return own.numpy(force=True), shared.numpy(force=True)


def _views(
    rows: IntArray, columns: IntArray, own: FloatArray, shared: FloatArray
) -> tuple[IntArray, IntArray]:
    """The two views of each pair: (pairs, 2) of its row's texture, (pairs, 2) of its column's.

    A view is a texture's place and that of the texture it is cut with: itself, if it shows no
    more than the pair shares.
    """
    of_rows = np.stack([rows, np.where(shared == own[rows], rows, columns)], axis=1)
    of_columns = np.stack([columns, np.where(shared == own[columns], columns, rows)], axis=1)
    return of_rows, of_columns


def _distances(
    encoder: AppearanceEncoder, textures: Tensor, views: tuple[IntArray, IntArray]
) -> FloatArray:
    """(pairs,) costs; every view is encoded once, however many pairs have it."""
    pairs = len(views[0])
    distinct, places = np.unique(np.concatenate(views), axis=0, return_inverse=True)
    together = _TOGETHER.get(textures.device.type, 1)
    parts = [
        encoder(_cut(textures, distinct[first : first + together]))
        for first in range(0, len(distinct), together)
    ]
    encoded = torch.cat(parts) / _UNIT
    row, column = torch.from_numpy(places.reshape(2, pairs)).to(textures.device)
    squares = (encoded[row] - encoded[column]).double().square().sum(1)
    return np.asarray(_WEIGHT * squares.numpy(force=True))


def _cut(textures: Tensor, views: IntArray) -> Tensor:
    """(k, 4, 256, 256): all channels 0 where one of the view's textures shows nothing."""
    pairs = ((textures[one], textures[other]) for one, other in views.tolist())
    return torch.stack(
        [torch.where((one[3] > _SHOWN) & (other[3] > _SHOWN), one, 0) for one, other in pairs]
    )
