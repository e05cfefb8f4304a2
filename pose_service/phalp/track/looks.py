"""What tracks look like: one texture each, for as long as the track lives."""

from collections.abc import Collection, Sequence
from typing import Generic

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.phalp.parts import Looks, TextureT
from pose_service.phalp.records import BoolArray


class LookMemory(Generic[TextureT]):
    """The textures of one clip's tracks. Without `looks` nothing is kept, and all look alike."""

    def __init__(self, looks: Looks[TextureT] | None) -> None:
        self._looks = looks
        self._kept: dict[int, TextureT] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def costs(
        self, track_ids: Sequence[int], textures: Sequence[TextureT | None], possible: BoolArray
    ) -> FloatArray:
        """(n, m): how far tracks and detections differ, where it is `possible` (n, m) at all.

        NaN where one of the two looks is not known, too.
        """
        if self._looks is None:
            return np.zeros(possible.shape)
        costs = np.full(possible.shape, np.nan)
        rows = [row for row, track_id in enumerate(track_ids) if track_id in self._kept]
        columns = [column for column, texture in enumerate(textures) if texture is not None]
        known = np.ix_(rows, columns)
        if possible[known].any():
            kept = [self._kept[track_ids[row]] for row in rows]
            seen = [texture for texture in textures if texture is not None]
            costs[known] = self._looks.costs(kept, seen, possible[known])
        return costs

    def take_in(
        self, track_ids: Sequence[int], textures: Sequence[TextureT | None], scores: FloatArray
    ) -> None:
        """Mix n tracks' new sights of `scores` (n,) into what is kept of them, or keep them."""
        if self._looks is None:
            return
        known = [
            (track_id, texture, score)
            for track_id, texture, score in zip(track_ids, textures, scores, strict=True)
            if texture is not None
        ]
        old = [each for each in known if each[0] in self._kept]
        mixed = self._looks.mixed(
            [self._kept[track_id] for track_id, _, _ in old],
            [texture for _, texture, _ in old],
            np.array([score for _, _, score in old]),
        )
        self._kept.update((track_id, texture) for track_id, texture, _ in known)
        self._kept.update(
            (track_id, texture) for (track_id, _, _), texture in zip(old, mixed, strict=True)
        )

    def keep_only(self, track_ids: Collection[int]) -> None:
        """Forget the tracks that ended."""
        self._kept = {key: kept for key, kept in self._kept.items() if key in track_ids}
