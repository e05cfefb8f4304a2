"""How well a sight fits a track, and who takes what: PHALP's rules on place, size and colours.

As in PHALP (Rajasegaran et al. 2022) a cost is a product of factors, each 1 for a perfect fit and
larger the less it fits, and a pair beyond a gate is none. The factors are our own, measured on
real clips: see docs/phalp.md.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from pose_service.blazepose.track import Sighting, Track

GATE = float(np.exp(1.2))
"""A sight that costs more is somebody else."""

# how far people may be from where their track expects them, in sides of their square; farther if
# they are clearly alike, as far as somebody gets who runs or falls
_SPREAD, _SPREAD_PER_S, _SPREAD_PER_S_ALIKE = 0.3, 0.9, 2.4
_ALIKE = 0.7
_LEAST = 1e-3


def cost(track: Track, sighting: Sighting, fps: float) -> float:
    """1 for somebody just where the track expects its person, as large and in the same colours."""
    missed_s = track.missed(sighting.frame_index) / fps
    expected, roi = track.expected(sighting.frame_index), sighting.roi
    likeness = track.likeness(sighting.colours)
    per_s = _SPREAD_PER_S_ALIKE if likeness >= _ALIKE else _SPREAD_PER_S
    way = expected.distance(roi) / (_SPREAD + per_s * missed_s)
    growth = abs(np.log(max(expected.size_ratio(roi), _LEAST)))
    unlike = -np.log(max(likeness, _LEAST))
    return float(np.exp(way + growth + unlike))


def taken_up(
    tracks: Iterable[Track], finds: Mapping[int, Sighting], fps: float
) -> list[tuple[Track, int]]:
    """Each track with the key of its find, the best fit first; none of them twice, none beyond."""
    tracks = list(tracks)
    pairs = [
        (cost(track, find, fps), track, key) for track in tracks for key, find in finds.items()
    ]
    taken: dict[int, tuple[Track, int]] = {}
    for _, track, key in sorted((pair for pair in pairs if pair[0] <= GATE), key=_by_cost):
        if key not in taken and all(track is not other for other, _ in taken.values()):
            taken[key] = track, key
    return list(taken.values())


def identity_risk(own: Track, others: Iterable[Track], sighting: Sighting, fps: float) -> float:
    """0 to 1: how nearly one of `others` fits as well as the sight's own track; 0 if none does."""
    rivals = [cost(track, sighting, fps) for track in others]
    best_rival = min(rivals, default=np.inf)
    if best_rival > GATE:
        return 0.0
    return min(cost(own, sighting, fps) / best_rival, 1.0)


def _by_cost(pair: tuple[float, Track, int]) -> tuple[float, int]:
    """The older track first where two fit alike."""
    return pair[0], pair[1].track_id
