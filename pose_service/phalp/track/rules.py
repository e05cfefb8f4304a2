"""When a track is believed and when it ends."""

from dataclasses import dataclass

from pose_service.phalp.distance.cost import GATE

# upstream's 50 frames, at the 30 frames per second of most clips
_MAX_AGE_S = 50 / 30


@dataclass(frozen=True)
class TrackRules:
    """`n_init`: a track is confirmed when it was seen in so many frames.

    `max_age`: a confirmed track is kept through so many frames in which it is not seen, a
    tentative one through `tentative_misses` at a time once it was seen twice.
    `gate`: a detection that costs more does not fit. The defaults are upstream's.
    """

    n_init: int = 5
    max_age: int = 50
    tentative_misses: int = 0
    gate: float = GATE

    @classmethod
    def at(cls, fps: float) -> "TrackRules":
        """Upstream's, with the patience of 50 frames at 30 fps at any rate.

        One frame in which a detector misses somebody new does not end the track.

        >>> TrackRules.at(60).max_age
        100
        """
        return cls(max_age=max(cls.n_init, round(_MAX_AGE_S * fps)), tentative_misses=1)
