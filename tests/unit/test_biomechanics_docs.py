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
from pose_service.biomechanics.joints import LEAST_CONFIDENCE
from pose_service.biomechanics.mass import HEAD_MASS_PCT, LIMBS, TRUNK, Sex, joint_weights
from pose_service.biomechanics.scores import Scores
from pose_service.biomechanics.smoothing import LONGEST_GAP_S
from pose_service.biomechanics.support import (
    FOOT_LIFT,
    FOOT_REACH,
    PENDULUM_RATE_PER_S,
    Support,
)
from pose_service.core.joint_angles import CORNERS

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


def test_the_figure_is_what_the_script_draws(tmp_path: Path) -> None:
    out = tmp_path / "figure.svg"
    script = ROOT / "scripts" / "make_angle_figure.py"
    subprocess.run([sys.executable, script, "--out", out], check=True, capture_output=True)
    printed = ROOT / "docs" / "images" / "biomechanics.svg"
    assert printed.read_text(encoding="utf-8") == out.read_text(encoding="utf-8")
    assert printed.stat().st_size < 100_000
