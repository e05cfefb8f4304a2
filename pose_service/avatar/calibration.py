"""How far the measures of each body were off where the truth was known.

Found by `benchmarks/avatar_accuracy.py` on rendered photographs of random bodies;
docs/avatar-accuracy.md says how, and what they cannot tell.
"""

from dataclasses import dataclass
from types import MappingProxyType

from pose_service.avatar.free.shaped import BODY_NAME
from pose_service.measurement.bounds import ErrorModel
from pose_service.measurement.records import MEASURES


@dataclass(frozen=True)
class Known:
    """What is known beside the picture: a given height, and more sights than one."""

    height: bool
    turn: bool


def error_model(body_name: str, known: Known) -> ErrorModel:
    """The calibrated errors of a body, or the assumed ones where nobody calibrated it."""
    if body_name == BODY_NAME:
        return _FREE_BODY[known]
    return ErrorModel()


def _model(shared_sd: tuple[float, ...], widening: tuple[float, ...]) -> ErrorModel:
    """Numbers in the order of `MEASURES`."""
    return ErrorModel(
        shared_sd=dict(zip(MEASURES, shared_sd, strict=True)),
        widening=dict(zip(MEASURES, widening, strict=True)),
        calibrated=True,
    )


# height, chest, waist, hip, inseam, shoulder width, arm length, thigh, neck
_FREE_BODY = MappingProxyType(
    {
        Known(height=True, turn=False): _model(
            (0.0, 0.0388, 0.0556, 0.0326, 0.0146, 0.0345, 0.0144, 0.039, 0.0336),
            (0.9763, 1.0639, 0.9981, 0.9198, 1.0037, 0.9772, 1.0218, 0.9685, 0.9803),
        ),
        Known(height=False, turn=False): _model(
            (0.0, 0.0146, 0.0512, 0.002, 0.0079, 0.002, 0.002, 0.002, 0.0186),
            (0.7511, 1.0317, 0.9227, 0.8204, 0.9767, 0.9209, 0.8965, 0.9508, 0.9768),
        ),
        Known(height=True, turn=True): _model(
            (0.0, 0.0318, 0.0444, 0.0303, 0.011, 0.0301, 0.0266, 0.0299, 0.0266),
            (1.1593, 1.0228, 1.0313, 1.0444, 1.0079, 1.1484, 1.24, 1.0201, 1.116),
        ),
        Known(height=False, turn=True): _model(
            (0.0, 0.002, 0.033, 0.002, 0.0231, 0.002, 0.033, 0.002, 0.002),
            (0.9015, 1.0894, 1.1693, 0.8564, 1.253, 0.9255, 0.9891, 1.1285, 0.849),
        ),
    }
)
