"""The application: everything is wired here, and nothing is made on import."""

import logging
from dataclasses import replace
from functools import partial

from flask import Flask

from pose_service.core.config import Settings, read_settings, unknown_names
from pose_service.core.logs import formatter, log_context
from pose_service.jobs.records import Job
from pose_service.jobs.service import JobService
from pose_service.jobs.store import JobStore
from pose_service.pipeline.results import write_result
from pose_service.pipeline.video import ClipOptions, ClipWatch, process_clip
from pose_service.runtime.hub import ModelHub
from pose_service.runtime.metrics import Metrics
from pose_service.web import (
    answers,
    batches,
    clips,
    downloads,
    errors,
    frames,
    health,
    legacy_jobs,
    limits,
    metrics,
    overlays,
    request_log,
)
from pose_service.web.service import Service

log = logging.getLogger(__name__)

BLUEPRINTS = (health, metrics, frames, batches, clips, downloads, overlays, legacy_jobs)


def create_app(settings: Settings | None = None, *, hub: ModelHub | None = None) -> Flask:
    """The service as a WSGI application; loading begins in the background at once.

    `settings` come from the environment and `hub` from the settings unless given. The service is
    stopped when the process ends, or by `app.extensions["pose_service"].stop()`.
    """
    settings = settings or read_settings()
    _start_log(settings)
    hub = hub or ModelHub(settings)
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    store = JobStore(settings.state_dir)
    numbers = Metrics()
    jobs = JobService(settings, store, partial(run_clip, settings, hub, store, numbers))
    app = _flask_app()
    here = Service(settings, hub, store, jobs, numbers)
    metrics.watch_state(here)
    here.attach(app)
    here.start()
    log.info("[STARTUP] taking requests; the engine is loading")
    return app


def run_clip(
    settings: Settings,
    hub: ModelHub,
    store: JobStore,
    numbers: Metrics,
    job: Job,
    watch: ClipWatch,
) -> None:
    """Process one clip and leave its result in the job's folder; called by the job service."""
    folder = store.folder(job.job_id)
    asked = job.options
    options = ClipOptions(asked.max_frames, asked.smooth, settings.max_pixels, asked.merge_tracks)
    with log_context(job_id=job.job_id), numbers.clip_stages() as stages:
        told = watch.also(stages)
        run = process_clip(job.source_path, hub, options, folder, told)
        write_result(folder, replace(run, frames=numbers.passed(run.frames)))


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


def _start_log(settings: Settings) -> None:
    """Log to stderr, unless whoever runs the process has set up a log already."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(settings.log_format))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("pose_service").setLevel(settings.log_level.upper())
    for name in unknown_names():
        log.warning("[STARTUP] the setting %s is not known to this version: misspelt?", name)
