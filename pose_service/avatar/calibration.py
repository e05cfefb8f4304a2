"""How far the measures of each body were off where the truth was known.

Found by `benchmarks/avatar_accuracy.py` on rendered photographs of random bodies;
docs/avatar-accuracy.md says how, and what they cannot tell.
"""

from dataclasses import dataclass
from types import MappingProxyType

from pose_service.avatar.shaped import BODY_NAME
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
            (0.0, 0.0391, 0.0579, 0.0336, 0.0147, 0.0341, 0.0137, 0.0401, 0.0354),
            (0.9839, 1.0408, 0.9666, 0.9557, 1.0072, 0.9647, 1.0314, 0.9505, 0.9453),
        ),
        Known(height=False, turn=False): _model(
            (0.0, 0.0178, 0.0548, 0.002, 0.0052, 0.002, 0.002, 0.002, 0.0255),
            (0.7516, 1.0175, 0.9203, 0.8084, 0.9991, 0.9209, 0.9008, 0.9508, 0.9628),
        ),
        Known(height=True, turn=True): _model(
            (0.0, 0.0446, 0.0606, 0.0317, 0.0172, 0.0368, 0.0132, 0.0359, 0.0325),
            (0.9845, 1.0487, 1.1093, 1.0864, 1.0545, 1.1923, 1.0392, 1.1646, 1.2335),
        ),
        Known(height=False, turn=True): _model(
            (0.0, 0.0384, 0.0663, 0.0075, 0.0297, 0.0216, 0.0242, 0.0207, 0.0286),
            (1.0071, 1.1316, 1.0512, 1.2752, 1.2613, 1.1995, 1.1257, 1.1232, 1.1917),
        ),
    }
)
