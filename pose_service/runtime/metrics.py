"""What is counted and timed while the service runs, for Prometheus to read."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from pose_service.core.errors import PoseError
from pose_service.core.keypoints import KeypointFrame
from pose_service.core.records import TrackedFrame

AnyFrame = TypeVar("AnyFrame", TrackedFrame, KeypointFrame)

# from a status call to a clip of an hour
BUCKETS_S = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180, 600, 1800, 3600,
)  # fmt: skip
PEOPLE = (0, 1, 2, 3, 5, 8, 13, 21)


class Metrics:
    """The numbers of one application, in a registry of its own. Safe from many threads.

    Labels come from short lists of this program's own (routes, stages, error codes), never from
    what a caller sends. What is only looked up when it is asked for, such as the length of the
    queue, is added to the registry by whoever knows it.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "pose_requests",
            "Requests answered, by the pattern of their route",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._latency = Histogram(
            "pose_request_seconds",
            "From a request's arrival to the first byte of its answer",
            ("route", "method"),
            registry=self.registry,
            buckets=BUCKETS_S,
        )
        self._errors = Counter(
            "pose_errors",
            "Errors by their error_type, of requests, clips and avatars",
            ("origin", "error_type"),
            registry=self.registry,
        )
        self._stages = Histogram(
            "pose_stage_seconds",
            "One stage of one picture, clip or avatar",
            ("work", "stage"),
            registry=self.registry,
            buckets=BUCKETS_S,
        )
        self._rates = Gauge(
            "pose_clip_frames_per_second",
            "Frames a second of the last clip that went through a stage",
            ("stage",),
            registry=self.registry,
        )
        self._frames = Counter(
            "pose_frames",
            "Pictures and frames of clips answered",
            ("work",),
            registry=self.registry,
        )
        self._people = Histogram(
            "pose_people_per_frame",
            "People in one picture or frame",
            ("work",),
            registry=self.registry,
            buckets=PEOPLE,
        )
        ProcessCollector(registry=self.registry)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request, however it ended."""
        self._requests.labels(route, method, str(status)).inc()
        self._latency.labels(route, method).observe(seconds)

    def failed(self, origin: str, error_type: str) -> None:
        """An error of a "request", a "clip" or an "avatar"."""
        self._errors.labels(origin, error_type).inc()

    def saw(self, frame: TrackedFrame | KeypointFrame, work: str) -> None:
        """A frame and its people; `work` is "picture" or "clip"."""
        self._frames.labels(work).inc()
        self._people.labels(work).observe(len(frame.people))

    def passed(self, frames: Iterator[AnyFrame]) -> Iterator[AnyFrame]:
        """The same frames of a clip, counted as they pass."""
        for frame in frames:
            self.saw(frame, "clip")
            yield frame

    def took(self, work: str, stage: str, seconds: float) -> None:
        self._stages.labels(work, stage).observe(seconds)

    @contextmanager
    def timed(self, work: str, stage: str) -> Iterator[None]:
        """How long the block takes, if it ends well."""
        started = time.perf_counter()
        yield
        self.took(work, stage, time.perf_counter() - started)

    @contextmanager
    def clip_stages(
        self, clock: Callable[[], float] = time.perf_counter, work: str = "clip"
    ) -> Iterator["StageWatch"]:
        """Who is told of a clip's or avatar's progress within the block; its stages are timed."""
        watch = StageWatch(self, clock, work)
        try:
            yield watch
            watch.close()
        except Exception as error:
            self.failed(work, error.code if isinstance(error, PoseError) else type(error).__name__)
            raise

    def ran_at(self, stage: str, frames_per_s: float) -> None:
        self._rates.labels(stage).set(frames_per_s)


class StageWatch:
    """Told (stage, frames done, frames in all or None), as clips tell of themselves."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float], work: str) -> None:
        self._metrics = metrics
        self._work = work
        self._clock = clock
        self._stage = ""
        self._started_s = clock()
        self._done = 0

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage:
            self.close()
            self._stage, self._started_s = stage, self._clock()
        self._done = done

    def close(self) -> None:
        """The stage in hand is over."""
        seconds = self._clock() - self._started_s
        if self._stage:
            self._metrics.took(self._work, self._stage, seconds)
        if self._work == "clip" and self._done and seconds > 0:
            self._metrics.ran_at(self._stage, self._done / seconds)
        self._stage, self._done = "", 0
