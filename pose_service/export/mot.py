"""MOT: the joint angles of one person as OpenSim reads motions.

Format: OpenSim documentation, "Storage (.sto) Files" and "Motion (.mot) Files". Of a body the
columns are the nine angles of the answers, 180 degrees for a straight limb: a table for plots and
statistics, not the coordinates of a musculoskeletal model.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pose_service.core.joint_angles import ANGLES, joint_angles_deg
from pose_service.export.posed import PosedFrame


@dataclass(frozen=True)
class MotHead:
    """What stands in the first lines; `frame_count` of all frames of the clip."""

    title: str
    frame_count: int


def mot_file(frames: Iterable[PosedFrame], track_id: int, head: MotHead) -> Iterator[bytes]:
    """The file of the nine angles, some lines at a time; `nan` where the person is not shown."""
    return angle_file(ANGLES, (_row(posed, track_id) for posed in frames), head)


def angle_file(
    names: Sequence[str], rows: Iterable[tuple[float, Sequence[float]]], head: MotHead
) -> Iterator[bytes]:
    """The file, some lines at a time. A row: the time in seconds, degrees in the order of names."""
    lines = (
        head.title, "version=1", f"nRows={head.frame_count}", f"nColumns={len(names) + 1}",
        "inDegrees=yes", "endheader", "\t".join(("time", *names)),
    )  # fmt: skip
    yield "".join(f"{line}\n" for line in lines).encode()
    for time_s, angles_deg in rows:
        cells = (f"{angle_deg:.2f}" for angle_deg in angles_deg)
        yield ("\t".join((f"{time_s:.6f}", *cells)) + "\n").encode()


def _row(posed: PosedFrame, track_id: int) -> tuple[float, list[float]]:
    one = posed.person(track_id)
    angles = {} if one is None else joint_angles_deg(one.joints_m)
    return posed.frame.time_s, [angles.get(name, math.nan) for name in ANGLES]
