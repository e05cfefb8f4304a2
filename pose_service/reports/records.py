"""What a report is made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import overload

from pose_service.biomechanics.comparison import Comparison
from pose_service.biomechanics.movement import FrameMeasures, Movement
from pose_service.biomechanics.summary import ClipSummary
from pose_service.core.keypoints import KeypointFrame, KeypointModel
from pose_service.core.records import ClipInfo


@dataclass(frozen=True)
class MovementReport:
    """One person's movement in one clip.

    `title`: what the page is headed with, of any length. `movement`: smoothed, row i is frame i of
    the clip. `chosen`: frames for the strip of stick figures (`strip.chosen_frames`). `track_id`:
    whose movement it is. `comparison` with a second clip, called `other_title`. `notes`: what else
    the reader should know. `made_at` is put into the file; without it equal reports are equal
    bytes.
    """

    title: str
    clip: ClipInfo
    model: KeypointModel
    movement: Movement
    summary: ClipSummary
    track_id: int
    chosen: tuple[KeypointFrame, ...] = ()
    comparison: Comparison | None = None
    other_title: str = "second clip"
    notes: tuple[str, ...] = ()
    made_at: datetime | None = None


class MeasuresOf(Sequence[FrameMeasures]):
    """The frames of a `Movement` as `annotated.annotate` reads them, made one by one when asked."""

    def __init__(self, movement: Movement) -> None:
        self._movement = movement

    def __len__(self) -> int:
        return len(self._movement)

    @overload
    def __getitem__(self, index: int) -> FrameMeasures: ...

    @overload
    def __getitem__(self, index: slice) -> list[FrameMeasures]: ...

    def __getitem__(self, index: int | slice) -> FrameMeasures | list[FrameMeasures]:
        if isinstance(index, slice):
            return [self._movement.frame(one) for one in range(*index.indices(len(self)))]
        return self._movement.frame(range(len(self))[index])
