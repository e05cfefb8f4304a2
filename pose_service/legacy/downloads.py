"""All forms in which a finished clip leaves: its answers as JSON, and files of other programs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pose_service.core.errors import BadRequestError
from pose_service.legacy.clip import ClipAnswer
from pose_service.pipeline.exports import EXPORTS, ClipExport, export

_ANSWERS: Mapping[str, tuple[str, Callable[[ClipAnswer], Iterator[bytes]]]] = MappingProxyType(
    {
        "json": ("application/json", ClipAnswer.write),
        "ndjson": ("application/x-ndjson", ClipAnswer.lines),
    }
)
FORMATS = (*_ANSWERS, *EXPORTS)
"""Names of all formats; each is also the ending of the files."""


@dataclass(frozen=True)
class Download:
    """A file on its way: `pieces` are made as they are asked for."""

    name: str
    media_type: str
    pieces: Iterator[bytes]


def download(wanted: str, answer: ClipAnswer, name: str, track_id: int | None = None) -> Download:
    """The clip of `answer`, whose file is called `name`, in the format `wanted`.

    The slice and the options of `answer` are for `json` and `ndjson`, `track_id` for the files that
    show one person. `BadRequestError` for a format there is not, or not for this body.
    """
    stem = stem_of(name)
    if wanted in _ANSWERS:
        media_type, write = _ANSWERS[wanted]
        return Download(f"{stem}.{wanted}", media_type, write(answer))
    if wanted not in EXPORTS:
        raise BadRequestError(f"format: expected one of {', '.join(FORMATS)}, got {wanted!r}")
    asked = ClipExport(answer.clip, answer.maker.body, name, f"{stem}.{wanted}", track_id)
    return Download(asked.file_name, EXPORTS[wanted].media_type, export(wanted, asked))


def stem_of(name: str) -> str:
    r"""A clip's name without its folder and ending, as files made of it are called.

    >>> stem_of(r"C:\clips\squat.mp4"), stem_of("http://a/b/run")
    ('squat', 'run')
    """
    own = name.replace("\\", "/").rpartition("/")[2]
    return _printable(own.rpartition(".")[0] or own)


def _printable(name: str) -> str:
    """Names stand in headers and in the first lines of files, where a line end would begin another.

    >>> _printable("a\\tb\\r\\nc")
    'a_b__c'
    """
    return "".join(letter if letter.isprintable() else "_" for letter in name)
