"""How unlike the looks of tracks and detections are, where both show the same part of the body.

Each pair is compared on the texels that both show, so its two textures are encoded for this pair
alone: upstream makes 2 n m single passes per frame. Here only pairs that matter are encoded, in
batches, and a texture that a pair does not cut is encoded once for all such pairs.
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.phalp.appearance.encoder import AppearanceEncoder
from pose_service.phalp.records import Compat

_SHOWN: Final = 0.5
_UNIT: Final = 1000.0
_WEIGHT: Final = 100.0
# textures encoded together: a CPU's cache holds two, a card wants to be filled (0.5 GB)
_TOGETHER: Final = {"cpu": 2, "cuda": 64}


def texture_costs(
    encoder: AppearanceEncoder,
    tracks: Tensor,
    detections: Tensor,
    possible: NDArray[np.bool_],
    compat: Compat = "fixed",
) -> FloatArray:
    """(n, m) float64: 100 times the squared distance of embeddings; 0 where not `possible`.

    `tracks`: (n, 4, 256, 256), `detections`: (m, 4, 256, 256) textures, on the encoder's device.
    `possible`: (n, m), false for pairs that place and pose exclude whatever their looks.
    A possible pair that shares no texel costs 0 in `upstream`, as if it looked the same; in
    `fixed` as much as the most alike pair of this call that could be compared.
    """
    expect_shape("possible", possible, (len(tracks), len(detections)))
    costs = np.zeros(possible.shape)
    if not possible.any():
        return costs
    textures = torch.cat([tracks.float(), detections.float()])
    own, shared = _shown(textures, len(tracks))
    rows, columns = np.nonzero(possible & (shared > 0))
    if len(rows):
        views = _views(rows, columns + len(tracks), own, shared[rows, columns])
        costs[rows, columns] = _distances(encoder, textures, views)
        if compat == "fixed":
            costs[possible & (shared == 0)] = costs[rows, columns].min()
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
    parts = torch.from_numpy(distinct).to(textures.device).split(together)
    encoded = torch.cat([encoder(_cut(textures, part)) for part in parts]) / _UNIT
    row, column = torch.from_numpy(places).to(textures.device).split(pairs)
    squares = (encoded[row] - encoded[column]).double().square().sum(1)
    return np.asarray(_WEIGHT * squares.numpy(force=True))


def _cut(textures: Tensor, views: Tensor) -> Tensor:
    """(k, 4, 256, 256): all channels 0 where one of the view's textures shows nothing."""
    shown, other = ((textures[places, 3:] > _SHOWN) for places in views.unbind(1))
    return torch.where(shown & other, textures[views[:, 0]], 0)
