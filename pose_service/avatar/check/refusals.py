"""Why a picture will not do for an avatar, and what to change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pose_service.core.errors import PoseError


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a picture. `code` is stable; `hint` says what to change."""

    code: str
    message: str
    hint: str


NO_PERSON = Problem(
    "NO_PERSON",
    "No person detected in image",
    "Send a picture of one whole standing person, upright, in good light.",
)


class PictureRefusedError(PoseError):
    """No avatar can be made of this picture or clip; `code` is that of the first problem."""

    status = 422
    code = "PICTURE_REFUSED"

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> Self:
        """With everything that is wrong, so that one new picture is enough."""
        message = "; ".join(problem.message for problem in problems)
        hints = dict.fromkeys(problem.hint for problem in problems)
        return cls(message, hint=" ".join(hints), code=problems[0].code)
