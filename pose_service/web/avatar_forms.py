"""What requests for avatars may hold."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pose_service.avatar.records import Gender, Wish
from pose_service.web.forms import LARGEST_INTEGER, Form, JobForm

LOWEST_CM, HIGHEST_CM = 60, 260
"""From a child that can just stand to the tallest people alive, with some room."""

LIGHTEST_KG, HEAVIEST_KG = 4, 400
LONGEST_ID = 128
RESERVED_IDS = ("job", ".", "..")
"""Parts of the routes' own paths."""


def _sane(user_id: str) -> str:
    """It is part of addresses, never of paths on a disk."""
    odd = not user_id.isprintable() or user_id != user_id.strip() or {"/", "\\"} & set(user_id)
    if odd or user_id in RESERVED_IDS:
        raise ValueError("not an id")
    return user_id


UserId = Annotated[str, AfterValidator(_sane)]


class AvatarForm(JobForm):
    """Whose avatar it is, and what is known of the person."""

    user_id: UserId = Field(
        min_length=1,
        max_length=LONGEST_ID,
        description=f"text of 1 to {LONGEST_ID} printable letters without / and \\, not"
        f" {', '.join(RESERVED_IDS)}",
    )
    gender: Literal["male", "female", "neutral"] = Field(
        description='"male", "female" or "neutral"'
    )
    height_cm: float | None = Field(
        None,
        ge=LOWEST_CM,
        le=HIGHEST_CM,
        allow_inf_nan=False,
        description=f"centimetres, {LOWEST_CM} to {HIGHEST_CM}",
    )
    weight_kg: float | None = Field(
        None,
        ge=LIGHTEST_KG,
        le=HEAVIEST_KG,
        allow_inf_nan=False,
        description=f"kilograms, {LIGHTEST_KG} to {HEAVIEST_KG}",
    )

    @property
    def wish(self) -> Wish:
        return Wish(Gender(self.gender), self.height_cm, self.weight_kg)


class AvatarPictureForm(AvatarForm):
    """The same with the photograph, as JSON carries it."""

    image_base64: str = Field(
        min_length=1, description="the bytes of a JPEG or PNG file as base64 text"
    )


class AvatarPathForm(AvatarForm):
    """The same with a clip's path."""

    video_path: str = Field(
        min_length=1, max_length=4096, description="the path of a video file, as text"
    )


class AvatarUrlForm(AvatarForm):
    """The same with an address that the clip is fetched from."""

    video_url: str = Field(
        min_length=1, max_length=4096, description="the address of a video file, as text"
    )


class VersionForm(Form):
    """Which version of an avatar; the newest if none is named."""

    version: int | None = Field(
        None, ge=1, le=LARGEST_INTEGER, description="an integer of 1 or more"
    )
