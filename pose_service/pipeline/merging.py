"""Pieces of one person's track, joined after the fact where appearance and motion say so.

A tracker gives somebody up who is hidden for long, and begins a new track when the person is back.
With the whole clip known the two are seen to be one: they look alike, the way between them can be
gone in the time, the size fits, and nobody else fits nearly as well. What is not known, such as the
appearance, is no ground to join anybody.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.pipeline.observation_log import ObservationLog
from pose_service.pipeline.pieces import Piece, TrackEnd, pieces_of

# Somebody who was away for longer is somebody new.
LONGEST_GAP_S = 3.0
# Of the torso's colours of one person in the clips measured 0.82 and more were shared in three
# pairs of seconds of four, of two people's 0.5 and less in nineteen pairs of twenty.
LEAST_LIKENESS = 0.8
# How far people get, in sides of the square that they are looked at in: a runner's 5 m/s are 2.5.
REACH, REACH_PER_S = 0.5, 2.5
LARGEST_SIZE_RATIO = 1.6
# HMR 2.0's betas of one person differ by 0.3 to 0.5 each from frame to frame.
LARGEST_SHAPE_DIFFERENCE = 1.5
# A way as long as can be gone counts as so much of likeness, and so does a rival nearly as good.
WAY_WEIGHT, RIVAL_MARGIN = 0.1, 0.05


@dataclass(frozen=True)
class Join:
    """`joined` goes on, from `at_frame`, where `kept` ended; `score` orders joins, best first."""

    kept: int
    joined: int
    at_frame: int
    gap_frames: int
    likeness: float
    score: float


Joins = dict[int, list[Join]]


def merge_tracks(log: ObservationLog, times_s: FloatArray) -> tuple[Join, ...]:
    """Join the tracks of `log` that are one person's, in order of time; tells what was joined.

    `times_s`: (frames,) of the clip. A join's `kept` is the id that goes on.
    """
    heads: dict[int, int] = {}
    joins = []
    for join in find_joins(list(pieces_of(log, times_s))):
        kept = heads.get(join.kept, join.kept)
        heads[join.joined] = kept
        log.tracks[kept].extend(log.tracks.pop(join.joined))
        joins.append(replace(join, kept=kept))
    return tuple(joins)


def find_joins(pieces: Sequence[Piece]) -> list[Join]:
    """Which of `pieces` go on which, each at most one and by at most one, in order of time.

    Greedy, the best first: where greedy and optimal assignment would differ there are rivals, and
    those are left alone anyway.
    """
    by_id = {piece.track_id: piece for piece in pieces}
    going_on, coming_from = _fitting(pieces)
    begun: set[int] = set()
    ended: set[int] = set()
    chosen = []
    for join in sorted(_direct(going_on, coming_from), key=lambda join: -join.score):
        rivals = [
            *(other for other in going_on[join.kept]
              if _together(by_id[other.joined], by_id[join.joined])),
            *(other for other in coming_from[join.joined]
              if _together(by_id[other.kept], by_id[join.kept])),
        ]  # fmt: skip
        alone = all(other == join or other.score < join.score - RIVAL_MARGIN for other in rivals)
        if alone and join.kept not in ended and join.joined not in begun:
            ended.add(join.kept)
            begun.add(join.joined)
            chosen.append(join)
    return sorted(chosen, key=lambda join: by_id[join.joined].start.frame)


def compare(before: Piece, after: Piece) -> Join | None:
    """How `after` could go on `before`; None where it could not."""
    gap_s = after.start.time_s - before.finish.time_s
    if after.start.frame <= before.finish.frame or gap_s > LONGEST_GAP_S:
        return None
    likeness = float(np.sum(np.sqrt(before.appearance * after.appearance)))
    way = _way(before.finish, after.start) / (REACH + REACH_PER_S * gap_s)
    if likeness < LEAST_LIKENESS or way > 1 or not _same_body(before, after):
        return None
    at_frame = after.start.frame
    return Join(
        kept=before.track_id,
        joined=after.track_id,
        at_frame=at_frame,
        gap_frames=at_frame - before.finish.frame - 1,
        likeness=likeness,
        score=likeness - WAY_WEIGHT * way,
    )


def _way(finish: TrackEnd, start: TrackEnd) -> float:
    """From one end to the other, in sizes."""
    apart_px = float(np.linalg.norm(start.place_px - finish.place_px))
    return apart_px / max(1.0, (finish.size_px + start.size_px) / 2)


def _same_body(before: Piece, after: Piece) -> bool:
    """Similar in size and, where they are known, in distance and shape."""
    pairs = [(before.finish.size_px, after.start.size_px)]
    if before.finish.depth_m is not None and after.start.depth_m is not None:
        pairs.append((before.finish.depth_m, after.start.depth_m))
    if any(max(pair) > LARGEST_SIZE_RATIO * max(min(pair), 1e-9) for pair in pairs):
        return False
    if before.shape is None or after.shape is None:
        return True
    difference = np.sqrt(np.mean((before.shape - after.shape) ** 2))
    return bool(difference <= LARGEST_SHAPE_DIFFERENCE)


def _fitting(pieces: Sequence[Piece]) -> tuple[Joins, Joins]:
    """Every join that could be, by the piece it goes on from and by the piece it leads to."""
    going_on: Joins = defaultdict(list)
    coming_from: Joins = defaultdict(list)
    by_start = sorted(pieces, key=lambda piece: piece.start.time_s)
    starts_s = [piece.start.time_s for piece in by_start]
    for before in pieces:
        end_s = before.finish.time_s
        near = slice(bisect_left(starts_s, end_s), bisect_right(starts_s, end_s + LONGEST_GAP_S))
        for join in filter(None, (compare(before, after) for after in by_start[near])):
            going_on[join.kept].append(join)
            coming_from[join.joined].append(join)
    return going_on, coming_from


def _direct(going_on: Joins, coming_from: Joins) -> Iterator[Join]:
    """Without those that leap over a piece which would fit in between."""
    for join in chain.from_iterable(list(going_on.values())):
        after = {other.joined for other in going_on[join.kept]}
        if after.isdisjoint(other.kept for other in coming_from[join.joined]):
            yield join


def _together(one: Piece, other: Piece) -> bool:
    return one.start.frame <= other.finish.frame and other.start.frame <= one.finish.frame
