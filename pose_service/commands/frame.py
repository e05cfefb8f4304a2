"""`frame`: the people of one picture, as `/pose/hybrid` answers them."""

from pathlib import Path

from pose_service.commands.arguments import Arguments
from pose_service.commands.console import console
from pose_service.commands.local import check_input, check_output, nets, overlay_style
from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.records import Frame, Look, TrackedFrame
from pose_service.legacy.encode import encode
from pose_service.legacy.frame import Maker, frame_answer
from pose_service.legacy.options import AnswerOptions
from pose_service.legacy.views import view_frames
from pose_service.media.images import decode_image, encode_jpeg, encode_png
from pose_service.pipeline.drawing import draw_frame
from pose_service.pipeline.image import Picture, people_in_picture

JPEG_SUFFIXES = (".jpg", ".jpeg")


def run(arguments: Arguments, settings: Settings) -> int:
    frame = _read(check_input(arguments.picture), settings)
    overlay = arguments.overlay and check_output(arguments.overlay)
    out = arguments.out and check_output(arguments.out)
    look = Look.THOROUGH if arguments.thorough else Look.PICTURE
    with nets(settings) as hub:
        found = hub.run_frame(lambda engine: people_in_picture(engine, Picture(frame, look)))
        engine = hub.wait(0)
    _describe(found)
    if overlay:
        drawn = draw_frame(engine.body, frame.image, found, overlay_style(arguments))
        _write_picture(overlay, drawn)
    if out:
        (views,) = view_frames(engine.body, [found], everybody=True, mesh=True)
        answer = frame_answer(Maker.of(engine), found, views, AnswerOptions(persons=True))
        out.write_bytes(encode(answer))
        console.print(f"written: {out}")
    return 0


def _read(path: Path, settings: Settings) -> Frame:
    image = decode_image(path.read_bytes(), max_pixels=settings.max_pixels, turn_by_exif=True)
    return Frame(0, 0.0, image)


def _describe(found: TrackedFrame) -> None:
    size = f"{found.camera.width_px}x{found.camera.height_px} px"
    console.print(f"{len(found.people)} people in {size}, {found.processing_ms:.0f} ms")
    for person in found.people:
        x1, y1, x2, y2 = person.box_xyxy_px
        distance_m = person.pose.translations_m[0, 2]
        console.print(
            f"  {person.track_id}: box {x1:.0f} {y1:.0f} {x2:.0f} {y2:.0f} px, "
            f"confidence {person.confidence:.2f}, about {distance_m:.1f} m away"
        )


def _write_picture(path: Path, picture: ImageArray) -> None:
    as_jpeg = path.suffix.lower() in JPEG_SUFFIXES
    path.write_bytes(encode_jpeg(picture) if as_jpeg else encode_png(picture))
    console.print(f"written: {path}")
