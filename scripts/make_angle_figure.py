"""Draw the figure of docs/biomechanics.md that shows what the angles and lengths are.

    python scripts/make_angle_figure.py --out docs/images/biomechanics.svg

Every number in it is measured by `pose_service.biomechanics` on the joints that are drawn.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pose_service.biomechanics.joints import JointSeries, observed
from pose_service.biomechanics.movement import Movement, measure
from pose_service.biomechanics.support import FOOT_REACH
from pose_service.core.arrays import FloatArray
from pose_service.core.joint_angles import CORNERS
from pose_service.core.skeletons import COCO17

WIDTH_PX, HEIGHT_PX, LABELS_PX = 960, 520, 805
BONE, ARC, AID = "#334155", "#dc2626", "#2563eb"
BONES = ("shoulder elbow", "elbow wrist", "shoulder hip", "hip knee", "knee ankle")

# A person seen from the right side, facing the picture's right; the left limbs lie behind.
SIDE = {
    "ear": (262, 92), "shoulder": (225, 160), "elbow": (250, 250), "wrist": (335, 235),
    "hip": (165, 300), "knee": (265, 345), "ankle": (215, 455),
}  # fmt: skip

# A person seen from the front: the left limbs are on the picture's right.
FRONT = {
    "left_ear": (704, 85), "right_ear": (676, 88), "left_shoulder": (752, 138),
    "right_shoulder": (652, 152), "left_elbow": (785, 215), "right_elbow": (618, 228),
    "left_wrist": (770, 290), "right_wrist": (612, 300), "left_hip": (708, 270),
    "right_hip": (646, 284), "left_knee": (728, 365), "right_knee": (640, 370),
    "left_ankle": (740, 455), "right_ankle": (625, 455),
}  # fmt: skip

Point = Sequence[float] | FloatArray


def figure() -> str:
    """The whole drawing as SVG text; the same at every call."""
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}" '
        'font-family="sans-serif" font-size="14" fill="none" stroke-linecap="round">',
        f'<rect width="{WIDTH_PX}" height="{HEIGHT_PX}" fill="#ffffff"/>',
        *side_view(),
        *front_view(),
        "</svg>\n",
    )
    return "\n".join(parts)


def side_view() -> Iterator[str]:
    """The inner angles and the spine angle."""
    joints = {
        f"{side}_{joint}": place for side in ("left", "right") for joint, place in SIDE.items()
    }
    seen = still(joints)
    movement = measure(seen)
    yield text((20, 30), "seen from the right side", BONE)
    yield from limbs(joints, ("right",))
    for joint, place in (("elbow", (262, 270)), ("shoulder", (244, 190)), ("hip", (212, 298)),
                         ("knee", (150, 365))):  # fmt: skip
        name = f"right_{joint}"
        first, corner, last = (joints[one] for one in CORNERS[name])
        yield arc(corner, first, last, 26, ARC)
        yield text(place, f"{joint} {movement.angle_deg(name)[0]:.0f}°", ARC)
    above = (SIDE["hip"][0], SIDE["shoulder"][1] - 30)
    yield line(SIDE["hip"], above, AID, dashes="5 5")
    yield arc(SIDE["hip"], above, SIDE["shoulder"], 95, AID)
    yield text((8, 150), f"spine angle {movement.alignment.spine_angle_deg[0]:.0f}°", AID)
    yield text((8, 168), f"lean {movement.alignment.lean_image_deg[0]:+.0f}° (right)", AID)


def front_view() -> Iterator[str]:
    """Levels, centre of mass and base of support."""
    seen = still(FRONT)
    movement = measure(seen)
    yield text((480, 30), "seen from the front: left is on the picture's right", BONE)
    yield from limbs(FRONT, ("left", "right"))
    yield line(FRONT["left_hip"], FRONT["right_hip"], BONE, 5)
    yield line(FRONT["left_shoulder"], FRONT["right_shoulder"], BONE, 5)
    for joint in ("shoulder", "hip"):
        left, right = FRONT[f"left_{joint}"], FRONT[f"right_{joint}"]
        yield line((left[0] + 40, left[1]), (right[0] - 10, left[1]), AID, dashes="5 5")
        yield line((left[0] + 40, right[1]), (right[0] - 10, right[1]), AID, dashes="5 5")
        yield text((LABELS_PX, left[1] + 12), level_text(movement, joint), AID)
    yield from balance(seen, movement)


def level_text(movement: Movement, joint: str) -> str:
    level = getattr(movement.alignment, f"{joint}_level_difference")[0]
    return f"{joint} level {level:+.0f} %"


def balance(seen: JointSeries, movement: Movement) -> Iterator[str]:
    """The centre of mass, the line below it, the base's edges and middle."""
    x, y = movement.centre_of_mass[0]
    reach = FOOT_REACH * float(seen.trunk_length()[0])
    ground = FRONT["left_ankle"][1] + 15
    low, high = FRONT["right_ankle"][0] - reach, FRONT["left_ankle"][0] + reach
    yield line((low, ground), (high, ground), AID, 5)
    yield line(((low + high) / 2, ground - 8), ((low + high) / 2, ground + 8), AID)
    yield line((x, y), (x, ground), ARC, dashes="3 5")
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="{ARC}"/>'
    yield text((x - 190, y - 5), "centre of mass", ARC)
    yield text(
        (low - 30, ground + 24), f"base of support, offset {movement.support.offset[0]:.2f}", AID
    )


def still(joints: dict[str, Point]) -> JointSeries:
    """Two equal frames: nothing moves."""
    points = np.array([[joints.get(joint, (np.nan, np.nan)) for joint in COCO17.joints]] * 2, float)
    return observed(COCO17, np.array([0.0, 1.0]), points, np.ones((2, len(COCO17))))


def limbs(joints: dict[str, Point], sides: Sequence[str]) -> Iterator[str]:
    for side in sides:
        for bone in BONES:
            first, last = (joints[f"{side}_{joint}"] for joint in bone.split())
            yield line(first, last, BONE, 5)
        x, y = joints[f"{side}_ear"]
        yield f'<circle cx="{x}" cy="{y}" r="5" fill="{BONE}"/>'


def line(first: Point, last: Point, colour: str, width: float = 2, dashes: str = "none") -> str:
    (x1, y1), (x2, y2) = first, last
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}" stroke-dasharray="{dashes}"/>'
    )


def arc(corner: Point, first: Point, last: Point, radius_px: float, colour: str) -> str:
    """From the direction of `first` to that of `last`, the short way round."""
    middle = np.asarray(corner, float)
    directions = [np.asarray(end, float) - middle for end in (first, last)]
    start, end = (middle + radius_px * one / np.linalg.norm(one) for one in directions)
    clockwise = int(directions[0][0] * directions[1][1] > directions[0][1] * directions[1][0])
    return (
        f'<path d="M {start[0]:.1f} {start[1]:.1f} A {radius_px:g} {radius_px:g} 0 0 {clockwise} '
        f'{end[0]:.1f} {end[1]:.1f}" stroke="{colour}" stroke-width="2.5"/>'
    )


def text(place: Point, words: str, colour: str) -> str:
    x, y = place
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}">{words}</text>'


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.write_text(figure(), encoding="utf-8")
    print(f"{out}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
