"""The SMPL bodies of this machine, by gender; each file is read once, when first it is wanted."""

from dataclasses import replace
from pathlib import Path
from threading import Lock

from pose_service.avatar.records import Gender
from pose_service.avatar.smpl.measures import ShapeMeasures
from pose_service.bodies.smpl_file import read_smpl
from pose_service.bodies.smpl_files import BODIES
from pose_service.bodies.smpl_rest import ShapeMap, SmplRest
from pose_service.core.config import Settings
from pose_service.core.files import UpstreamFolder
from pose_service.runtime.weights import located


class SmplBodies:
    """T-poses of the bodies, how shapes of the neutral one look in the others, and what shape does.

    Several threads may ask. An `EngineError` names the file that is missing and where it goes; it
    is looked for again by the next call.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._rests: dict[Gender, SmplRest] = {}
        self._maps: dict[Gender, ShapeMap] = {}
        self._measures: dict[Gender, ShapeMeasures] = {}

    def rest(self, gender: Gender) -> SmplRest:
        """The body of `gender` in its T-pose."""
        with self._lock:
            return self._rest(gender)

    def from_neutral(self, gender: Gender) -> ShapeMap:
        """What turns shapes of the neutral body, which HMR 2.0 gives, into those of `gender`."""
        with self._lock:
            if gender not in self._maps:
                neutral = self._rest(Gender.NEUTRAL)
                self._maps[gender] = ShapeMap.between(neutral, self._rest(gender))
            return self._maps[gender]

    def measures(self, gender: Gender) -> ShapeMeasures:
        """What the ten numbers of `gender`'s body do to the nine measures."""
        with self._lock:
            if gender not in self._measures:
                self._measures[gender] = ShapeMeasures.of(self._rest(gender))
            return self._measures[gender]

    def _rest(self, gender: Gender) -> SmplRest:
        if gender not in self._rests:
            path = body_path(gender, self._settings)
            self._rests[gender] = SmplRest.of(read_smpl(path, gender.value))
        return self._rests[gender]


def body_path(gender: Gender, settings: Settings) -> Path:
    """Where the body of `gender` lies; `EngineError` where it does not.

    The male and the female one are looked for beside a neutral one that POSE_SMPL_FILE names, too.
    """
    file, own = BODIES[gender.value], settings.smpl_file
    if own is not None and gender is not Gender.NEUTRAL:
        folder = own if own.is_dir() else own.parent
        file = replace(file, elsewhere=(UpstreamFolder(str(folder)), *file.elsewhere))
    return located(file, settings)
