"""Single pictures: /pose/hybrid and /pose, which takes clips too."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, request

from pose_service.core.arrays import ImageArray
from pose_service.core.errors import BadRequestError
from pose_service.core.records import Frame, Look, TrackedFrame
from pose_service.legacy.frame import Fields, frame_answer
from pose_service.legacy.options import AnswerOptions, Faces
from pose_service.legacy.views import view_frames
from pose_service.media.images import decode_base64_image, decode_image, encode_jpeg
from pose_service.pipeline.asked import Asked
from pose_service.pipeline.drawing import draw_frame
from pose_service.pipeline.frame_memory import ASSUMED_FPS
from pose_service.pipeline.image import Picture
from pose_service.pipeline.session import SessionFrame, SessionKey, SessionStore
from pose_service.web.answers import json_answer
from pose_service.web.bodies import file_part, is_multipart, json_object
from pose_service.web.boxes import known_boxes
from pose_service.web.forms import FrameForm, PictureForm, read_form
from pose_service.web.limits import expect_body_size
from pose_service.web.pose_clips import answer_named_clip, answer_sent_clip, names_a_clip
from pose_service.web.request_log import note
from pose_service.web.service import Service, service
from pose_service.web.uploads import received_parts

blueprint = Blueprint("frames", __name__)


@dataclass(frozen=True)
class FrameRequest:
    """One picture and what is wanted of it. `image`: (height, width, 3) RGB."""

    image: ImageArray
    form: FrameForm

    def question(self, sessions: SessionStore, key: SessionKey) -> Asked:
        """What the nets are asked. A thorough look and known boxes are at this picture alone."""
        number = self.form.frame_number
        frame = Frame(number, number / ASSUMED_FPS, self.image)
        boxes = known_boxes(self.form.boxes, frame.width_px, frame.height_px)
        if self.form.thorough or boxes is not None:
            return Picture(frame, Look.THOROUGH if self.form.thorough else Look.PICTURE, boxes)
        return SessionFrame(frame, key, sessions)

    def options(self, *, mesh: bool) -> AnswerOptions:
        return AnswerOptions(
            faces=Faces.EACH if self.form.faces else Faces.NONE,
            mesh=mesh,
            precision=self.form.precision,
            persons=self.form.persons,
            joint_sets=tuple(self.form.joint_sets),
        )


@blueprint.post("/pose/hybrid")
def pose_hybrid() -> Response:
    """The person in a picture, with the mesh."""
    return _answer(_multipart_request() if is_multipart() else _json_request(), mesh=True)


@blueprint.post("/pose")
def pose() -> Response:
    """A clip to keypoints and how they move; or a picture, as above without the mesh.

    Without it `has_3d` is false and the answer is small.
    """
    if is_multipart():
        return _pose_of_parts()
    fields = json_object(or_multipart=True)
    if names_a_clip(fields):
        return answer_named_clip(fields)
    if "image_base64" not in fields:
        raise BadRequestError(
            "image_base64 is missing: expected a picture in it, or a clip by video_url or"
            " video_path"
        )
    return _answer(picture_request(service(), fields), mesh=False)


def _pose_of_parts() -> Response:
    here = service()
    with received_parts(here.uploads_dir, "") as parts:
        if "video" in parts.files:
            # a picture beside a clip is refused: one of them would go unanswered
            return answer_sent_clip(parts.file("video", "frame", "image"))
        expect_body_size(sum(sent.path.stat().st_size for sent in parts.files.values()))
        # who sends both means the first, as on /pose/hybrid
        part = parts.files.get("frame") or parts.file("frame", "image", "video")
        asked = _sent_picture(part.path.read_bytes(), parts.fields)
    return _answer(asked, mesh=False)


def _answer(asked: FrameRequest, *, mesh: bool) -> Response:
    here = service()
    # the two routes may be sent the same clip: each follows it in a session of its own
    key = SessionKey(asked.form.session_id, f"{request.remote_addr} {request.path}")
    (tracked,) = here.people_in([asked.question(here.sessions, key)])
    answer = answer_fields(here, asked, tracked, asked.options(mesh=mesh))
    note(outcome=answer["provenance"] or answer["error"])
    return json_answer(answer)


def answer_fields(
    here: Service, asked: FrameRequest, tracked: TrackedFrame, options: AnswerOptions
) -> Fields:
    """The 3.2 body, with a drawing where one was asked for."""
    maker = here.maker()
    here.metrics.saw(tracked, "picture")
    here.metrics.took("picture", "nets", tracked.processing_ms / 1000)
    with here.metrics.timed("picture", "answer"):
        everybody, mesh = options.everybody, options.mesh
        (views,) = view_frames(maker.body, [tracked], everybody=everybody, mesh=mesh)
        answer = frame_answer(maker, tracked, views, options)
    if asked.form.visualize:
        with here.metrics.timed("picture", "drawing"):
            drawn = draw_frame(maker.body, asked.image, tracked, asked.form.style)
            answer["visualization"] = _data_uri(drawn)
    return answer


def picture_request(here: Service, fields: Fields) -> FrameRequest:
    """A picture as JSON carries it, pixels as they lie in the file."""
    form = read_form(PictureForm, fields)
    max_pixels = here.settings.max_pixels
    with here.metrics.timed("picture", "decoding"):
        image = decode_base64_image(form.image_base64, max_pixels=max_pixels, turn_by_exif=False)
    return FrameRequest(image, form)


def _data_uri(image: ImageArray) -> str:
    """`image` as a JPEG in a `data:` address, which the back end forwards as it is."""
    return "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(image)).decode("ascii")


def _json_request() -> FrameRequest:
    return picture_request(service(), json_object(or_multipart=True))


def _multipart_request() -> FrameRequest:
    part = file_part("frame", "image")
    return _sent_picture(part.stream.read(), request.form)


def _sent_picture(data: bytes, fields: Mapping[str, str]) -> FrameRequest:
    """A picture as the phone sends it: turned upright by its own EXIF mark."""
    form = read_form(FrameForm, fields, text=True)
    note(frame_number=form.frame_number)
    here = service()
    with here.metrics.timed("picture", "decoding"):
        image = decode_image(data, max_pixels=here.settings.max_pixels, turn_by_exif=True)
    return FrameRequest(image, form)
