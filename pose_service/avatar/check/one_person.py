"""Whether the main person of every picture of a clip is the same one."""

from collections.abc import Sequence
from dataclasses import replace

from pose_service.avatar.check.examined import Examined
from pose_service.avatar.check.refusals import Problem
from pose_service.blazepose.boxes import iou
from pose_service.tracking.colours import likeness

_ALIKE = 0.7
"""Of the torso's colours; the trackers' line."""

_STAYED_IOU = 0.5
"""Who turns in front of a camera stays where he is, though front and back differ in colour."""

_OTHER = Problem(
    "OTHER_PERSON",
    "the main person is another one than in most of the clip",
    "Film one person alone, near the camera all the time.",
)


def of_one_person(pictures: Sequence[Examined]) -> tuple[Examined, ...]:
    """`pictures`, in order; those with another main person than the clip's have that problem first.

    Pictures that show nobody, or in which it is not clear who is meant, stay as they are. The
    clip's person is the one whose faces are the surest in sum.
    """
    groups: list[list[int]] = []
    for place, one in enumerate(pictures):
        if one.person is None:
            continue
        known = next((group for group in groups if _same(pictures[group[-1]], one)), None)
        if known is None:
            groups.append([place])
        else:
            known.append(place)
    main = max(
        groups, default=[], key=lambda group: sum(pictures[place].face_score for place in group)
    )
    others = {place for group in groups if group is not main for place in group}
    return tuple(
        replace(one, problems=(_OTHER, *one.problems)) if place in others else one
        for place, one in enumerate(pictures)
    )


def _same(before: Examined, after: Examined) -> bool:
    """Alike in the colours of the torso, or at the same place."""
    if before.person is None or after.person is None:
        return False
    shared = iou(before.person.box_xyxy_px, after.person.box_xyxy_px[None])[0]
    return bool(shared >= _STAYED_IOU or likeness(before.colours, after.colours) >= _ALIKE)
