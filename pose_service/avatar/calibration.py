"""How far the measures of each body were off where the truth was known.

Found by `benchmarks/avatar_accuracy.py` on rendered photographs of random bodies;
docs/avatar-accuracy.md says how, and what they cannot tell.
"""

from dataclasses import dataclass
from types import MappingProxyType

from pose_service.measurement.bounds import ErrorModel


@dataclass(frozen=True)
class Known:
    """What is known beside the picture: a given height, and more sights than one."""

    height: bool
    turn: bool


def error_model(body_name: str, known: Known) -> ErrorModel:
    """The calibrated errors of a body, or the assumed ones where nobody calibrated it."""
    return _MODELS.get((body_name, known), ErrorModel())


_MODELS: MappingProxyType[tuple[str, Known], ErrorModel] = MappingProxyType({})
