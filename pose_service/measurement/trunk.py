"""Chest, waist and hip: level girths of the trunk between the crotch and the armpits."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from pose_service.measurement.levels import highest_at, lowest_at
from pose_service.measurement.limbs import HALF_TAPE, Armpit
from pose_service.measurement.loops import Loop
from pose_service.measurement.parting import Axis, Parting
from pose_service.measurement.records import Measure
from pose_service.measurement.sections import Sections
from pose_service.measurement.surface import RestBody

# Where to look, as shares of the way from the crotch (0) to the armpits (1). The waist lies between
# the crests of the hip bones and the lowest ribs, the widest chest above the ribs' arch, the widest
# hips below the crests.
_HIP_TOP = 0.40
_WAIST = (0.42, 0.72)
_CHEST_BOTTOM = 0.75


@dataclass(frozen=True, eq=False)
class Trunk:
    """The trunk of `body`: `upright`, its level planes, and where legs and arms leave it."""

    body: RestBody
    upright: Sections
    crotch: Parting
    armpits: tuple[Armpit, ...]

    @property
    def crotch_m(self) -> float:
        """Offset of the crotch's level."""
        return self.crotch.offset_m

    @cached_property
    def armpit_m(self) -> float:
        """Offset of the lower armpit's level."""
        return min(float(armpit.point_m @ self.body.up) for armpit in self.armpits)

    def chest(self) -> Measure:
        """The widest girth from the armpits down that takes in no part of an arm."""
        return self._measure(highest_at, self._armless_girth_m, (_CHEST_BOTTOM, 1.0))

    def waist(self) -> Measure:
        """The narrowest girth between hip bones and ribs."""
        return self._measure(lowest_at, self._girth_m, _WAIST)

    def hip(self) -> Measure:
        """The widest girth between the crotch and the hip bones."""
        return self._measure(highest_at, self._girth_m, (0.0, _HIP_TOP))

    def _measure(
        self,
        place: Callable[[Callable[[float], float], float, float], float],
        value: Callable[[float], float],
        window: tuple[float, float],
    ) -> Measure:
        lowest_m, highest_m = self.crotch_m, self.armpit_m
        margin_m = HALF_TAPE * self.body.height_m
        low_m, high_m = (lowest_m + share * (highest_m - lowest_m) for share in window)
        # clear of the very levels where the limbs begin
        low_m, high_m = max(low_m, lowest_m + margin_m), min(high_m, highest_m - margin_m)
        if low_m >= high_m:
            raise ValueError(
                f"expected a trunk between crotch and armpits, got {highest_m - lowest_m:.3g} m of "
                "it: the joints are another body's or in another order"
            )
        level_m = place(value, low_m, high_m)
        if value(level_m) == 0:
            raise ValueError(
                "the trunk has no girth free of the arms. Expected a T- or A-like pose"
            )
        return Measure((self._loop(level_m).tape_m,), closed=True)

    @cached_property
    def _axis(self) -> Axis:
        return Axis(self.body.joint("pelvis"), self.body.joint("neck"))

    def _loop(self, offset_m: float) -> Loop:
        return self.upright.around(self._axis.at(self.upright.normal, offset_m))

    def _girth_m(self, offset_m: float) -> float:
        return self._loop(offset_m).tape_length_m

    def _armless_girth_m(self, offset_m: float) -> float:
        """The girth, or nothing where the loop goes out along an arm."""
        loop = self._loop(offset_m)
        margin_m = 2 * HALF_TAPE * self.body.height_m
        reaches_m = [
            float(((loop.tape_m - armpit.point_m) @ armpit.outward).max())
            for armpit in self.armpits
        ]
        return loop.tape_length_m if max(reaches_m) < margin_m else 0.0
