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
            (
                0.0,
                np.float64(0.036),
                np.float64(0.0568),
                np.float64(0.0314),
                np.float64(0.0144),
                np.float64(0.0313),
                np.float64(0.0124),
                np.float64(0.0401),
                np.float64(0.028),
            ),
            (0.7551, 1.0514, 0.9541, 0.7956, 0.9779, 1.0107, 1.0829, 0.8942, 0.9581),
        ),
        Known(height=False, turn=False): _model(
            (
                0.0,
                np.float64(0.0107),
                np.float64(0.0494),
                np.float64(0.002),
                np.float64(0.0207),
                np.float64(0.002),
                np.float64(0.002),
                np.float64(0.002),
                np.float64(0.0043),
            ),
            (0.713, 0.8556, 0.8972, 0.7636, 0.8968, 0.78, 0.8047, 0.8816, 1.013),
        ),
        Known(height=True, turn=True): _model(
            (
                0.0,
                np.float64(0.0205),
                np.float64(0.0368),
                np.float64(0.0232),
                np.float64(0.017),
                np.float64(0.013),
                np.float64(0.01),
                np.float64(0.0264),
                np.float64(0.0181),
            ),
            (0.8228, 0.859, 0.7944, 0.763, 0.7906, 0.8234, 0.7955, 0.7746, 0.853),
        ),
        Known(height=False, turn=True): _model(
            (
                0.0,
                np.float64(0.002),
                np.float64(0.0228),
                np.float64(0.002),
                np.float64(0.002),
                np.float64(0.002),
                np.float64(0.002),
                np.float64(0.002),
                np.float64(0.002),
            ),
            (0.4485, 0.6211, 0.8727, 0.6366, 0.4774, 0.4203, 0.726, 0.6523, 0.6252),
        ),
    }
)
