"""What a clip's movement was as a whole, as `/pose` answers it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from pose_service.biomechanics.comparison import Comparison
from pose_service.biomechanics.curves import Asymmetry, Drift, Extremes
from pose_service.biomechanics.events import AngleEvent
from pose_service.biomechanics.repetitions import Repetitions
from pose_service.biomechanics.summary import ClipSummary
from pose_service.core.arrays import FloatArray
from pose_service.legacy.frame import Fields
from pose_service.pose2d.config import BiomechanicsConfig

_DECIMALS = 3


def summary_fields(summary: ClipSummary, analysis: BiomechanicsConfig) -> Fields:
    """`ClipSummary` by name; null where too little is known or the part is switched off."""
    angles = analysis.joint_angle_analysis
    drifts = {name: _plain(line) for name, line in summary.score_drift.items()}
    return {
        "range_of_motion": _each(summary.angles_deg, _extremes) if angles else None,
        "peak_velocities": _each(summary.velocities_deg_s, _extremes) if angles else None,
        "asymmetry": _each(summary.asymmetry_deg, _asymmetry)
        if analysis.symmetry_detection
        else None,
        "repetitions": _repetitions(summary),
        "drift": {"scores": drifts, "repetition_depth": _plain(summary.depth_drift)},
        "events": list(map(_event, summary.events)),
    }


def analysis_notes(analysis: BiomechanicsConfig) -> tuple[str, ...]:
    """What callers should know is left out of the answers of this service."""
    if not analysis.enabled:
        return ("biomechanics are switched off in this service (BIOMECHANICS_ANALYSIS)",)
    parts = {
        "joint_angle_analysis": analysis.joint_angle_analysis,
        "symmetry_detection": analysis.symmetry_detection,
        "stability_assessment": analysis.stability_assessment,
        "movement_quality": analysis.movement_quality,
    }
    off = ", ".join(name for name, wanted in parts.items() if not wanted)
    return (f"switched off in this service's model_config.json: {off}",) if off else ()


def comparison_fields(comparison: Comparison, job_id: str) -> Fields:
    """The clip against another one in step with it; curves are at the frames `times_s`."""
    differences = comparison.differences_deg
    return {
        "with": job_id,
        "angles": list(comparison.angles),
        "distance_deg": round(comparison.distance_deg, _DECIMALS),
        "band_s": round(comparison.band_s, _DECIMALS),
        "mean_absolute_deg": dict(
            zip(comparison.angles, _list(np.abs(differences).mean(axis=0)), strict=True)
        ),
        "times_s": _list(comparison.times_s),
        "other_times_s": _list(comparison.other_times_s),
        "differences_deg": {
            name: _list(curve) for name, curve in zip(comparison.angles, differences.T, strict=True)
        },
    }


def _each(values: Mapping[str, Any], fields: Any) -> Fields:
    return {name: None if value is None else fields(value) for name, value in values.items()}


def _extremes(of: Extremes) -> Fields:
    return {**_numbers(asdict(of).items()), "range": round(of.range, _DECIMALS)}


def _asymmetry(of: Asymmetry) -> Fields:
    """Without its curve, which is in the frames."""
    return _numbers((name, getattr(of, name)) for name in _ASYMMETRY)


_ASYMMETRY = ("mean", "mean_absolute", "greatest", "greatest_time_s", "range_index_pct")


def _repetitions(summary: ClipSummary) -> Fields | None:
    found: Repetitions | None = summary.repetitions
    if found is None:
        return None
    return {
        "angle": summary.repeated_angle,
        "count": len(found),
        "period_s": round(found.period_s, _DECIMALS),
        "strength": round(found.strength, _DECIMALS),
        "times_s": _list(found.times_s),
        "depths_deg": _list(found.depths),
    }


def _event(event: AngleEvent) -> Fields:
    own = _numbers((name, getattr(event, name)) for name in _EVENT)
    return {"name": event.limit.name, "angle": event.limit.angle, **own}


_EVENT = ("start_s", "end_s", "worst_deg", "worst_time_s")


def _plain(line: Drift | None) -> Fields | None:
    return None if line is None else _numbers(asdict(line).items())


def _numbers(values: Iterable[tuple[str, float | None]]) -> Fields:
    return {name: None if value is None else round(value, _DECIMALS) for name, value in values}


def _list(values: FloatArray) -> list[float]:
    rounded: list[float] = np.round(values, _DECIMALS).tolist()
    return rounded
