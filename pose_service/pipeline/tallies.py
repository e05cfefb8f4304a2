"""Running figures of one track: what is kept while its frames go by."""

from dataclasses import dataclass, field

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.records import Person, Provenance
from pose_service.core.skeletons import SMPL24
from pose_service.pipeline.measures import acceleration_m_s2

# Another track fitted nearly as well as the person's own: by so much of the best cost.
RISKY = 0.8
MOST_RISK_RANGES = 50
# Accelerations reach so many frames back.
FRAMES_BEFORE = 2

_PELVIS, _OTHERS = slice(0, 1), slice(1, None)


@dataclass
class Mean:
    """A running mean of what is finite."""

    total: float = 0.0
    count: int = 0

    def add(self, values: FloatArray) -> None:
        finite = values[np.isfinite(values)]
        self.total += float(finite.sum())
        self.count += finite.size

    @property
    def value(self) -> float | None:
        """With four decimals; None where nothing came."""
        return round(self.total / self.count, 4) if self.count else None


@dataclass
class Jitter:
    """Accelerations (m/s^2) of the joints about the pelvis, and of the pelvis itself."""

    joints: Mean = field(default_factory=Mean)
    pelvis: Mean = field(default_factory=Mean)
    _tail_m: FloatArray = field(default_factory=lambda: np.zeros((0, len(SMPL24), 3)))

    def add(self, joints_m: FloatArray, times_s: FloatArray) -> FloatArray:
        """`joints_m` (n, 24, 3) come after the frames kept; `times_s` is of both. Returns both."""
        joints_m = np.concatenate([self._tail_m, joints_m])
        about_pelvis_m = joints_m[:, _OTHERS] - joints_m[:, _PELVIS]
        self.joints.add(acceleration_m_s2(about_pelvis_m, times_s))
        self.pelvis.add(acceleration_m_s2(joints_m[:, _PELVIS], times_s))
        self._tail_m = joints_m[-FRAMES_BEFORE:]
        return joints_m


@dataclass
class Presence:
    """Where a track's people came from, how long they were away, and who they nearly were."""

    counts: dict[Provenance, int] = field(default_factory=lambda: dict.fromkeys(Provenance, 0))
    longest_gap_s: float = 0.0
    risk_frames: int = 0
    risk_ranges: list[tuple[int, int]] = field(default_factory=list)
    _gap_began_s: float | None = None

    @property
    def frames(self) -> int:
        return sum(self.counts.values())

    def add(self, frame: int, time_s: float, person: Person) -> None:
        """The track's `person` in the next frame."""
        self.counts[person.provenance] += 1
        self._add_gap(time_s, person.provenance is Provenance.OBSERVED)
        if person.identity_risk >= RISKY:
            self._add_risk(frame)

    def _add_gap(self, time_s: float, observed: bool) -> None:
        """A gap lasts from its first frame that was filled to the next one that was seen."""
        if self._gap_began_s is not None:
            self.longest_gap_s = max(self.longest_gap_s, time_s - self._gap_began_s)
        if observed:
            self._gap_began_s = None
        elif self._gap_began_s is None:
            self._gap_began_s = time_s

    def _add_risk(self, frame: int) -> None:
        self.risk_frames += 1
        if self.risk_ranges and self.risk_ranges[-1][1] == frame - 1:
            self.risk_ranges[-1] = (self.risk_ranges[-1][0], frame)
        elif len(self.risk_ranges) < MOST_RISK_RANGES:
            self.risk_ranges.append((frame, frame))
