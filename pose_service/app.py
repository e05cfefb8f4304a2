"""The application: everything is wired here, and nothing is made on import."""

import logging
from dataclasses import asdict
from functools import partial

from flask import Flask

from pose_service.core.config import Settings, read_settings, unknown_names
from pose_service.core.errors import EngineError
from pose_service.core.logs import formatter
from pose_service.engines.seam import Engine
from pose_service.jobs.service import JobService
from pose_service.runners import run_job
from pose_service.runtime.hub import ModelHub
from pose_service.runtime.metrics import Metrics
from pose_service.web import (
    answers,
    avatars,
    batches,
    clips,
    downloads,
    errors,
    frames,
    health,
    healthz,
    jobs,
    legacy_jobs,
    limits,
    metrics,
    overlays,
    pose_clips,
    request_log,
)
from pose_service.web.service import Service

log = logging.getLogger(__name__)

BLUEPRINTS = (
    *(health, healthz, metrics, frames, batches, clips, pose_clips, downloads, overlays, jobs),
    *(legacy_jobs, avatars),
)


def create_app(settings: Settings | None = None, *, hub: ModelHub | None = None) -> Flask:
    """The service as a WSGI application; loading begins in the background at once.

    `settings` come from the environment and `hub` from the settings unless given. The service is
    stopped when the process ends, or by `app.extensions["pose_service"].stop()`.
    """
    settings = settings or read_settings()
    start_log(settings)
    hub = hub or (ModelHub(settings, no_nets) if settings.front_only else ModelHub(settings))
    numbers = Metrics()
    app = _flask_app()
    clip_jobs = job_service(settings, None if settings.front_only else hub, numbers)
    here = Service(settings, hub, clip_jobs, numbers)
    metrics.watch_state(here)
    here.attach(app)
    here.start()
    log.info("[STARTUP] taking requests; %s", _nets_are(settings))
    return app


def job_service(
    settings: Settings, hub: ModelHub | None, numbers: Metrics | None = None
) -> JobService:
    """Jobs that are worked on with the nets of `hub`; without it only taken in.

    `numbers` count what happens to clips, for a process that shows them.
    """
    if hub is None:
        return JobService(settings, None)
    engine = hub
    clips = partial(run_job, settings, engine, numbers or Metrics())
    service = JobService(settings, clips, nets=engine)
    if service.worker is not None:
        service.worker.engine_state = lambda: asdict(engine.state)
    return service


def _nets_are(settings: Settings) -> str:
    return "clips wait for workers" if settings.front_only else "the engine is loading"


def no_nets(settings: Settings) -> tuple[Engine, str]:
    """What a process that only takes clips in has in place of an engine."""
    raise EngineError(
        "this process has no nets (POSE_FRONT_ONLY)",
        hint="Send clips to /pose/video, which workers process; single frames to a service with"
        " nets of its own.",
    )


def _flask_app() -> Flask:
    app = Flask(__name__, static_folder=None)
    # a redirect is an HTML page, and none of the callers follows one on POST
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    for part in (request_log, metrics, limits, answers, errors):
        part.register(app)
    for module in BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    return app


def start_log(settings: Settings) -> None:
    """Log to stderr, unless whoever runs the process has set up a log already."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(settings.log_format))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("pose_service").setLevel(settings.log_level.upper())
    for name in unknown_names():
        log.warning("[STARTUP] the setting %s is not known to this version: misspelt?", name)
