"""What the service adds to its engine: HTTP, JSON in and out, the unpacking of the picture."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from toy_engine import large_body, toy_engine

from benchmarks.figures import Figure, Goal, Measure, Setup
from benchmarks.measures.clip import CLIP
from benchmarks.measures.frame import ask, expect_a_body
from benchmarks.pictures import HEIGHT_PX, WIDTH_PX, as_base64, small_frames, with_toy_person
from benchmarks.service import SERVE_TOYS, Client, serving
from benchmarks.stopwatch import SECONDS_TO_MS, Stopwatch
from pose_service.core.records import Frame, TrackedFrame
from pose_service.engines.seam import Engine
from pose_service.legacy.encode import encode
from pose_service.legacy.frame import Maker, frame_answer
from pose_service.legacy.options import AnswerOptions
from pose_service.legacy.views import view_frames
from pose_service.media.images import decode_base64_image
from pose_service.pipeline.session import SessionFrame, SessionKey, SessionStore

PICTURES = 120
GOAL_MS = 5.0


@dataclass(frozen=True)
class Costs:
    """Milliseconds of one picture: over HTTP, and of the parts done without a service."""

    http: float
    engine: float
    unpack: float
    answer: float

    @property
    def service(self) -> float:
        """All but the engine and the unpacking of the picture."""
        return self.http - self.engine - self.unpack


def run(setup: Setup) -> list[Figure]:
    images = small_frames(setup.medium(CLIP), PICTURES)
    pictures = [as_base64(with_toy_person(image)) for image in images]
    engine = toy_engine(large_body())
    with serving(setup, SERVE_TOYS) as service, Client(service.port) as client:
        service.wait_ready()
        expect_a_body(ask(client, pictures[0], 0, session_id="warm up"))
        return figures([_measure(client, engine, picture) for picture in pictures])


def _measure(client: Client, engine: Engine, picture: str) -> Costs:
    """Over HTTP and at once the same work here, so that both meet the same machine."""
    http_ms = ask(client, picture, 0, session_id=uuid.uuid4().hex).ms
    return Costs(http_ms, *work_here_ms(engine, picture))


def work_here_ms(engine: Engine, picture: str) -> tuple[float, float, float]:
    """Milliseconds of the engine, of unpacking the base64 PNG `picture`, of the answer's JSON."""
    watch = Stopwatch()
    image = watch.timed("unpack", decode_base64_image)(
        picture, max_pixels=WIDTH_PX * HEIGHT_PX, turn_by_exif=False
    )
    sessions = SessionStore()
    asked = SessionFrame(Frame(0, 0.0, image), SessionKey(None, ""), sessions)
    tracked: TrackedFrame = watch.timed("step", sessions.step)(engine, [asked])[0]
    watched = watch.watched(engine)
    watch.timed("answer", _answer)(watched, Maker.of(watched), tracked)
    spent = watch.seconds
    parts_s = spent["step"] + spent["pose"], spent["unpack"], spent["answer"] - spent["pose"]
    engine_ms, unpack_ms, answer_ms = (SECONDS_TO_MS * seconds for seconds in parts_s)
    return engine_ms, unpack_ms, answer_ms


def _answer(engine: Engine, maker: Maker, tracked: TrackedFrame) -> bytes:
    options = AnswerOptions()
    (views,) = view_frames(engine.body, [tracked], everybody=options.everybody, mesh=options.mesh)
    return encode(frame_answer(maker, tracked, views, options))


def figures(costs: Sequence[Costs]) -> list[Figure]:
    def column(name: str) -> list[float]:
        return [getattr(cost, name) for cost in costs]

    rest = [cost.service - cost.answer for cost in costs]
    return [
        Figure("over HTTP, whole", "ms", column("http")),
        Figure("the engine, called directly: toy nets, body posed", "ms", column("engine")),
        Figure(
            "base64 and PNG to pixels", "ms", column("unpack"), bound="inflating, in one thread"
        ),
        Figure(
            "the service itself, without engine and PNG",
            "ms",
            column("service"),
            Goal(GOAL_MS),
            "handing the picture and the mesh through sockets, Flask and threads",
        ),
        Figure("– the answer's JSON", "ms", column("answer")),
        Figure("– HTTP, the request's JSON, handing over between threads", "ms", rest),
    ]


MEASURE = Measure(
    "What the service adds to its engine",
    "The same request with toy nets that cost next to nothing and a body of SMPL's size (6,890 "
    "vertices, 13,776 triangles): each picture is sent over HTTP and then worked on without a "
    "service in the measuring process; the service's own cost is the difference. Unpacking the "
    "picture is listed apart, since it depends on the picture alone. The PNG is a darkened frame "
    "of the clip, so that it is as large as a real one.",
    run,
)
