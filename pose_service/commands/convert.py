"""`convert`: tracklets of PHALP, or the folder of a finished clip, as another file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from pose_service.commands.arguments import Arguments
from pose_service.commands.console import console
from pose_service.commands.local import check_input, check_output
from pose_service.core.config import Settings
from pose_service.core.errors import BadPathError, BadRequestError
from pose_service.engines.bodies import load_body
from pose_service.export.joint_table import tracklet_table
from pose_service.export.tracklet_json import frame_fields
from pose_service.export.tracklet_records import TrackletFrame, read_tracklets
from pose_service.legacy.clip import ClipAnswer
from pose_service.legacy.downloads import FORMATS, download
from pose_service.legacy.encode import encode, json_list, object_with_lists
from pose_service.legacy.frame import Maker
from pose_service.legacy.options import AnswerOptions, Faces
from pose_service.pipeline.results import StoredClip

Frames = Iterator[TrackletFrame]


def run(arguments: Arguments, settings: Settings) -> int:
    source = arguments.source.expanduser()
    out = check_output(arguments.out or source.with_name(f"{source.name}.{arguments.to}"))
    if source.is_dir():
        pieces = _of_result(source, arguments, settings)
    else:
        pieces = _of_tracklets(check_input(source), arguments.to)
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as file:
            file.writelines(pieces)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    console.print(f"written: {out}")
    return 0


def _of_result(folder: Path, arguments: Arguments, settings: Settings) -> Iterator[bytes]:
    if arguments.to not in FORMATS:
        raise _unknown(arguments.to, FORMATS)
    clip = _opened(folder)
    body = load_body(clip.head.body_name, settings)
    maker = Maker.of_body(body, clip.head.model_version)
    options = AnswerOptions(Faces.ONCE, mesh=not arguments.no_mesh)
    fields = {"job_id": folder.name, "video_path": folder.name}
    answer = ClipAnswer.whole(clip, maker, options, fields)
    return download(arguments.to, answer, folder.name, arguments.track).pieces


def _opened(folder: Path) -> StoredClip:
    try:
        return StoredClip.open(folder)
    except (KeyError, TypeError, ValueError) as error:
        raise BadPathError(
            f"{folder} holds no result that can be read ({error})",
            hint="Give the folder of a finished job: <POSE_STATE_DIR>/jobs/<job_id>.",
        ) from error


def _of_tracklets(path: Path, wanted: str) -> Iterator[bytes]:
    write = _OF_TRACKLETS.get(wanted)
    if write is None:
        raise _unknown(wanted, _OF_TRACKLETS)
    return write(read_tracklets(path))


def _unknown(wanted: str, known: Iterable[str]) -> BadRequestError:
    names = ", ".join(known)
    return BadRequestError(f"--to {wanted}: expected one of {names}")


def _json(frames: Frames) -> Iterator[bytes]:
    entries = (encode(frame_fields(frame)) for frame in frames)
    return object_with_lists({}, {"frames": json_list(entries)})


def _ndjson(frames: Frames) -> Iterator[bytes]:
    return (encode(frame_fields(frame)) + b"\n" for frame in frames)


_OF_TRACKLETS: Mapping[str, Callable[[Frames], Iterator[bytes]]] = MappingProxyType(
    {"json": _json, "ndjson": _ndjson, "csv": tracklet_table}
)
