"""What it costs the front to take a clip in."""

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.clip_jobs.bed import TOYS, Backend, Bed, Machines, machines
from benchmarks.figures import Figure, Goal, Measure
from benchmarks.measures.clip import CLIP
from benchmarks.service import Asked
from benchmarks.stopwatch import time_ms
from pose_service.media.decode import open_clip

ROUNDS = 10
GOAL = Goal(20)
MISSING = "redis-server or PostgreSQL is not installed"
WHOLE = "until the 202"
LOOKING_BOUND = "FFmpeg: opening the file, decoding until the first frame is out"
REST_BOUND = {
    "path": "commits of the database; the worker that starts on the clip meanwhile",
    "upload": "the same; two copies of the file, through the socket and into the storage",
}
_LIMIT = "limit-of-parts"


def figures(bed: Bed) -> list[Figure]:
    clip = bed.setup.medium(CLIP)
    return [figure for backend in bed.backends for figure in _of(bed, backend, clip)]


def by_path(clip: Path) -> Asked:
    body = json.dumps({"video_path": str(clip), "async": True, "max_frames": 1})
    return Asked("POST", "/pose/video", body.encode(), {"Content-Type": "application/json"})


def by_upload(clip: Path) -> Asked:
    head = "".join(
        f'--{_LIMIT}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {"async": "true", "max_frames": "1"}.items()
    ) + (
        f"--{_LIMIT}\r\n"
        f'Content-Disposition: form-data; name="video"; filename="{clip.name}"\r\n\r\n'
    )  # fmt: skip
    body = head.encode() + clip.read_bytes() + f"\r\n--{_LIMIT}--\r\n".encode()
    kind = f"multipart/form-data; boundary={_LIMIT}"
    return Asked("POST", "/pose/video", body, {"Content-Type": kind})


def _of(bed: Bed, backend: Backend, clip: Path) -> Iterator[Figure]:
    ways = {"path": by_path(clip), "upload": by_upload(clip)}
    if backend.empty is None:
        yield Figure(f"{WHOLE}, {backend.name}", "ms", [], GOAL, MISSING)
        return
    with machines(bed, backend, 1, TOYS) as it:
        for way, asked in ways.items():
            whole, looking = zip(*taken_ms(it, asked, clip), strict=True)
            rest = [all_ms - part_ms for all_ms, part_ms in zip(whole, looking, strict=True)]
            name = f"{way}, {backend.name}"
            yield Figure(f"{name}: {WHOLE}", "ms", whole, GOAL, LOOKING_BOUND)
            yield Figure(f"{name}: looking into the clip", "ms", looking, bound=LOOKING_BOUND)
            yield Figure(f"{name}: the front itself", "ms", rest, GOAL, REST_BOUND[way])


def taken_ms(it: Machines, asked: Asked, clip: Path) -> list[tuple[float, float]]:
    """Until each request's 202, and of looking into the clip here; the first is not counted.

    Each is sent when the one before is done.
    """
    taken = []
    for _ in range(1 + ROUNDS):
        # before the request: after it the worker has work to do
        looking_ms = time_ms(lambda: open_clip(clip))
        reply = it.client.ask(asked, status=202, keep=True)
        taken.append((reply.ms, looking_ms))
        it.wait_job(json.loads(reply.data)["job_id"])
    return taken[1:]


MEASURE = Measure(
    "Clip jobs: taking a clip in",
    f"`POST /pose/video` with `async` to a front without nets, `{CLIP}` by path and as an upload, "
    "over one connection, each sent when the one before is done; from the first byte of the "
    "request to the last of the 202. One worker with toy nets does one frame of each. A clip's "
    "first frame is decoded before it is taken in, so that what is no clip is refused at once: "
    "that depends on the clip alone and is measured by itself before each request; the front "
    "itself is the difference.",
    figures,
)
