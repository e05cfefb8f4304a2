"""The application: everything is wired here, and nothing is made on import."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from types import MappingProxyType

from flask import Flask

from pose_service.avatar.asked import wish_of
from pose_service.avatar.make import make_avatar
from pose_service.avatar.pictures import pictures_of
from pose_service.avatar.steps import ChooseSteps, steps_of
from pose_service.core.config import Settings, read_settings, unknown_names
from pose_service.core.errors import EngineError
from pose_service.core.logs import formatter, log_context
from pose_service.engines.seam import Engine
from pose_service.jobs.attempt import ClipTask
from pose_service.jobs.records import Job, JobKind
from pose_service.jobs.service import JobService
from pose_service.pipeline.keypoint_results import write_keypoints
from pose_service.pipeline.keypoint_run import KeypointJob, KeypointMaker
from pose_service.pipeline.keypoint_wish import KeypointWish
from pose_service.pipeline.results import write_result
from pose_service.pipeline.video import ClipOptions, ClipWatch, NetRunner, loaded, process_clip
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
from pose_service.web.service import Service, part_of

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


def run_job(
    settings: Settings, hub: ModelHub, numbers: Metrics, task: ClipTask, watch: ClipWatch
) -> None:
    """Work on one job of any kind and leave its result in the task's folder."""
    with log_context(job_id=task.job.job_id):
        RUNNERS[task.job.kind](settings, hub, numbers, task, watch)


def run_pose(
    settings: Settings, hub: ModelHub, numbers: Metrics, task: ClipTask, watch: ClipWatch
) -> None:
    """Keypoints in every frame of a clip."""
    angles = KeypointWish.from_json(task.job.asked).angles
    work = KeypointJob(task.source, angles, task.folder, task.kept, task.elsewhere)
    with numbers.clip_stages() as stages:
        maker = KeypointMaker(hub, hub.keypoints.get())
        run = maker.run(work, _options(settings, task.job), watch.also(stages))
        write_keypoints(task.folder, replace(run, frames=numbers.passed(run.frames)))


def run_clip(
    settings: Settings, hub: NetRunner, numbers: Metrics, task: ClipTask, watch: ClipWatch
) -> None:
    """Bodies in every frame of a clip."""
    options = _options(settings, task.job)
    with numbers.clip_stages() as stages:
        told = watch.also(stages)
        run = process_clip(
            task.source,
            hub,
            options,
            task.folder,
            told,
            kept=task.kept,
            elsewhere=task.elsewhere,
        )
        write_result(task.folder, replace(run, frames=numbers.passed(run.frames)))


def run_avatar(
    settings: Settings,
    hub: NetRunner,
    numbers: Metrics,
    task: ClipTask,
    watch: ClipWatch,
    *,
    choose: ChooseSteps = steps_of,
) -> None:
    """A body, its measures and its files from a photograph, or from a clip of somebody turning."""
    with numbers.clip_stages(work="avatar") as stages:
        told = watch.also(stages)
        engine = loaded(hub, told)
        decoding = partial(told.report, "decoding", 0, None)
        decoding()
        pictures = pictures_of(task.source, settings.max_pixels, decoding)
        wish = wish_of(task.job.asked)
        steps = choose(settings, engine, hub, wish)
        make_avatar(pictures, engine, wish, task.folder, steps, told)


def _options(settings: Settings, job: Job) -> ClipOptions:
    asked = job.options
    return ClipOptions(
        asked.max_frames, asked.smooth, settings.max_pixels, asked.merge_tracks, part_of(job)
    )


Runner = Callable[[Settings, ModelHub, Metrics, ClipTask, ClipWatch], None]

RUNNERS: Mapping[JobKind, Runner] = MappingProxyType(
    {JobKind.CLIP: run_clip, JobKind.POSE: run_pose, JobKind.AVATAR: run_avatar}
)


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
