"""Which of a clip's tracks are kept, which one is the primary, and how far each is filled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pose_service.pipeline.merging import Join
from pose_service.pipeline.observation_log import TrackIndex

# Shorter tracks are ghosts more often than people. In a clip of less than twice this length half
# of its frames are asked for instead.
SHORTEST_TRACK_FRAMES = 8
# A ghost comes and goes: it is seen in few of the frames between its first and last sight, and with
# little confidence. A person may be either, but is seldom both.
STEADY_SHARE = 0.5
SURE_ON_AVERAGE = 0.5
# How long a person who is not the primary is shown before the first and after the last sight.
EXTENSION_S = 0.2


@dataclass(frozen=True)
class KeptTrack:
    """A track of the answer: `track_id` as answered (1, 2, ...), `logged_id` as tracked.

    It is shown in the frames `first` up to, not including, `end`.
    """

    track_id: int
    logged_id: int
    first: int
    end: int
    primary: bool


@dataclass(frozen=True)
class MergedTrack:
    """The answered track `kept` went on, after `gap_frames`, as what was tracked as `joined`.

    `likeness`: 0 to 1, how alike both looked. `at_frame`: the first of what was joined.
    """

    kept: int
    joined: tuple[int, ...]
    at_frame: int
    gap_frames: int
    likeness: float


def choose_tracks(
    tracks: Mapping[int, TrackIndex], frame_count: int, fps: float
) -> tuple[KeptTrack, ...]:
    """The tracks to answer with: the primary first, then by first sight.

    The primary is the longest and largest: the most box extent summed over the frames in which
    the person was seen. It is shown in every frame of the clip.
    """
    shortest = min(SHORTEST_TRACK_FRAMES, max(1, frame_count // 2))
    kept = {key: index for key, index in tracks.items() if _is_person(index, shortest)}
    if not kept:
        return ()
    primary = max(kept, key=lambda key: kept[key].extent_px)
    by_sight = sorted(kept, key=lambda key: (kept[key].frames[0], key))
    reach = round(EXTENSION_S * fps)
    chosen = [
        KeptTrack(
            track_id=number,
            logged_id=key,
            first=0 if key == primary else max(0, kept[key].frames[0] - reach),
            end=frame_count
            if key == primary
            else min(frame_count, kept[key].frames[-1] + 1 + reach),
            primary=key == primary,
        )
        for number, key in enumerate(by_sight, start=1)
    ]
    return tuple(sorted(chosen, key=lambda track: not track.primary))


def _is_person(index: TrackIndex, shortest: int) -> bool:
    sights = len(index.frames)
    span = index.frames[-1] + 1 - index.frames[0]
    steady = sights >= STEADY_SHARE * span
    return sights >= shortest and (steady or index.confidence >= SURE_ON_AVERAGE * sights)


def merged_of(tracks: Sequence[KeptTrack], joins: Sequence[Join]) -> tuple[MergedTrack, ...]:
    """The `joins` of those `tracks` that are answered, under their answered ids."""
    answered = {track.logged_id: track.track_id for track in tracks}
    return tuple(
        MergedTrack(
            answered[join.kept],
            (join.joined,),
            join.at_frame,
            join.gap_frames,
            round(join.likeness, 4),
        )
        for join in joins
        if join.kept in answered
    )
