"""What the caller of a fitted free body should know, in whole sentences."""

from collections.abc import Sequence

from pose_service.avatar.free.body_maker import mass_kg, stature_m
from pose_service.avatar.free.posture import stands
from pose_service.avatar.free.shape_prior import is_child
from pose_service.avatar.people import CHILD_BELOW_CM
from pose_service.avatar.records import Sight, Wish
from pose_service.bodies.anny import AnnyBody
from pose_service.core.records import BodyPoses

# more than lungs, clothes and the fit's own errors explain
_MASS_OFF = 0.12


def free_body_notes(
    sights: Sequence[Sight], wish: Wish, body: AnnyBody, pose: BodyPoses
) -> tuple[str, ...]:
    """Of `body`, fitted to `sights` as `wish` says; `pose` is the first sight's."""
    notes = ["The body is the free body Anny; its parameters are not SMPL's."]
    height_cm = 100 * stature_m(body)
    if wish.height_cm is None:
        notes.append(
            f"No height was given: {height_cm:.0f} cm is the average of adults of this build, "
            "and all measures grow with it. Send height_cm."
        )
    if is_child(wish):
        notes.append(
            f"A height below {CHILD_BELOW_CM:.0f} cm was taken for a child's: a child's body was "
            "fitted. Its error bands were found on adults."
        )
    if len(sights) == 1:
        notes.append(
            "One photograph shows how wide a body is, not how deep: girths lean on how people are "
            "built. A short turn tells a little more."
        )
    outlined = [sight.observation.mask is not None for sight in sights]
    if not all(outlined):
        notes.append("Where no outline of the person is known, girths are those of average people.")
    if any(outlined):
        notes.append(
            "About a centimetre of cloth is allowed for: thick or loose clothes are measured as "
            "body, beyond the bands. Wear close ones."
        )
    if not stands(body, pose):
        notes.append(
            "The person does not stand upright; the bands are of people who do. Stand with legs "
            "straight, arms a little away from the body."
        )
    if wish.weight_kg is not None and abs(mass_kg(body) / wish.weight_kg - 1) > _MASS_OFF:
        notes.append(
            f"The body that the pictures show would weigh about {mass_kg(body):.0f} kg, not the "
            f"{wish.weight_kg:.0f} kg given: check the weight, the height and loose clothes."
        )
    return tuple(notes)
