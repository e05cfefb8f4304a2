"""Memory of the service after a clip, and what ten times as many frames add."""

from dataclasses import dataclass
from pathlib import Path

import av

from benchmarks.figures import Figure, Goal, Measure, Setup
from benchmarks.measures.clip import CLIP
from benchmarks.memory_use import peak_mb, rss_mb
from benchmarks.service import Client, serving

GOAL_MB = 450.0
GROWTH_GOAL_MB = 30.0
TIMES = 10
ROUNDS = 3


@dataclass(frozen=True)
class Megabytes:
    """Of a fresh service: ready, after a clip, and the most it ever held."""

    ready: float
    after: float
    peak: float


def run(setup: Setup) -> list[Figure]:
    clip = setup.medium(CLIP)
    long_clip = repeated(clip, setup.scratch / f"{TIMES}-times-{CLIP}", TIMES)
    short = [_served(setup, clip) for _ in range(ROUNDS)]
    long = _served(setup, long_clip)
    bound = "what the packages and networks hold, and a few pictures decoded ahead"
    return [
        Figure(
            "ready, before any request",
            "MB",
            [one.ready for one in short],
            bound="the imported packages",
        ),
        Figure(f"after serving `{CLIP}`", "MB", [one.after for one in short], Goal(GOAL_MB), bound),
        Figure(f"peak while serving `{CLIP}`", "MB", [one.peak for one in short]),
        Figure(f"after serving a clip {TIMES} times as long", "MB", [long.after]),
        Figure(f"peak while serving a clip {TIMES} times as long", "MB", [long.peak]),
        Figure(
            "growth of the peak",
            "MB",
            [long.peak - one.peak for one in short],
            Goal(GROWTH_GOAL_MB),
            "nothing that is kept per frame but some dozens of bytes; else the allocator",
        ),
    ]


def repeated(clip: Path, target: Path, times: int) -> Path:
    """`clip` `times` over in one file, not encoded again."""
    with av.open(str(target), "w") as new:
        copy, shift = None, 0
        for _ in range(times):
            with av.open(str(clip)) as old:
                stream = old.streams.video[0]
                copy = copy or new.add_stream_from_template(stream)
                end = shift
                for packet in old.demux(stream):
                    if packet.pts is None or packet.dts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    end = max(end, packet.pts + (packet.duration or 0))
                    packet.stream = copy
                    new.mux(packet)
                shift = end
    return target


def _served(setup: Setup, clip: Path) -> Megabytes:
    with serving(setup) as service, Client(service.port) as client:
        service.wait_ready()
        pid = service.process.pid
        ready = rss_mb(pid)
        client.post("/pose/video", {"video_path": str(clip)})
        return Megabytes(ready, rss_mb(pid), peak_mb(pid))


MEASURE = Measure(
    "Memory",
    "Resident memory of all processes of the service (gunicorn's master and its one worker; pages "
    "that both share count twice), read from `/proc`; the peak is the kernel's own high-water "
    "mark. Each clip is sent to a fresh service by path with default options, and its answer is "
    "read as it comes and thrown away by another process. The long clip is the same one ten times "
    "over in one file.",
    run,
)
