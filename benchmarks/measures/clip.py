"""Clips through the service, beside MediaPipe's own Pose on the same frames."""

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks import yardstick
from benchmarks.figures import BenchmarkError, Figure, Goal, Measure, Setup
from benchmarks.service import Client, serving
from pose_service.media.decode import open_clip

CLIP = "vid.mp4"
CLIPS_OF_SEVERAL = ("sports2d.mp4", "p2s_multi1.mp4")
GOAL_MS = 60.0
ROUNDS = 3
WARM_UP_FRAMES = 10


def run(setup: Setup) -> list[Figure]:
    with serving(setup) as service, Client(service.port) as client:
        service.wait_ready()
        asked = _Asked(client, setup.medium(CLIP))
        asked.warm_up()
        return [
            *_beside_mediapipe(setup, asked),
            Figure(f"`{CLIP}`, answer packed with gzip", "ms", [asked.ms_per_frame(packed=True)]),
            *(_several(client, setup.medium(name)) for name in CLIPS_OF_SEVERAL),
        ]


def count_frames(path: Path) -> int:
    return sum(1 for _ in open_clip(path).frames())


@dataclass(frozen=True)
class _Asked:
    """A clip that the service of `client` is asked for, with everything an answer has."""

    client: Client
    clip: Path

    def warm_up(self) -> None:
        """The first frames, not counted; `BenchmarkError` unless each is answered with a body."""
        fields = {"video_path": str(self.clip), "max_frames": WARM_UP_FRAMES}
        answer = json.loads(self.client.post("/pose/video", fields, keep=True).data)
        bodies = sum(frame["has_3d"] for frame in answer["frames"])
        if bodies != WARM_UP_FRAMES:
            raise BenchmarkError(f"{self.clip}: {bodies} bodies in {WARM_UP_FRAMES} frames")

    def ms_per_frame(self, *, packed: bool = False) -> float:
        reply = self.client.post("/pose/video", {"video_path": str(self.clip)}, packed=packed)
        return reply.ms / count_frames(self.clip)


def _beside_mediapipe(setup: Setup, asked: _Asked) -> list[Figure]:
    """Turn by turn, so that whatever else the machine does slows both."""
    python = setup.mediapipe_python
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(asked.ms_per_frame())
        if python is not None:
            theirs.append(yardstick.clip_ms_per_frame(python, asked.clip))
    bound = "the landmark network, on the one thread that owns the nets"
    figures = [Figure(f"`{CLIP}`, one runner", "ms", ours, Goal(GOAL_MS), bound)]
    if theirs:
        ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
        figures += [
            Figure(f"`{CLIP}` by MediaPipe's own Pose, no body", "ms", theirs),
            Figure("this service to MediaPipe's own Pose", "times", ratios),
        ]
    return figures


def _several(client: Client, clip: Path) -> Figure:
    bound = "the landmark network once per person"
    return Figure(
        f"`{clip.name}`, several people", "ms", [_Asked(client, clip).ms_per_frame()], bound=bound
    )


MEASURE = Measure(
    "Clips",
    "`POST /pose/video` with `video_path`, default options: every frame with its mesh, triangles "
    "and all people. Time per frame from the first byte of the request to the last of the answer, "
    "read in another process: decoding, networks, body fit, smoothing, meshes, JSON, loopback. "
    "The yardstick is MediaPipe's own Pose (complexity 1) in its own process over the same frames, "
    "turn by turn: decoding, detection, landmarks of one person, its smoothing, no body and no "
    "answer to write.",
    run,
)
