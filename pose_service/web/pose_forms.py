"""What a request for the keypoints of a clip may hold."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from pose_service.biomechanics.angles import ANGLES
from pose_service.biomechanics.events import AngleLimit
from pose_service.jobs.records import JobKind, JobOptions
from pose_service.legacy.pose_files import FORMATS
from pose_service.pipeline.keypoint_wish import CUTOFF_HZ, Angles, KeypointWish
from pose_service.web.forms import Count, Form, OrderForm, SliceForm, parsed_list
from pose_service.web.service import Service

MOST_LIMITS = 100
JSON_FORMAT = "json"

_ANGLE = "|".join(ANGLES)


class LimitForm(Form):
    """A row of the table of dangerous angles."""

    angle: str = Field(pattern=f"^({_ANGLE})$")
    name: str = Field("", max_length=100)
    low_deg: float | None = Field(None, ge=0, le=180, allow_inf_nan=False)
    high_deg: float | None = Field(None, ge=0, le=180, allow_inf_nan=False)
    least_s: float = Field(0.0, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _has_a_side(self) -> Self:
        if self.low_deg is None and self.high_deg is None:
            raise ValueError("low_deg or high_deg")
        if self.low_deg is not None and self.high_deg is not None and self.low_deg > self.high_deg:
            raise ValueError("low_deg above high_deg: every angle would be outside")
        return self

    @property
    def limit(self) -> AngleLimit:
        name = self.name or self.angle
        return AngleLimit(name, self.angle, self.low_deg, self.high_deg, self.least_s)


Limits = Annotated[
    list[LimitForm],
    BeforeValidator(parsed_list),
    Field(default_factory=list, max_length=MOST_LIMITS),
]


class PoseForm(OrderForm):
    """Options of one clip of keypoints."""

    kind: ClassVar[JobKind] = JobKind.POSE

    video: bool = Field(False, description="true or false")
    data: bool = Field(True, description="true or false")
    confidence: float | None = Field(
        None, ge=0, le=1, allow_inf_nan=False, description="a number from 0 to 1"
    )
    angles: Literal["auto", "2d", "3d"] = Field("auto", description='"auto", "2d" or "3d"')
    smoothing: bool = Field(True, description="true or false")
    cutoff_hz: float = Field(
        CUTOFF_HZ, ge=0.5, le=100, allow_inf_nan=False, description="a number of Hz from 0.5 to 100"
    )
    limits: Limits = Field(
        description=f"a list of at most {MOST_LIMITS} objects with angle (one of"
        f" {', '.join(ANGLES)}), low_deg or high_deg or both (0 to 180), and name and least_s if"
        " wanted"
    )
    compare_with: str | None = Field(
        None, min_length=1, max_length=64, description="the job_id of another clip sent to /pose"
    )

    def options(self, here: Service) -> JobOptions:
        return replace(super().options(here), smooth=self.smoothing)

    def asked(self, here: Service) -> str:
        threshold = here.nets_config.performance.confidence_threshold
        return KeypointWish(
            video=self.video,
            data=self.data,
            confidence=threshold if self.confidence is None else self.confidence,
            angles=Angles(self.angles),
            cutoff_hz=self.cutoff_hz if self.smoothing else None,
            limits=tuple(row.limit for row in self.limits),
            compare_with=self.compare_with,
        ).to_json()


class PoseUrlForm(PoseForm):
    """The same with an address that the clip is fetched from."""

    video_url: str = Field(
        min_length=1, max_length=4096, description="the address of a video file, as text"
    )


class PosePathForm(PoseForm):
    """The same with the clip's path, as JSON carries it."""

    video_path: str = Field(
        min_length=1, max_length=4096, description="the path of a video file, as text"
    )


class PoseResultForm(SliceForm):
    """In which form a finished clip is wanted; the slice is that of `json`."""

    format: str = Field(
        JSON_FORMAT, max_length=40, description=f"one of {', '.join((JSON_FORMAT, *FORMATS))}"
    )
    track: Count | None = Field(None, description="the track_id of somebody in the clip")
