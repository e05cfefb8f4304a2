"""Multipart bodies whose files go straight to disk, however large."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from flask import request
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.utils import secure_filename

from pose_service.core.errors import BadRequestError, UnsupportedTypeError
from pose_service.web.bodies import MULTIPART, is_multipart, missing_part


@dataclass(frozen=True)
class Upload:
    """A file that arrived in the part `part`.

    `name`: as the caller called it. `fields`: the text parts beside it.
    """

    path: Path
    name: str
    fields: dict[str, str]
    part: str


@contextmanager
def received_file(parts: str | tuple[str, ...], folder: Path) -> Iterator[Upload]:
    """The one file part named as any of `parts`, written into `folder` as it arrives.

    It is gone at the end of the `with` unless it was moved away. Raises `UnsupportedTypeError` for
    another kind of body, and `BadRequestError` if it is broken or has no such part, or several.
    """
    wanted = (parts,) if isinstance(parts, str) else parts
    if not is_multipart():
        raise UnsupportedTypeError(
            f"Content-Type: expected {MULTIPART}, got {request.mimetype or 'none'}",
            hint=f"Send the clip as the file part {wanted[0]!r} of a form.",
        )
    with (
        TemporaryDirectory(dir=folder, prefix="upload-", ignore_cleanup_errors=True) as scratch,
        ExitStack() as opened,
    ):
        form, files = _parse(Path(scratch), opened)
        came = [part for part in wanted if part in files]
        if not came:
            raise missing_part(wanted, [*files, *form])
        if len(came) > 1:
            raise BadRequestError(f"{' and '.join(came)}: expected one of them, got both")
        file = files[came[0]]
        file.stream.flush()
        yield Upload(Path(file.stream.name), file.filename or came[0], form.to_dict(), came[0])


def _parse(
    folder: Path, opened: ExitStack
) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    """Text parts and file parts; every file is left to `opened` to be closed."""

    def open_part(
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        place = folder / str(len([*folder.iterdir()]))
        place.mkdir()
        return opened.enter_context(
            (place / (secure_filename(filename or "") or "file")).open("w+b")
        )

    parser = FormDataParser(
        stream_factory=open_part,
        max_form_memory_size=request.max_form_memory_size,
        max_content_length=request.max_content_length,
        max_form_parts=request.max_form_parts,
        silent=False,
    )
    try:
        _, form, files = parser.parse(
            request.stream, MULTIPART, request.content_length, request.mimetype_params
        )
    except ValueError as error:
        raise BadRequestError(f"the multipart body is broken: {error}") from error
    return form, files
