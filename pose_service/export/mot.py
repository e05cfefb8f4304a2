"""MOT: the joint angles of one person as OpenSim reads motions.

Format: OpenSim documentation, "Storage (.sto) Files" and "Motion (.mot) Files". The columns are the
nine angles of the answers, 180 degrees for a straight limb: a table for plots and statistics, not
the coordinates of a musculoskeletal model.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pose_service.core.joint_angles import ANGLES, joint_angles_deg
from pose_service.export.posed import PosedFrame


@dataclass(frozen=True)
class MotHead:
    """What stands in the first lines; `frame_count` of all frames of the clip."""

    title: str
    frame_count: int


def mot_file(frames: Iterable[PosedFrame], track_id: int, head: MotHead) -> Iterator[bytes]:
    """The file, some lines at a time; `nan` where the person is not shown."""
    lines = (
        head.title, "version=1", f"nRows={head.frame_count}", f"nColumns={len(ANGLES) + 1}",
        "inDegrees=yes", "endheader", "\t".join(("time", *ANGLES)),
    )  # fmt: skip
    yield "".join(f"{line}\n" for line in lines).encode()
    for posed in frames:
        one = posed.person(track_id)
        angles = {} if one is None else joint_angles_deg(one.joints_m)
        cells = [f"{angles[name]:.2f}" if name in angles else "nan" for name in ANGLES]
        yield ("\t".join((f"{posed.frame.time_s:.6f}", *cells)) + "\n").encode()
