"""BVH: the skeleton of one person and its motion, as Blender, Maya and MotionBuilder read it.

Format: M. Meredith and S. Maddock, "Motion Capture File Formats Explained" (2001). Metres, y up,
degrees; rotations are given as turns about z, x and y, multiplied in this order.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from pose_service.core.arrays import FloatArray
from pose_service.core.rig import Rig
from pose_service.export.motion import Step

_TURNS = "Zrotation Xrotation Yrotation"
_PLACE = "Xposition Yposition Zposition"
# a bone that ends in the last joint of a chain is told as half as long as the one before
_END_SHARE = 0.5
_STRAIGHT_UP = 1 - 1e-9


def bvh_file(rig: Rig, steps: Iterable[Step], step_count: int, fps: float) -> Iterator[bytes]:
    """The file, a line of motion at a time; frames are evenly spaced, as the format wants it."""
    order: list[int] = []
    lines = ["HIERARCHY", *_joint(rig, 0, 0, order), "MOTION"]
    lines += [f"Frames: {step_count}", f"Frame Time: {1 / fps:.8f}"]
    yield "".join(f"{line}\n" for line in lines).encode()
    last_deg = np.zeros((len(order), 3))
    for step in steps:
        turns_deg = euler_zxy_deg(step.rotations[order])
        # the same turns, nearest to the last ones: programs blend the numbers between frames
        last_deg = turns_deg - 360 * np.round((turns_deg - last_deg) / 360)
        numbers = np.concatenate([step.root_m, last_deg.ravel()])
        yield (" ".join(f"{value:.6f}" for value in numbers.tolist()) + "\n").encode()


def _joint(rig: Rig, joint: int, depth: int, order: list[int]) -> Iterator[str]:
    """The lines of a joint and all below it; `order` takes down how they follow each other."""
    order.append(joint)
    outer, inner = "\t" * depth, "\t" * (depth + 1)
    is_root = rig.parents[joint] < 0
    offset_m = np.zeros(3) if is_root else rig.offsets_m[joint]
    channels = f"6 {_PLACE} {_TURNS}" if is_root else f"3 {_TURNS}"
    yield f"{outer}{'ROOT' if is_root else 'JOINT'} {rig.joint_names[joint]}"
    yield f"{outer}{{"
    yield f"{inner}OFFSET {_three(offset_m)}"
    yield f"{inner}CHANNELS {channels}"
    children = [child for child, parent in enumerate(rig.parents) if parent == joint]
    for child in children:
        yield from _joint(rig, child, depth + 1, order)
    if not children:
        end = f"{inner}\tOFFSET {_three(_END_SHARE * offset_m)}"
        yield from (f"{inner}End Site", f"{inner}{{", end, f"{inner}}}")
    yield f"{outer}}}"


def _three(values: FloatArray) -> str:
    return " ".join(f"{value:.6f}" for value in values.tolist())


def euler_zxy_deg(rotations: FloatArray) -> FloatArray:
    """(..., 3, 3) to (..., 3) degrees about z, x and y: R = Rz Rx Ry.

    Where x is a right angle, z and y turn about the same axis; then y is 0.
    """
    sine = np.clip(rotations[..., 2, 1], -1, 1)
    locked = np.abs(sine) > _STRAIGHT_UP
    z = np.where(
        locked,
        np.arctan2(rotations[..., 1, 0], rotations[..., 0, 0]),
        np.arctan2(-rotations[..., 0, 1], rotations[..., 1, 1]),
    )
    y = np.where(locked, 0.0, np.arctan2(-rotations[..., 2, 0], rotations[..., 2, 2]))
    turns_deg: FloatArray = np.degrees(np.stack([z, np.arcsin(sine), y], axis=-1))
    return turns_deg
