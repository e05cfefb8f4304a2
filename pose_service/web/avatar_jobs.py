"""From a request to the job that makes an avatar."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pose_service.avatar.asked import asked_of
from pose_service.core.errors import BadImageError, BadRequestError, TooLargeError
from pose_service.jobs.records import Job, JobKind
from pose_service.jobs.service import Order
from pose_service.jobs.sources import check_source
from pose_service.media.decode import open_clip
from pose_service.media.images import base64_bytes, decode_image
from pose_service.media.paths import resolve_media_path
from pose_service.media.signatures import kind_of
from pose_service.web.avatar_forms import (
    AvatarForm,
    AvatarPathForm,
    AvatarPictureForm,
    AvatarUrlForm,
)
from pose_service.web.bodies import is_multipart, json_object
from pose_service.web.clip_jobs import submit_order
from pose_service.web.forms import read_form
from pose_service.web.limits import MEGABYTE
from pose_service.web.service import service
from pose_service.web.uploads import received_parts

PICTURE, CLIP = "image", "video"
_JSON_SOURCES = ("image_base64", "video_path", "video_url")


def submitted() -> Job:
    """The job of the request in hand; what is no picture and no clip is refused at once."""
    if not is_multipart():
        return _from_json()
    hint = f"Send a photograph as the file part {PICTURE!r} of a form, or a clip as {CLIP!r}."
    with received_parts(service().uploads_dir, hint) as parts:
        upload = parts.file(PICTURE, CLIP)
        form = read_form(AvatarForm, upload.fields, text=True)
        (_check_picture if upload.part == PICTURE else _check_clip)(upload.path)
        return _submit(Order(upload.name, upload=upload.path), form)


def _from_json() -> Job:
    fields = json_object(or_multipart=True)
    came = [name for name in _JSON_SOURCES if name in fields]
    if len(came) > 1:
        raise BadRequestError(f"{' and '.join(came)}: expected one of them")
    settings = service().settings
    if came == ["video_url"]:
        from_web = read_form(AvatarUrlForm, fields)
        shown = check_source(from_web.video_url, settings)
        return _submit(Order(shown, source=from_web.video_url), from_web)
    if came == ["video_path"]:
        form = read_form(AvatarPathForm, fields)
        roots, path_map = settings.media_roots, settings.path_map
        source = resolve_media_path(form.video_path, roots=roots, path_map=path_map)
        _check_clip(source)
        return _submit(Order(form.video_path, source=str(source)), form)
    return _from_picture(read_form(AvatarPictureForm, fields))


def _from_picture(form: AvatarPictureForm) -> Job:
    data = base64_bytes(form.image_base64)
    name = f"image.{kind_of(data).lower() or 'bin'}"
    with TemporaryDirectory(
        dir=service().uploads_dir, prefix="upload-", ignore_cleanup_errors=True
    ) as scratch:
        path = Path(scratch) / name
        path.write_bytes(data)
        _check_picture(path)
        return _submit(Order(name, upload=path), form)


def _submit(order: Order, form: AvatarForm) -> Job:
    asked = asked_of(form.wish)
    own = replace(order, kind=JobKind.AVATAR, asked=asked, user_id=form.user_id)
    return submit_order(own, form)


def _check_picture(path: Path) -> None:
    settings = service().settings
    if path.stat().st_size > settings.max_body_mb * MEGABYTE:
        raise TooLargeError(
            f"the picture has {path.stat().st_size / MEGABYTE:.1f} MB, at most"
            f" {settings.max_body_mb} MB are taken",
            hint="Send a smaller picture, or raise POSE_MAX_BODY_MB.",
        )
    data = path.read_bytes()
    if kind_of(data) == "video":
        raise BadImageError(
            "expected a picture, got a video file", hint=f"Send a clip as the file part {CLIP!r}."
        )
    decode_image(data, max_pixels=settings.max_pixels, turn_by_exif=True)


def _check_clip(path: Path) -> None:
    open_clip(path, max_pixels=service().settings.max_pixels)
