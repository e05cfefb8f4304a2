"""Single pictures through the service."""

import json
import uuid
from collections.abc import Callable, Iterable

from benchmarks.figures import BenchmarkError, Figure, Goal, Measure, Setup
from benchmarks.measures.clip import CLIP
from benchmarks.pictures import as_base64, small_frames
from benchmarks.service import Client, Reply, serving

PICTURES = 40
WARM_UP = 3
GOAL_MS = 350.0


def run(setup: Setup) -> list[Figure]:
    pictures = [as_base64(image) for image in small_frames(setup.medium(CLIP), PICTURES)]
    with serving(setup) as service, Client(service.port) as client:
        service.wait_ready()
        for number, picture in enumerate(pictures[:WARM_UP]):
            expect_a_body(ask(client, picture, number, session_id="warm up"))
        alone = _ms(client, pictures, lambda: uuid.uuid4().hex)
        packed = _ms(client, pictures, lambda: uuid.uuid4().hex, packed=True)
        followed = _ms(client, pictures, lambda: "one session")
    return [
        Figure(
            "a picture by itself",
            "ms",
            alone,
            Goal(GOAL_MS),
            "the detector over several tiles, landmarks of every candidate",
        ),
        Figure("the same, answer packed with gzip", "ms", packed, bound="gzip -1"),
        Figure(
            "the next picture of a session",
            "ms",
            followed,
            bound="the landmark network and the fit; the detector looks at every tenth",
        ),
    ]


def ask(
    client: Client, picture: str, number: int, *, session_id: str, packed: bool = False
) -> Reply:
    """One `/pose/hybrid` with the answer as it is by default."""
    fields = {"image_base64": picture, "frame_number": number, "session_id": session_id}
    return client.post("/pose/hybrid", fields, keep=True, packed=packed)


def expect_a_body(reply: Reply) -> None:
    """`BenchmarkError` unless the answer has a mesh: an empty answer is quick to make."""
    answer = json.loads(reply.data)
    if not answer["has_3d"]:
        raise BenchmarkError(f"/pose/hybrid saw nobody: {answer['error']}")


def _ms(
    client: Client, pictures: Iterable[str], session: Callable[[], str], *, packed: bool = False
) -> list[float]:
    return [
        ask(client, picture, number, session_id=session(), packed=packed).ms
        for number, picture in enumerate(pictures)
    ]


MEASURE = Measure(
    "Single pictures",
    "`POST /pose/hybrid` with one person in a 640×360 PNG as base64, over one connection, one "
    "after another, each a different frame of the clip. By itself: under a session id never used "
    "before, so that the detector must find the person. In a session: the person's place is "
    "carried from frame to frame.",
    run,
)
