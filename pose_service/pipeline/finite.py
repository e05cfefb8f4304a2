"""Observations with numbers that are none would spoil whoever is compared with them."""

from dataclasses import fields

import numpy as np

from pose_service.core.records import BodyPoses, Observation


def is_finite(seen: Observation) -> bool:
    """Whether every number of `seen` is finite; masks hold none."""
    return all(_finite(getattr(seen, field.name)) for field in fields(seen))


def _finite(part: object) -> bool:
    if isinstance(part, BodyPoses):
        return all(_finite(getattr(part, field.name)) for field in fields(part))
    return not isinstance(part, float | np.floating | np.ndarray) or bool(np.isfinite(part).all())
