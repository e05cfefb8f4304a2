"""`pose`: how somebody moves in one clip, as `/pose` answers it."""

import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from pose_service.commands.arguments import Arguments
from pose_service.commands.console import console, progress
from pose_service.commands.local import check_input, check_output, nets
from pose_service.core.config import Settings
from pose_service.legacy.frame import Fields
from pose_service.legacy.pose_clip import PoseAnswer
from pose_service.legacy.pose_files import FORMATS, pose_file
from pose_service.media.decode import Clip, open_clip
from pose_service.pipeline.keypoint_results import StoredKeypoints, write_keypoints
from pose_service.pipeline.keypoint_run import KeypointJob, KeypointMaker
from pose_service.pipeline.keypoint_wish import Angles, KeypointWish
from pose_service.pipeline.video import ClipOptions, ClipWatch
from pose_service.pose2d.config import read_model_config
from pose_service.reports.annotated import Film, Progress, write_annotated
from pose_service.reports.picture import AnnotatedClip, AnnotationStyle


def run(arguments: Arguments, settings: Settings) -> int:
    source, out = check_input(arguments.clip), check_output(arguments.out)
    report = arguments.report and check_output(arguments.report)
    film = arguments.annotated and check_output(arguments.annotated)
    with (
        TemporaryDirectory(prefix="pose-service-") as scratch,
        nets(settings) as hub,
        progress() as told,
    ):
        maker = KeypointMaker(hub, hub.keypoints.get())
        job = KeypointJob(source, Angles(arguments.angles), Path(scratch))
        options = ClipOptions(arguments.max_frames, max_pixels=settings.max_pixels)
        started = time.perf_counter()
        write_keypoints(job.scratch, maker.run(job, options, ClipWatch(told)))
        seconds = round(time.perf_counter() - started, 3)
        written = {"processing_time_seconds": seconds, "video_url": film and str(film)}
        answer = _answer(job, settings, written)
        _write(out, answer.write())
        if report:
            _write(report, FORMATS["pdf"].write(pose_file("pdf", answer, source.stem, None)))
        if film:
            _write_film(film, open_clip(source, max_pixels=settings.max_pixels), answer, told)
        summary = _summary(answer, seconds)
    console.print(summary)
    for path in filter(None, (out, report, film)):
        console.print(f"written: {path}")
    return 0


def _answer(job: KeypointJob, settings: Settings, fields: Fields) -> PoseAnswer:
    config = read_model_config(settings)
    wish = KeypointWish(confidence=config.performance.confidence_threshold, angles=job.angles)
    clip = StoredKeypoints.open(job.scratch)
    named = {"video_path": str(job.source), **fields}
    return PoseAnswer(clip, wish, config.biomechanics, named)


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    """All of `pieces`, or nothing."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.writelines(pieces)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _write_film(path: Path, source: Clip, answer: PoseAnswer, told: Progress) -> None:
    head, clip = answer.clip.head, answer.measured
    pictures = source.frames(head.info.frame_count)
    style = AnnotationStyle(answer.wish.confidence, primary_id=head.primary_id)
    annotated = AnnotatedClip(pictures, clip.frames(), clip.measures, style)
    write_annotated(path, annotated, Film(head.info.fps, head.info.frame_count, told))


def _summary(answer: PoseAnswer, seconds: float) -> str:
    head, track = answer.clip.head, answer.measured.primary
    seen = 0 if track is None else int(track.curves.seen.sum())
    counted = (
        f"{head.info.frame_count} frames, the first person seen in {seen}, by {head.model.name}"
        f" with angles in {answer.measured.axes}D, in {seconds:.1f} s"
    )
    why = [f"not by a 2D net: {head.model.fallback}"] if head.model.fallback else []
    return "\n".join([counted, *why, *(f"note: {note}" for note in head.info.notes)])
