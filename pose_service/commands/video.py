"""`video`: the people of one clip in every frame, as `/pose/video` answers them."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from pose_service.commands.arguments import Arguments
from pose_service.commands.console import console, progress
from pose_service.commands.local import check_input, check_output, nets, overlay_style
from pose_service.core.config import Settings
from pose_service.engines.seam import Engine
from pose_service.legacy.clip import ClipAnswer
from pose_service.legacy.frame import Fields, Maker
from pose_service.legacy.options import AnswerOptions, Faces
from pose_service.media.decode import open_clip
from pose_service.pipeline.drawing import Overlay
from pose_service.pipeline.results import StoredClip, write_result
from pose_service.pipeline.video import ClipOptions, ClipWatch, process_clip


def run(arguments: Arguments, settings: Settings) -> int:
    source, out = check_input(arguments.clip), check_output(arguments.out)
    overlay = arguments.overlay and check_output(arguments.overlay)
    options = ClipOptions(
        arguments.max_frames, not arguments.raw, settings.max_pixels, settings.merge_tracks
    )
    started = time.perf_counter()
    with (
        TemporaryDirectory(prefix="pose-service-") as scratch,
        nets(settings) as hub,
        progress() as report,
    ):
        folder = Path(scratch)
        write_result(folder, process_clip(source, hub, options, folder, ClipWatch(report)))
        clip, engine = StoredClip.open(folder), hub.wait(0)
        seconds = round(time.perf_counter() - started, 3)
        _write_answer(out, clip, engine, _fields(source, seconds))
        if overlay:
            film = open_clip(source, max_pixels=settings.max_pixels)
            Overlay(film, clip, engine.body, overlay_style(arguments)).write(overlay, report)
        summary = _summary(clip, seconds)
    console.print(summary)
    for path in filter(None, (out, overlay)):
        console.print(f"written: {path}")
    return 0


def _fields(source: Path, seconds: float) -> Fields:
    return {
        "job_id": source.stem,
        "video_path": str(source),
        "processing_time_seconds": seconds,
        "processing_time": seconds,
    }


def _write_answer(path: Path, clip: StoredClip, engine: Engine, fields: Fields) -> None:
    """The triangles once: a file is read from its start, unlike frames from a data base."""
    options = AnswerOptions(faces=Faces.ONCE)
    answer = ClipAnswer.whole(clip, Maker.of(engine), options, fields)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.writelines(answer.write())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _summary(clip: StoredClip, seconds: float) -> str:
    info = clip.head.info
    with_people = sum(frame.primary is not None for frame in clip.frames())
    counted = (
        f"{info.frame_count} frames at {info.fps:.2f} per second, "
        f"{with_people} of them with a person, in {seconds:.1f} s"
    )
    return "\n".join([counted, *(f"note: {note}" for note in info.notes)])
