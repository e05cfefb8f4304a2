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

    def chosen(
        self, textures: Sequence[TextureT], places: Sequence[int], detections: int
    ) -> list[TextureT]:
        """The textures at `places`, where they are compared; `ValueError` if some are missing."""
        if self._looks is None:
            return []
        if len(textures) != detections:
            raise ValueError(f"textures: expected {detections}, got {len(textures)}")
        return [textures[place] for place in places]

    def costs(
        self, track_ids: Sequence[int], textures: Sequence[TextureT], possible: BoolArray
    ) -> FloatArray:
        """(n, m): how far tracks and detections differ, where it is `possible` (n, m) at all."""
        if self._looks is None or not possible.any():
            return np.zeros(possible.shape)
        kept = [self._kept[track_id] for track_id in track_ids]
        return self._looks.costs(kept, textures, possible)

    def begin(self, track_ids: Sequence[int], textures: Sequence[TextureT]) -> None:
        """Keep the textures of new tracks."""
        if self._looks is not None:
            self._kept.update(zip(track_ids, textures, strict=True))

    def mix(
        self, track_ids: Sequence[int], textures: Sequence[TextureT], scores: FloatArray
    ) -> None:
        """Mix new sights of `scores` (n,) into n tracks' textures."""
        if self._looks is not None and track_ids:
            kept = [self._kept[track_id] for track_id in track_ids]
            mixed = self._looks.mixed(kept, textures, scores)
            self._kept.update(zip(track_ids, mixed, strict=True))

    def keep_only(self, track_ids: Collection[int]) -> None:
        """Forget the tracks that ended."""
        self._kept = {key: kept for key, kept in self._kept.items() if key in track_ids}
