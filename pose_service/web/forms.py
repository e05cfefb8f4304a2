"""What requests may hold, and sentences for what does not fit."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args

import orjson
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic.fields import FieldInfo

from pose_service.core.errors import BadRequestError
from pose_service.core.skeletons import SKELETONS
from pose_service.jobs.records import JobKind, JobOptions, JobState
from pose_service.legacy.downloads import FORMATS
from pose_service.rendering.style import NO_LAYERS, Layer, OverlayStyle
from pose_service.web.service import Service

LARGEST_INTEGER = 2**53 - 1
"""Beyond it JavaScript cannot tell integers apart."""

MOST_BOXES = 100
"""Of one picture, by the caller."""

MOST_SECONDS = 10_000_000

_SHOWN_CHARACTERS = 60

Count = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]
Decimals = Annotated[int, Field(ge=1, le=9)]


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _known(name: str) -> str:
    if name not in SKELETONS:
        raise ValueError("no joint set has this name")
    return name


def parsed_list(value: object) -> object:
    """A list, also where it comes as the text of one."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


Box = Annotated[list[float], Field(min_length=4, max_length=4)]
Boxes = Annotated[list[Box], BeforeValidator(parsed_list), Field(max_length=MOST_BOXES)]


def _split_layers(value: object) -> object:
    return [] if value == NO_LAYERS else _split(value)


LayerName = Literal["mesh", "skeleton", "boxes", "ids"]
Layers = Annotated[list[LayerName], BeforeValidator(_split_layers)]

SetName = Annotated[str, AfterValidator(_known)]
JointSets = Annotated[list[SetName], BeforeValidator(_split), Field(default_factory=list)]


States = Annotated[list[JobState], BeforeValidator(_split), Field(default_factory=list)]


class Form(BaseModel):
    """Fields are strict in JSON ("7" is no integer) and read from text in multipart bodies.

    Unknown fields are passed over. A field's description is what an error says was wanted.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class OverlayForm(Form):
    """How people are drawn."""

    layers: Layers = Field(
        list(get_args(LayerName)),
        description=f'a list of names out of {", ".join(Layer)}, or "{NO_LAYERS}"',
    )
    side_view: bool = Field(False, description="true or false")
    face_blur: bool = Field(False, description="true or false")

    @property
    def style(self) -> OverlayStyle:
        return OverlayStyle(frozenset(map(Layer, self.layers)), self.side_view, self.face_blur)


class FrameForm(OverlayForm):
    """Options of one picture: CONTRACT 3.2."""

    frame_number: int = Field(
        0, ge=0, le=LARGEST_INTEGER, description="an integer of 0 or more",
        validation_alias=AliasChoices("frame_number", "frameNumber"),
    )  # fmt: skip
    visualize: bool = Field(False, description="true or false")
    session_id: str | None = Field(None, max_length=200, description="text of at most 200 letters")
    faces: bool = Field(True, description="true or false")
    precision: Decimals = Field(5, description="an integer of 1 to 9")
    persons: bool = Field(False, description="true or false")
    thorough: bool = Field(False, description="true or false")
    joint_sets: JointSets = Field(description=f"a list of names out of {', '.join(SKELETONS)}")
    boxes: Boxes | None = Field(
        None, description=f"a list of at most {MOST_BOXES} boxes [x1, y1, x2, y2] in pixels"
    )


class PictureForm(FrameForm):
    """The same with the picture, as JSON carries it."""

    image_base64: str = Field(
        min_length=1, description="the bytes of a JPEG or PNG file as base64 text"
    )


class JobForm(Form):
    """What is agreed on for a job of any kind."""

    keep_days: float | None = Field(
        None, gt=0, le=36500, allow_inf_nan=False, description="a number of days above 0"
    )
    callback_url: str | None = Field(
        None, min_length=1, max_length=4096, description="an http or https address, as text"
    )


class OrderForm(JobForm):
    """What can be asked for every clip, whatever is made of it."""

    kind: ClassVar[JobKind] = JobKind.CLIP

    max_frames: Count | None = Field(None, description="an integer of 1 or more")
    later: bool = Field(False, validation_alias="async", description="true or false")
    merge_tracks: bool | None = Field(None, description="true or false")
    start: float = Field(
        0.0, ge=0, le=MOST_SECONDS, allow_inf_nan=False, description="seconds, 0 or more"
    )
    end: float | None = Field(
        None, gt=0, le=MOST_SECONDS, allow_inf_nan=False, description="seconds, more than 0"
    )
    every: int = Field(1, ge=1, le=1000, description="an integer of 1 to 1000")

    def options(self, here: Service) -> JobOptions:
        """What shapes the work on the clip; `end` comes after `start`."""
        merge = here.settings.merge_tracks
        return JobOptions(
            max_frames=self.max_frames,
            merge_tracks=merge if self.merge_tracks is None else self.merge_tracks,
            start_s=self.start,
            end_s=self.end,
            every=self.every,
        )

    def asked(self, here: Service) -> str:
        """JSON of what only clips of this kind are asked for."""
        return ""


class ClipForm(OrderForm):
    """Options of one clip: CONTRACT 3.5."""

    smooth: bool = Field(True, description="true or false")
    faces: Literal["each", "once", "none"] = Field("each", description='"each", "once" or "none"')
    mesh: bool = Field(True, description="true or false")
    precision: Decimals = Field(5, description="an integer of 1 to 9")
    raw: bool = Field(False, description="true or false")
    joint_sets: JointSets = Field(description=f"a list of names out of {', '.join(SKELETONS)}")

    def options(self, here: Service) -> JobOptions:
        return replace(
            super().options(here),
            smooth=self.smooth,
            faces=self.faces,
            mesh=self.mesh,
            precision=self.precision,
            joint_sets=tuple(self.joint_sets),
            raw=self.raw,
        )


class ClipUrlForm(ClipForm):
    """The same with an address that the clip is fetched from."""

    video_url: str = Field(
        min_length=1, max_length=4096, description="the address of a video file, as text"
    )


class ClipPathForm(ClipForm):
    """The same with the clip's path, as JSON carries it."""

    video_path: str = Field(
        min_length=1, max_length=4096, description="the path of a video file, as text"
    )


