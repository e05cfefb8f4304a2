"""The seam: what a detector, a regressor, a body, a tracker and a temporal model must offer.

A new part is a new file with a class of the right shape. It is plugged in by naming its factory,
`package.module:callable`, in a setting (`POSE_DETECTOR`, `POSE_REGRESSOR`, `POSE_BODY`,
`POSE_TRACKER`, `POSE_TEMPORAL`); a whole engine is a module in `pose_service.engines` (or an entry
point of the group `pose_service.engines`) with an `ENGINE` recipe. Nothing else changes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pose_service.core.arrays import FloatArray, ImageArray, IntArray
from pose_service.core.config import Settings
from pose_service.core.files import FileSource
from pose_service.core.records import BodyPoses, Camera, Look, Observation, PosedBodies, Regions


class Detector(Protocol):
    """Finds where people may be."""

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        """One `Regions` per picture, every `track_id` `NEW_TRACK`.

        `images`: (height, width, 3) uint8 RGB each, of any sizes.
        """
        ...


class Regressor(Protocol):
    """Sees bodies in regions, and turns what it saw into parameters of the body model."""

    def observe(
        self,
        images: Sequence[ImageArray],
        regions: Sequence[Regions],
        look: Look = Look.PICTURE,
    ) -> list[list[Observation]]:
        """What is seen in each picture's regions: the one call that runs a net, for all at once.

        At most one observation per body; a region that holds nobody gives none. An observation
        carries the track id of the region it came from.
        """
        ...

    def shared_shape(self, observations: Sequence[Observation], camera: Camera) -> FloatArray:
        """(shape parameters,) of the one body that all of `observations` (at least one) show."""
        ...

    def solve(
        self, observations: Sequence[Observation], camera: Camera, shape: FloatArray | None = None
    ) -> BodyPoses:
        """One body per observation, in one batch; each with its own shape unless one is given."""
        ...


class BodyModel(Protocol):
    """Parameters to vertices and joints."""

    name: str
    faces: IntArray
    """(faces, 3) triangles, 0-based, the same for every body."""
    vertex_count: int
    rotation_names: tuple[str, ...]
    """Names of the joints that `BodyPoses.rotations` turns, in its order."""

    def pose(self, poses: BodyPoses, *, vertices: bool = True) -> PosedBodies:
        """Camera axes, metres, translation not added; without `vertices` the mesh is left out."""
        ...


class Tracker(Protocol):
    """Keeps identities through one clip or session. Owned by one pipeline call."""

    @property
    def lookahead(self) -> int:
        """So many frames' regions may be asked for before the first of them is updated.

        1 where a frame's regions depend on what was seen in the one before.
        """
        ...

    def wants_detection(self, frame_index: int) -> bool:
        """Whether a detector should look at this frame, or the tracks' own regions will do."""
        ...

    def regions(self, frame_index: int, found: Regions) -> Regions:
        """Where to look in this frame: the tracks' expectations and the finds nobody claims."""
        ...

    def update(
        self, frame_index: int, image: ImageArray, observations: Sequence[Observation]
    ) -> list[Observation]:
        """The observations that belong to a track, each with its track's id (unique in a frame)."""
        ...


class TemporalModel(Protocol):
    """How bodies move: smoothing when the future is known, prediction when it is not."""

    def smooth_observations(
        self, observations: Sequence[Observation], times_s: FloatArray
    ) -> list[Observation]:
        """Zero-lag smoothing of what was seen of one body. `times_s`: (n,), increasing."""
        ...

    def smooth_poses(self, poses: BodyPoses, times_s: FloatArray) -> BodyPoses:
        """Zero-lag smoothing of one body's parameters. `times_s`: (n,), increasing."""
        ...

    def predict(self, poses: BodyPoses, times_s: FloatArray, wanted_s: FloatArray) -> BodyPoses:
        """One body at the times `wanted_s` (m,), all before or all after the known `times_s`."""
        ...


@dataclass(frozen=True)
class Engine:
    """Five parts that serve together, built once and owned by the hub.

    `models` says of each net or body file of this engine that it is `loaded`. `new_tracker` makes
    the tracker of one clip or session from the clip's frames per second. `frames_together`: so
    many pictures are best handed to detector and regressor at once, where so many wait. `setup`:
    what else changes the nets' answers, beside `model_version` and `device`.

    `frames_apart`: in a clip the detector looks at every frame and the tracker's regions are its
    finds, so that several machines may look at different frames; False where what was seen in one
    frame says where to look in the next.

    `temporal` runs no net, so any thread may ask it. `foretell`, where there is one, may: on the
    thread of the nets it says better than `temporal` what comes after.
    """

    name: str
    model_version: str
    device: str
    detector: Detector
    regressor: Regressor
    body: BodyModel
    temporal: TemporalModel
    new_tracker: Callable[[float], Tracker]
    focal_px: Callable[[int, int], float]
    models: Mapping[str, str] = field(default_factory=dict)
    frames_together: int = 1
    setup: str = ""
    frames_apart: bool = False
    foretell: TemporalModel | None = None

    @property
    def live(self) -> TemporalModel:
        """What predicts people in sessions, where it may run a net."""
        return self.temporal if self.foretell is None else self.foretell

    def camera(self, width_px: int, height_px: int) -> Camera:
        """The camera this engine assumes for a picture of this size."""
        return Camera(self.focal_px(width_px, height_px), width_px, height_px)


@dataclass(frozen=True)
class Availability:
    """Whether an engine can be built here; if not, why, and what to do about it."""

    available: bool
    reason: str
    remedy: str = ""


@dataclass(frozen=True)
class EngineRecipe:
    """How an engine is found and made. A higher `rank` is preferred by `POSE_ENGINE=auto`.

    `sources` hold the files it needs; `probe` says whether they, and all else, are there.
    `optional_sources` are fetched and looked for as well, but it serves without, and says so.
    """

    name: str
    rank: int
    sources: tuple[FileSource, ...]
    probe: Callable[[Settings], Availability]
    build: Callable[[Settings], Engine]
    optional_sources: tuple[FileSource, ...] = ()
