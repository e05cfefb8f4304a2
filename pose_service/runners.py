"""What is done with a job, by its kind: nets lent by the hub, the result in the task's folder."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from pose_service.avatar.asked import wish_of
from pose_service.avatar.make import make_avatar
from pose_service.avatar.pictures import pictures_of
from pose_service.avatar.steps import ChooseSteps, steps_of
from pose_service.core.config import Settings
from pose_service.core.logs import log_context
from pose_service.jobs.attempt import ClipTask
from pose_service.jobs.records import Job, JobKind
from pose_service.pipeline.keypoint_results import write_keypoints
from pose_service.pipeline.keypoint_run import KeypointJob, KeypointMaker
from pose_service.pipeline.keypoint_wish import KeypointWish
from pose_service.pipeline.results import write_result
from pose_service.pipeline.video import ClipOptions, ClipWatch, NetRunner, loaded, process_clip
from pose_service.runtime.hub import ModelHub
from pose_service.runtime.metrics import Metrics


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
        asked.max_frames, asked.smooth, settings.max_pixels, asked.merge_tracks, asked.part
    )


Runner = Callable[[Settings, ModelHub, Metrics, ClipTask, ClipWatch], None]

RUNNERS: Mapping[JobKind, Runner] = MappingProxyType(
    {JobKind.CLIP: run_clip, JobKind.POSE: run_pose, JobKind.AVATAR: run_avatar}
)
