"""Draw the picture of docs/movement-reports.md: a report page, and two annotated frames.

    python scripts/make_report_picture.py --out docs/images/movement-report.png

A figure of sticks squats eight times, less deep each time, seen from the side; its left elbow is
hidden for a while. Nothing is photographed. All that is shown is measured by the code itself.
"""

import argparse
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pose_service.biomechanics.events import AngleLimit
from pose_service.biomechanics.joints import observed
from pose_service.biomechanics.movement import measure
from pose_service.biomechanics.summary import summarise
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.keypoints import KeypointFrame, KeypointModel, KeypointPerson
from pose_service.core.records import ClipInfo, Provenance
from pose_service.core.skeletons import COCO17
from pose_service.reports.page import report_page
from pose_service.reports.picture import Annotator
from pose_service.reports.records import MeasuresOf, MovementReport
from pose_service.reports.strip import chosen_frames, chosen_indices

FPS, SECONDS, WIDTH_PX, HEIGHT_PX = 30, 16.0, 640, 505
ANKLE_PX = np.array([320.0, 465.0])
SHANK_PX, THIGH_PX, TRUNK_PX, ARM_PX, NECK_PX = 115.0, 120.0, 135.0, 78.0, 50.0
HIDDEN = slice(150, 190)
LIMITS = (AngleLimit("knee below 95°", "left_knee", low_deg=95.0),)
PAGE_PX = (720, 1018)


def squat_points_px(times_s: FloatArray) -> FloatArray:
    """(n, 17, 2): a squat each two seconds; knees, hips and arms bend together."""
    depth = (0.5 - 0.5 * np.cos(np.pi * times_s)) * (1 - 0.015 * times_s)
    points = np.zeros((len(times_s), len(COCO17), 2))
    for side, away in (("left", 1.0), ("right", -1.0)):
        ankle = ANKLE_PX + away * np.array([10.0, -3.0])
        shank = 86 - (36 + 2 * away) * depth
        knee = ankle + SHANK_PX * direction(shank)
        hip = knee + THIGH_PX * direction(94 + (52 + 2 * away) * depth)
        shoulder = hip + TRUNK_PX * direction(88 - 34 * depth)
        arm = -80 + (40 + 5 * away) * depth
        elbow = shoulder + ARM_PX * direction(arm)
        head = shoulder + NECK_PX * direction(80 - 20 * depth)
        parts = {
            "ankle": ankle, "knee": knee, "hip": hip, "shoulder": shoulder, "elbow": elbow,
            "wrist": elbow + 0.9 * ARM_PX * direction(arm + 20 + 30 * depth), "ear": head,
            "eye": head + np.array([15 + 3 * away, -5]),
        }  # fmt: skip
        for joint, places in parts.items():
            points[:, COCO17.index(f"{side}_{joint}")] = places
    points[:, 0] = points[:, 1:3].mean(axis=1) + np.array([7, 8])
    return points


def direction(angle_deg: float | FloatArray) -> FloatArray:
    """Unit vectors, y down; degrees from the picture's right, against the clock on the screen."""
    turned = np.radians(angle_deg)
    return np.stack([np.cos(turned), -np.sin(turned)], axis=-1)


def frames_of(times_s: FloatArray, points_px: FloatArray) -> list[KeypointFrame]:
    """Everything is seen well but the left elbow, for a while."""
    confidence = np.full((len(times_s), len(COCO17)), 0.95)
    confidence += np.linspace(-0.3, 0, len(COCO17))
    confidence[HIDDEN, COCO17.index("left_elbow")] = 0.1
    return [
        KeypointFrame(row, time_s, (KeypointPerson(
            1, Provenance.OBSERVED, 0.9, np.array([260.0, 60, 400, 480]), points_px[row],
            confidence[row],
        ),))
        for row, time_s in enumerate(times_s.tolist())
    ]  # fmt: skip


def draw() -> ImageArray:
    """(1018, 1360, 3) RGB: the page, and beside it the two frames; the same at every call."""
    times_s = np.arange(round(SECONDS * FPS)) / FPS
    points_px = squat_points_px(times_s)
    frames = frames_of(times_s, points_px)
    confidence = np.array([frame.people[0].point_confidence for frame in frames])
    movement = measure(observed(COCO17, times_s, points_px, confidence))
    summary = summarise(movement, LIMITS)
    report = MovementReport(
        title="Squats, second set",
        clip=ClipInfo(len(frames), FPS, WIDTH_PX, HEIGHT_PX, SECONDS),
        model=KeypointModel("drawn keypoints", "1", "fp64", 2),
        movement=movement,
        summary=summary,
        track_id=1,
        chosen=chosen_frames(frames, chosen_indices(movement, summary)),
    )
    with Image.open(BytesIO(report_page(report).png(120))) as picture:
        page = np.asarray(picture.convert("RGB").resize(PAGE_PX, Image.Resampling.LANCZOS))
    annotator = Annotator({1: MeasuresOf(movement)})
    stills = [annotator.picture(room(), frames[row]) for row in (18, 160)]
    gap = np.full((PAGE_PX[1] - 2 * HEIGHT_PX, WIDTH_PX, 3), 255, np.uint8)
    return np.hstack([page, np.vstack([stills[0], gap, stills[1]])])


def room() -> ImageArray:
    """A wall and a floor."""
    shades = np.where(np.arange(HEIGHT_PX) < 400, 124, 102)
    return np.repeat(shades[:, None, None], WIDTH_PX, axis=1).repeat(3, axis=2).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    Image.fromarray(draw()).save(out, optimize=True)
    print(out)


if __name__ == "__main__":
    main()
