"""What writing one full answer costs, without the nets and without HTTP."""

import numpy as np

from benchmarks.figures import Figure, Goal, Measure, Setup
from benchmarks.stopwatch import times_ms
from pose_service.core.records import BodyPoses, Camera, Person, Provenance, TrackedFrame
from pose_service.core.skeletons import SMPL24
from pose_service.engines.registry import build_engine
from pose_service.engines.seam import BodyModel, Engine
from pose_service.legacy.encode import encode, mesh_json
from pose_service.legacy.frame import Maker, frame_answer
from pose_service.legacy.options import AnswerOptions
from pose_service.legacy.views import view_frames

GOAL_MS = 4.0
ROUNDS = 100


def run(setup: Setup) -> list[Figure]:
    engine, _ = build_engine(setup.settings)
    return figures(engine, ROUNDS)


def figures(engine: Engine, rounds: int) -> list[Figure]:
    """Times for one person with mesh and triangles, as `/pose/hybrid` answers by default."""
    maker, options = Maker.of(engine), AnswerOptions()
    frame = standing(engine.body)
    (views,) = view_frames(engine.body, [frame], everybody=False, mesh=True)
    vertices_m = views[0].vertices_m
    assert vertices_m is not None

    def answer() -> bytes:
        return encode(frame_answer(maker, frame, views, options))

    return [
        Figure(
            f"answer with {len(vertices_m)} vertices, {len(engine.body.faces)} triangles",
            "ms",
            times_ms(answer, rounds),
            Goal(GOAL_MS),
            "printing the mesh's decimal digits; the triangles are copied as bytes",
        ),
        Figure(
            "of it the mesh",
            "ms",
            times_ms(lambda: mesh_json(vertices_m, options.precision), rounds),
            bound="orjson's digits of float32",
        ),
        Figure("the triangles, once per process", "ms", times_ms(lambda: Maker.of(engine), rounds)),
        Figure(
            "posing the body (before encoding)",
            "ms",
            times_ms(lambda: view_frames(engine.body, [frame], everybody=False, mesh=True), rounds),
            bound="skinning, and projecting the joint sets",
        ),
        Figure("size of the answer", "kB", [len(answer()) / 1000]),
    ]


def standing(body: BodyModel, shape_numbers: int = 1) -> TrackedFrame:
    """One person in the rest pose, 4 m before the camera."""
    joints = len(body.rotation_names)
    shape = np.ones((1, shape_numbers))
    pose = BodyPoses(np.tile(np.eye(3), (1, joints, 1, 1)), np.array([[0.1, 0.2, 4]]), shape)
    person = Person(
        track_id=1,
        provenance=Provenance.OBSERVED,
        tracking_confidence=1.0,
        confidence=0.9,
        box_xyxy_px=np.array([250.0, 60.0, 390.0, 340.0]),
        joint_confidence=np.full(len(SMPL24), 0.9),
        pose=pose,
    )
    return TrackedFrame(0, 0.0, Camera(768.0, 640, 360), (person,), 50.0)


MEASURE = Measure(
    "Writing an answer",
    "Encoding one `/pose/hybrid` answer with mesh and triangles in memory: no nets, no HTTP. The "
    "body is posed before; that is listed apart.",
    run,
)
