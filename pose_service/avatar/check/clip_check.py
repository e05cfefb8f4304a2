"""Which pictures of a clip an avatar can be made of. A turn shows sides and back, too."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pose_service.avatar.check.examined import Examined
from pose_service.avatar.check.one_person import of_one_person
from pose_service.avatar.check.picture_check import examine
from pose_service.avatar.check.refusals import NO_PERSON, PictureRefusedError, Problem
from pose_service.blazeface.detector import FaceDetector
from pose_service.core.arrays import ImageArray
from pose_service.core.records import Observation

_NO_FACE = "NO_FACE"


@dataclass(frozen=True)
class ClipExamined:
    """What every picture of a clip shows; at least one is usable and shows the face."""

    pictures: tuple[Examined, ...]

    @property
    def places(self) -> tuple[int, ...]:
        """Of the usable pictures, ascending: nothing is wrong but that the face may be away."""
        return tuple(place for place, one in enumerate(self.pictures) if _is_usable(one))

    @property
    def people(self) -> tuple[Observation, ...]:
        """The main person in each usable picture."""
        return tuple(one.person for one in self.pictures if _is_usable(one) and one.person)

    @property
    def best(self) -> int:
        """The place of the usable picture with the surest face."""
        return max(self.places, key=lambda place: self.pictures[place].face_score)

    def report(self) -> dict[str, Any]:
        """For JSON: that of the best picture, and how many of the others are wrong in which way."""
        refused = Counter(one.codes[0] for one in self.pictures if not _is_usable(one))
        return {
            **self.pictures[self.best].report(),
            "pictures": len(self.pictures),
            "usable_pictures": len(self.places),
            "pictures_with_face": sum(self.pictures[i].face is not None for i in self.places),
            "refused_pictures": dict(refused.most_common()),
        }


def check_clip_sights(
    sights: Iterable[tuple[ImageArray, Sequence[Observation]]], faces: FaceDetector
) -> ClipExamined:
    """The pictures of one clip with everybody in each, looked at one after the other.

    `PictureRefusedError` where none is usable, for what is wrong with most, or none shows a face; a
    picture by itself is refused as by `check_picture`. In every picture the largest person is the
    main one, and must be the same in all that are used.
    """
    pictures = [examine(image, seen, faces) for image, seen in sights]
    clip = ClipExamined(of_one_person(pictures))
    if len(clip.pictures) == 1 and clip.pictures[0].problems:
        raise PictureRefusedError.of(clip.pictures[0].problems)
    if not clip.places:
        raise PictureRefusedError.of([_most_wrong(clip.pictures)])
    if clip.pictures[clip.best].face is None:
        count = len(clip.places)
        message = f"no face is seen in any of the {count} pictures that could be used"
        hint = "Begin the clip with the face to the camera, in good light, then turn slowly."
        raise PictureRefusedError.of([Problem(_NO_FACE, message, hint)])
    return clip


def _most_wrong(pictures: Sequence[Examined]) -> Problem:
    """What most pictures with somebody in them are refused for."""
    first = [one.problems[0] for one in pictures]
    somebody = [problem for problem in first if problem.code != NO_PERSON.code]
    if not somebody:
        return first[0] if first else NO_PERSON
    code, count = Counter(problem.code for problem in somebody).most_common(1)[0]
    example = next(problem for problem in somebody if problem.code == code)
    message = f"none of {len(pictures)} pictures can be used; in {count} {example.message}"
    return Problem(code, message, example.hint)


def _is_usable(one: Examined) -> bool:
    return set(one.codes) <= {_NO_FACE}
