"""Where the limbs leave the trunk, and what is measured on limbs and neck."""

from dataclasses import dataclass

from pose_service.core.arrays import FloatArray
from pose_service.measurement.levels import lowest_at
from pose_service.measurement.parting import Axis, Parting, Parts, part, unit
from pose_service.measurement.records import Measure
from pose_service.measurement.sections import Sections
from pose_service.measurement.surface import RestBody

SIDES = ("left", "right")

# Half a tape's width as a share of the body's height: 9 mm of 175 cm. A tape below the armpit or
# around the thigh lies this far from where the limb begins.
HALF_TAPE = 0.005


def thigh_axis(body: RestBody, side: str) -> Axis:
    """From knee to hip."""
    return Axis(body.joint(f"{side}_knee"), body.joint(f"{side}_hip"))


def crotch(body: RestBody, sections: Sections) -> Parting:
    """Where the legs come together, in planes whose normal points from the knees to the hips."""
    left, right = (thigh_axis(body, side) for side in SIDES)
    knees_m, hips_m = (
        [float(end @ sections.normal) for end in ends]
        for ends in ((left.start_m, right.start_m), (left.end_m, right.end_m))
    )
    return part(sections, Parts(left, right, "the legs"), max(knees_m), min(hips_m))


@dataclass(frozen=True, eq=False)
class Armpit:
    """`point_m`: (3,) where arm and trunk come together. `outward`: (3,) from flank to arm."""

    point_m: FloatArray
    outward: FloatArray


def armpit(body: RestBody, side: str) -> Armpit:
    """Where the arm and the trunk come together.

    The planes are square to the line that halves the angle between arm and flank, so that the
    place is found at any angle from A to T.
    """
    arm = Axis(body.joint(f"{side}_shoulder"), body.joint(f"{side}_elbow"))
    trunk = Axis(body.joint("neck"), body.joint("pelvis"))
    sections = Sections(body, -unit(arm.direction + trunk.direction))
    offsets_m = [float(end @ sections.normal) for end in (arm.end_m, arm.start_m)]
    parting = part(sections, Parts(arm, trunk, f"the {side} arm and the trunk"), *offsets_m)
    return Armpit(parting.point_m, unit(arm.direction - trunk.direction))


def thigh(body: RestBody) -> Measure:
    """Girths square to the thigh, half a tape's width below where the legs come together."""
    return Measure(tuple(_thigh_tape(body, side) for side in SIDES), closed=True)


def _thigh_tape(body: RestBody, side: str) -> FloatArray:
    axis = thigh_axis(body, side)
    sections = Sections(body, axis.direction)
    offset_m = crotch(body, sections).offset_m - HALF_TAPE * body.height_m
    return sections.around(axis.at(sections.normal, offset_m)).tape_m


def neck(body: RestBody) -> Measure:
    """The least girth square to the line from neck to head joint, between the two."""
    axis = Axis(body.joint("neck"), body.joint("head"))
    sections = Sections(body, axis.direction)
    low_m, high_m = (float(end @ sections.normal) for end in (axis.start_m, axis.end_m))

    def girth_m(offset_m: float) -> float:
        return sections.around(axis.at(sections.normal, offset_m)).tape_length_m

    narrowest_m = lowest_at(girth_m, low_m, high_m)
    return Measure((sections.around(axis.at(sections.normal, narrowest_m)).tape_m,), closed=True)
