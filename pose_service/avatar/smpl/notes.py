"""What the caller of a fitted SMPL body should know, in whole sentences."""

from pose_service.avatar.people import CHILD_BELOW_CM
from pose_service.avatar.records import Gender, RestMesh, Wish
from pose_service.avatar.smpl.weight import mass_kg

# more than lungs and clothes explain
_MASS_OFF = 0.12


def smpl_notes(wish: Wish, rest: RestMesh) -> tuple[str, ...]:
    """Of `rest`, the body that was fitted as `wish` says."""
    notes = []
    if wish.gender is not Gender.NEUTRAL:
        notes.append(
            f"The network sees SMPL's neutral body; this is the {wish.gender.value} body whose "
            "surface comes nearest to it."
        )
    if wish.height_cm is not None and wish.height_cm < CHILD_BELOW_CM:
        notes.append("SMPL's bodies are adults': a child's proportions are beyond them.")
    if wish.weight_kg is not None:
        notes += _of_weight(wish.weight_kg, rest, height_given=wish.height_cm is not None)
    return tuple(notes)


def _of_weight(weight_kg: float, rest: RestMesh, *, height_given: bool) -> list[str]:
    if not height_given:
        return ["The weight was not used: without a height it says nothing about the build."]
    fitted_kg = mass_kg(rest.vertices_m, rest.faces)
    if abs(fitted_kg / weight_kg - 1) <= _MASS_OFF:
        return []
    return [
        f"The body comes to about {fitted_kg:.0f} kg, not the {weight_kg:.0f} kg given: check the "
        "weight, the height and loose clothes."
    ]
