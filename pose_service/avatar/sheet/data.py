"""What a measurement sheet is drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pose_service.avatar.records import FittedBody
from pose_service.measurement.bounds import Bound
from pose_service.measurement.records import MEASURES, Measurements

# what separates the body that was measured from the one that is drawn: rounding alone
_SAME_HEIGHT = 1e-3


@dataclass(frozen=True)
class SheetCaption:
    """What the page says beside the body. `subject`: who it is. `made_at`: printed if given."""

    title: str = "Body measurements"
    subject: str = ""
    made_at: datetime | None = None


@dataclass(frozen=True, eq=False)
class SheetData:
    """All that the page shows. `measurements` are of `fitted.rest`, `bounds` theirs, by name."""

    fitted: FittedBody
    measurements: Measurements
    bounds: Mapping[str, Bound]
    caption: SheetCaption = field(default_factory=SheetCaption)

    def __post_init__(self) -> None:
        if missing := [name for name in MEASURES if name not in self.bounds]:
            raise ValueError(f"bounds: expected all nine measures, {', '.join(missing)} missing")
        heights_m = self.fitted.rest.vertices_m[:, 1]
        height_cm = 100 * float(heights_m.max() - heights_m.min())
        measured_cm = self.measurements.height.value_cm
        if abs(measured_cm - height_cm) > _SAME_HEIGHT * height_cm:
            raise ValueError(
                f"measurements: expected those of the body that is {height_cm:.1f} cm tall, got a "
                f"height of {measured_cm:.1f} cm"
            )
