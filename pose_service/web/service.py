"""Service: what the routes share, made once by the application."""

import atexit
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from flask import Flask, current_app

from pose_service.core.config import Settings
from pose_service.core.errors import GoneError
from pose_service.core.records import TrackedFrame
from pose_service.engines.bodies import load_body
from pose_service.engines.registry import plugged_body
from pose_service.engines.seam import BodyModel
from pose_service.jobs.records import Job
from pose_service.jobs.service import JobService
from pose_service.legacy.frame import Maker
from pose_service.media.part import ClipPart
from pose_service.pipeline.asked import Asked, answer_all
from pose_service.pipeline.results import ResultHead
from pose_service.pipeline.session import SessionStore
from pose_service.pose2d.config import ModelConfig, read_model_config
from pose_service.runtime.hub import ModelHub
from pose_service.runtime.metrics import Metrics
from pose_service.web.overlay_files import OverlayFiles

_KEY = "pose_service"


@dataclass
class Service:
    """The hub owns the nets, the job service its files; the web owns nothing.

    `nets_config`: what the file of `POSE_MODEL_CONFIG` and the environment say of `/pose`.

    `watching`: so many callers may follow jobs at once; each of them holds a thread.
    """

    settings: Settings
    hub: ModelHub
    jobs: JobService
    metrics: Metrics = field(default_factory=Metrics)
    nets_config: ModelConfig = field(init=False)
    watching: threading.BoundedSemaphore = field(init=False)
    sessions: SessionStore = field(default_factory=SessionStore)
    overlays: OverlayFiles = field(default_factory=OverlayFiles)
    people_in: Callable[[Sequence[Asked]], list[TrackedFrame]] = field(init=False)
    _maker: Maker | None = None
    _bodies: dict[str, BodyModel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Pictures of all callers share the nets' turns. `SettingsError` for a bad file."""
        self.nets_config = read_model_config(self.settings)
        self.watching = threading.BoundedSemaphore(max(1, self.settings.threads // 2))
        self.people_in = self.hub.together(answer_all)

    def attach(self, app: Flask) -> None:
        """Serve `app`, and stop cleanly when the process ends."""
        app.extensions[_KEY] = self
        atexit.register(self.stop)

    def start(self) -> None:
        """Load the nets in the background and take up clips; returns at once."""
        self.hub.start()
        self.jobs.start()

    def stop(self) -> None:
        """Give up the clip in hand (it stays queued), finish the frame in hand, end all threads."""
        atexit.unregister(self.stop)
        self.jobs.stop()
        self.hub.stop()
        self.jobs.close()

    @property
    def uploads_dir(self) -> Path:
        """Where files that arrive are written until a job takes them over."""
        return self.jobs.uploads_dir

    def maker(self, wait_s: float | None = None) -> Maker:
        """Who answers; waits until the engine is there. Its triangles are encoded only once."""
        engine = self.hub.wait(self.settings.ready_wait_s if wait_s is None else wait_s)
        if self._maker is None or self._maker.body is not engine.body:
            self._maker = Maker.of(engine)
        return self._maker

    def clip_maker(self, head: ResultHead, wait_s: float) -> Maker:
        """Who answers for a finished clip; `GoneError` if its bodies cannot be posed here.

        A process without nets loads the body alone, of whichever engine made the clip.
        """
        if self.settings.front_only:
            models = self._models_of(head)
            body = self._body(head.body_name)
            return Maker.of_body(body, head.model_version, models)
        maker = self.maker(wait_s)
        if maker.body.name != head.body_name:
            raise GoneError(
                f"this clip was made with the body {head.body_name}; "
                f"the service now runs with {maker.body.name}",
                hint="Send the clip again, or start the service with the engine of that time.",
            )
        return maker

    def worker_states(self) -> list[dict[str, Any]]:
        """What each living worker says of itself and its engine, as known a few seconds ago."""
        return [
            {
                "worker": worker.label,
                "job_id": worker.job_id,
                "jobs_done": worker.jobs_done,
                **json.loads(worker.engine_state),
            }
            for worker in self.jobs.workers()
        ]

    def _body(self, name: str) -> BodyModel:
        if name not in self._bodies:
            plugged = plugged_body(self.settings)
            is_it = plugged is not None and plugged.name == name
            self._bodies[name] = plugged if is_it and plugged else load_body(name, self.settings)
        return self._bodies[name]

    def _models_of(self, head: ResultHead) -> Mapping[str, str]:
        """The nets of a living worker of the engine that made a clip."""
        made_by = head.model_version.partition("/")[0]
        states = (state for state in self.worker_states() if state.get("engine") == made_by)
        return next((state["models"] for state in states), {})


def part_of(job: Job) -> ClipPart:
    """Which frames of its clip a job was asked for."""
    return job.options.part


def service() -> Service:
    """The service of the request in hand."""
    return cast(Service, current_app.extensions[_KEY])