class OldClipForm(ClipForm, OverlayForm):
    """Options of the older clip routes."""

    output_format: Literal["file_path", "base64", "json"] = Field(
        "file_path", description='"file_path", "base64" or "json"'
    )


class JobsForm(Form):
    """Which jobs to list: in any of the states `state`, those that came before `before`."""

    state: States = Field(description=f"one or more of {', '.join(JobState)}, with , between")
    limit: int = Field(50, ge=1, le=500, description="an integer of 1 to 500")
    before: str | None = Field(None, max_length=64, description="the job_id of a job")


class EndForm(Form):
    """How a job is ended."""

    remove: bool = Field(False, description="true or false")


class SliceForm(Form):
    """Which frames of a finished clip: `first` included, `last` not."""

    first: int = Field(0, ge=0, validation_alias="from", description="an integer of 0 or more")
    last: int | None = Field(
        None, ge=0, validation_alias="to", description="an integer of 0 or more"
    )


class ResultForm(SliceForm):
    """In which form a finished clip is wanted; the slice is that of `json` and `ndjson`."""

    format: str = Field("json", max_length=40, description=f"one of {', '.join(FORMATS)}")
    track: Count | None = Field(None, description="the track_id of somebody in the clip")
    mesh: bool | None = Field(None, description="true or false")
    faces: Literal["each", "once", "none"] | None = Field(
        None, description='"each", "once" or "none"'
    )
    precision: Decimals | None = Field(None, description="an integer of 1 to 9")


AnyForm = TypeVar("AnyForm", bound=Form)


def read_form(form: type[AnyForm], fields: Mapping[str, Any], *, text: bool = False) -> AnyForm:
    """`fields` as a `form`; with `text` every value is text and an empty one counts as not sent.

    Raises `BadRequestError` that names the field, what was wanted and what came.
    """
    if text:
        fields = {name: value for name, value in fields.items() if value.strip()}
    try:
        return form.model_validate(dict(fields), strict=not text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadRequestError(
            _sentence(form, first["loc"], first["type"], first["input"])
        ) from None


def _sentence(form: type[Form], place: tuple[int | str, ...], kind: str, came: object) -> str:
    name = str(place[0])
    wanted = _field(form, name).description
    if kind == "missing" and len(place) == 1:
        return f"{name} is missing: expected {wanted}"
    return f"{name}: expected {wanted}, got {shown(came)}"


def _field(form: type[Form], name: str) -> FieldInfo:
    for field_name, field in form.model_fields.items():
        alias = field.validation_alias
        aliases = alias.choices if isinstance(alias, AliasChoices) else [alias]
        if name == field_name or name in aliases:
            return field
    raise KeyError(name)


def shown(value: object) -> str:
    """What came, in the words of JSON and not too long.

    >>> shown("x" * 100), shown(None), shown({}), shown(-3)
    ("text of 100 letters beginning 'xxxxxxxxxxxxxxxx'", 'null', 'an object', '-3')
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return f"text of {len(value)} letters beginning {value[:16]!r}"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else f"a list of {len(value)}"
    return repr(value)
