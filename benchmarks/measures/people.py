"""How many people are found in real pictures, and how many are invented."""

from pathlib import Path

from benchmarks import yardstick
from benchmarks.coco import Score, annotated, score
from benchmarks.figures import BenchmarkError, Figure, Goal, Measure, Setup
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.config import Settings
from pose_service.core.records import Look
from pose_service.engines.registry import build_engine
from pose_service.engines.seam import Engine
from pose_service.media.images import decode_image

CROWD = "skates.png"
MIN_CROWD_THOROUGH = 7
CLEARLY = 2
"""So many times MediaPipe's hits are a clear difference."""


def run(setup: Setup) -> list[Figure]:
    engine, _ = build_engine(setup.settings)
    return [*_annotated_people(setup, engine), *_nobody(setup, engine), *_crowd(setup, engine)]


def bodies_in(engine: Engine, image: ImageArray, *, thorough: bool = False) -> list[FloatArray]:
    """The bodies seen in one picture, (33, 2) landmarks in pixels each."""
    look = Look.THOROUGH if thorough else Look.PICTURE
    (seen,) = engine.regressor.observe([image], engine.detector.detect([image], look), look)
    return [one.landmarks_px for one in seen]


def read_picture(path: Path, settings: Settings) -> ImageArray:
    """(height, width, 3) uint8 RGB, as the service reads it."""
    return decode_image(path.read_bytes(), max_pixels=settings.max_pixels, turn_by_exif=False)


def _annotated_people(setup: Setup, engine: Engine) -> list[Figure]:
    setup.medium("gt_coco.json")
    truth = annotated(setup.media)
    ours = score(
        truth, {path: bodies_in(engine, read_picture(path, setup.settings)) for path in truth}
    )
    if setup.mediapipe_python is None:
        return _scored("this service", ours)
    theirs = score(truth, yardstick.people_in(setup.mediapipe_python, list(truth)))
    goal = Goal(CLEARLY * theirs.hits, at_least=True)
    return [*_scored("this service", ours, goal), *_scored("MediaPipe's own Pose", theirs)]


def _scored(who: str, result: Score, goal: Goal | None = None) -> list[Figure]:
    return [
        Figure(f"{who}: hits among {result.people} annotated people", "", [result.hits], goal),
        Figure(f"{who}: bodies that hit nobody annotated", "", [result.extras]),
    ]


def _nobody(setup: Setup, engine: Engine) -> list[Figure]:
    paths = sorted(setup.media.glob("none_*.jpg"))
    if not paths:
        raise BenchmarkError(f"{setup.media} has no none_*.jpg, pictures without people")
    found = (bodies_in(engine, read_picture(path, setup.settings)) for path in paths)
    invented = sum(map(len, found))
    return [Figure(f"people seen in {len(paths)} pictures without any", "", [invented], Goal(0))]


def _crowd(setup: Setup, engine: Engine) -> list[Figure]:
    crowd = read_picture(setup.medium(CROWD), setup.settings)
    normal, thorough = (len(bodies_in(engine, crowd, thorough=way)) for way in (False, True))
    goal = Goal(MIN_CROWD_THOROUGH, at_least=True)
    return [
        Figure("bodies in a crowd of 14", "", [normal]),
        Figure("bodies in a crowd of 14, thorough", "", [thorough], goal),
    ]


MEASURE = Measure(
    "Finding people",
    "Real pictures: four of COCO with annotated people, two without anybody, one wide crowd of 14 "
    "overlapping skaters. A hit is an annotated person (5 labelled limb joints or more) whose 12 "
    "limb joints have an object keypoint similarity of 0.5 or more with a found body. A body that "
    "hits nobody annotated may still be a person: COCO does not label everybody's joints. "
    "MediaPipe's own Pose looks for one person per picture; this service decodes the same "
    "networks for everybody, in tiles where the picture is large. What bounds these numbers is "
    "the size and overlap of people: the detector was made for one person near the camera.",
    run,
)
