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
            (0.0, 0.0358, 0.0538, 0.0306, 0.0144, 0.0314, 0.0154, 0.0391, 0.0265),
            (0.8359, 1.1296, 1.0561, 0.904, 1.082, 1.1156, 1.2714, 0.982, 1.0679),
        ),
        Known(height=False, turn=False): _model(
            (0.0, 0.0164, 0.0478, 0.002, 0.0277, 0.002, 0.0149, 0.002, 0.0197),
            (0.8439, 1.0591, 0.952, 0.9087, 0.9782, 1.0483, 0.9969, 0.9729, 1.0629),
        ),
        Known(height=True, turn=True): _model(
            (0.0, 0.0195, 0.0318, 0.0191, 0.0145, 0.0178, 0.0111, 0.0219, 0.0147),
            (0.8845, 0.8951, 0.9071, 1.0074, 1.0093, 1.0926, 0.9615, 0.9114, 1.2061),
        ),
        Known(height=False, turn=True): _model(
            (0.0, 0.002, 0.0253, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002),
            (0.4636, 0.7775, 0.9982, 0.894, 0.4998, 0.4393, 0.7543, 0.7819, 0.6462),
        ),
    }
)
