"""Service: what the routes share, made once by the application."""

import atexit
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from flask import Flask, current_app

from pose_service.core.config import Settings
from pose_service.core.records import TrackedFrame
from pose_service.jobs.service import JobService
from pose_service.jobs.store import JobStore
from pose_service.legacy.frame import Maker
from pose_service.pipeline.asked import Asked, answer_all
from pose_service.pipeline.session import SessionStore
from pose_service.runtime.hub import ModelHub
from pose_service.runtime.metrics import Metrics
from pose_service.web.overlay_files import OverlayFiles

_KEY = "pose_service"


@dataclass
class Service:
    """The hub owns the nets, the job service its files; the web owns nothing."""

    settings: Settings
    hub: ModelHub
    store: JobStore
    jobs: JobService
    metrics: Metrics = field(default_factory=Metrics)
    sessions: SessionStore = field(default_factory=SessionStore)
    overlays: OverlayFiles = field(default_factory=OverlayFiles)
    people_in: Callable[[Sequence[Asked]], list[TrackedFrame]] = field(init=False)
    _maker: Maker | None = None

    def __post_init__(self) -> None:
        """Pictures of all callers share the nets' turns."""
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
        self.store.close()

    def folder(self, job_id: str) -> Path:
        """Where a job's files lie; `NotFoundError` for what cannot be a job id."""
        return self.store.folder(job_id)

    @property
    def uploads_dir(self) -> Path:
        """Where files that arrive are written until a job takes them over."""
        return self.store.files.uploads_dir

    def maker(self, wait_s: float | None = None) -> Maker:
        """Who answers; waits until the engine is there. Its triangles are encoded only once."""
        engine = self.hub.wait(self.settings.ready_wait_s if wait_s is None else wait_s)
        if self._maker is None or self._maker.body is not engine.body:
            self._maker = Maker.of(engine)
        return self._maker


def service() -> Service:
    """The service of the request in hand."""
    return cast(Service, current_app.extensions[_KEY])
