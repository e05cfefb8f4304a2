"""The formulas' page says what the code does: its tables, figures and names."""

import math
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from pose_service.biomechanics import scores
from pose_service.biomechanics.alignment import Alignment
from pose_service.biomechanics.angles import ANGLES, rates
from pose_service.biomechanics.joints import LEAST_CONFIDENCE, observed
from pose_service.biomechanics.mass import HEAD_MASS_PCT, LIMBS, TRUNK, Sex, joint_weights
from pose_service.biomechanics.movement import measure
from pose_service.biomechanics.scores import Scores
from pose_service.biomechanics.smoothing import LONGEST_GAP_S
from pose_service.biomechanics.support import (
    FOOT_LIFT,
    FOOT_REACH,
    PENDULUM_RATE_PER_S,
    Support,
)
from pose_service.core.joint_angles import CORNERS
from pose_service.core.skeletons import COCO17

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "biomechanics.md").read_text(encoding="utf-8")


def rows(first_cell: str) -> list[str]:
    """The cells after `first_cell` of the table row that starts with it."""
    (row,) = re.findall(rf"^\| {re.escape(first_cell)} \|(.*)\|$", PAGE, re.MULTILINE)
    return [cell.strip() for cell in row.split("|")]


def test_every_name_that_is_measured_is_explained() -> None:
    named = {field.name for group in (Alignment, Support, Scores) for field in fields(group)}
    said = set(re.findall(r"`([\w]+)`", PAGE))
    assert named | set(ANGLES) <= said


@pytest.mark.parametrize("sex", list(Sex))
def test_the_weights_of_the_joints_are_as_printed(sex: Sex) -> None:
    weights = joint_weights(sex)
    names = ("head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    assert rows(f"`{sex}`") == [f"{weights[name]:.4f}" for name in names]


def test_the_segments_are_as_printed() -> None:
    segments = {"trunk": TRUNK} | dict(
        zip(("upper arm", "forearm", "hand", "thigh", "shank", "foot"), LIMBS, strict=True)
    )
    assert rows("head")[0] == "{:.2f} / {:.2f}".format(*HEAD_MASS_PCT)
    for name, segment in segments.items():
        mass, centre = rows(name)
        assert mass == "{:.2f} / {:.2f}".format(*segment.mass_pct)
        if name not in ("hand", "foot"):
            assert centre == "{:.2f} / {:.2f}".format(*segment.centre_pct)


@pytest.mark.parametrize("joint", ["elbow", "knee"])
def test_the_corners_of_the_angles_are_as_printed(joint: str) -> None:
    first, corner, last = (name.partition("_")[2] for name in CORNERS[f"left_{joint}"])
    assert rows(f"`left_{joint}`, `right_{joint}`")[0] == f"{first} – **{corner}** – {last}"


def test_the_ready_position_is_as_printed() -> None:
    parts = {
        "knees": scores.READY_KNEE_FLEXION_DEG,
        "hips": scores.READY_HIP_FLEXION_DEG,
        "lean": scores.READY_TRUNK_LEAN_DEG,
    }
    for part, corners in parts.items():
        assert rows(part)[1:] == [f"{corner:g}°" for corner in corners]


def test_the_constants_are_as_printed() -> None:
    for said in (
        f"at least {LEAST_CONFIDENCE:g} (the caller's",
        f"more than {FOOT_LIFT:g} T above",
        f"reaches {FOOT_REACH:g} T",
        f"ω₀ = {PENDULUM_RATE_PER_S:g} s⁻¹",
        f"1 − D / {scores.FULL_ASYMMETRY_DEG:g}°",
        f"Gaps up to {LONGEST_GAP_S:g} s",
    ):
        assert said in PAGE, said
    assert math.sqrt(9.81 / 0.96) == pytest.approx(PENDULUM_RATE_PER_S, abs=0.005)


def test_the_formula_of_the_rates_is_as_printed() -> None:
    v, (before_s, after_s) = [3.0, 5.0, 4.0], (0.02, 0.05)
    printed = ((v[2] - v[1]) * before_s**2 + (v[1] - v[0]) * after_s**2) / (
        before_s * after_s * (before_s + after_s)
    )
    found = rates(np.array(v), np.array([0, before_s, before_s + after_s]))
    assert found[1] == pytest.approx(printed)


def test_the_worked_example_is_what_is_measured() -> None:
    _, _, part = PAGE.partition("## A worked example")
    places = {
        f"{side}_{joint}": tuple(map(float, place.split(",")))
        for joint, *sides in re.findall(
            r"^\| (\w+) \| (\d+, \d+) \| (\d+, \d+) \|", part, re.MULTILINE
        )
        for side, place in zip(("left", "right"), sides, strict=True)
    }
    assert len(places) == 14
    points = np.array([[places.get(joint, (np.nan, np.nan)) for joint in COCO17.joints]] * 2)
    frame = measure(observed(COCO17, np.arange(2.0), points, np.ones((2, 17)))).frame(0)
    assert frame.body_alignment["spine_angle_deg"] == pytest.approx(10.72, abs=0.005)
    assert frame.body_alignment["hip_level_difference"] == pytest.approx(10.42, abs=0.005)
    assert frame.body_alignment["hip_tilt_deg"] == pytest.approx(12.72, abs=0.005)
    assert frame.centre_of_mass == pytest.approx((687.85, 251.74), abs=0.005)
    assert frame.support["offset"] == pytest.approx(0.0587, abs=0.00005)
    scored = {
        "pose_quality": 100.0, "stability_score": 94.1, "symmetry_index": 0.852,
        "athletic_readiness": 72.0,
    }  # fmt: skip
    assert frame.movement_analysis == pytest.approx(scored, rel=0.0005)
    angles = re.findall(r"(\w+) ([\d.]+), ([\d.]+)[;.]", part)
    printed = {f"{side}_{one[0]}": float(one[place]) for one in angles[:4]
               for place, side in ((1, "left"), (2, "right"))}  # fmt: skip
    assert frame.joint_angles_deg == pytest.approx(printed, abs=0.006)


def test_the_figure_is_what_the_script_draws(tmp_path: Path) -> None:
    out = tmp_path / "figure.svg"
    script = ROOT / "scripts" / "make_angle_figure.py"
    subprocess.run([sys.executable, script, "--out", out], check=True, capture_output=True)
    printed = ROOT / "docs" / "images" / "biomechanics.svg"
    assert printed.read_text(encoding="utf-8") == out.read_text(encoding="utf-8")
    assert printed.stat().st_size < 100_000
