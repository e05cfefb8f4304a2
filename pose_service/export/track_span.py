"""Which frames a track is shown in: files of one person need it before their first line."""

from collections.abc import Iterable
from dataclasses import dataclass

from pose_service.core.errors import BadRequestError
from pose_service.core.records import TrackedFrame


@dataclass(frozen=True)
class TrackSpan:
    """The track is in frame `first` and in frame `last`, with or without holes between."""

    track_id: int
    first: int
    last: int

    def __len__(self) -> int:
        return self.last + 1 - self.first


def spans_of(frames: Iterable[TrackedFrame]) -> dict[int, TrackSpan]:
    """The span of every track, by its id."""
    spans: dict[int, TrackSpan] = {}
    for frame in frames:
        for person in frame.people:
            known = spans.get(person.track_id)
            first = frame.index if known is None else known.first
            spans[person.track_id] = TrackSpan(person.track_id, first, frame.index)
    return dict(sorted(spans.items()))


def span_of(spans: dict[int, TrackSpan], track_id: int | None) -> TrackSpan:
    """The span of the track; `BadRequestError` lists the tracks there are."""
    if not spans:
        raise BadRequestError("nobody was found in this clip, so there is nothing to write")
    if track_id not in spans:
        known = ", ".join(map(str, spans))
        raise BadRequestError(f"track: expected one of {known}, got {track_id}")
    return spans[track_id]
