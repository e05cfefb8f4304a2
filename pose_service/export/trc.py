"""TRC: the joints of one person as OpenSim and Pose2Sim read markers.

Format: OpenSim documentation, "Marker (.trc) Files". Axes are those of `y_up`, metres; a frame in
which the person is not shown has `nan`, which OpenSim reads as not seen. (It reads empty cells so,
too, but counts those at the end of a line wrongly.)
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pose_service.core.skeletons import SMPL24
from pose_service.export.posed import PosedFrame, y_up


@dataclass(frozen=True)
class TrcHead:
    """What stands in the first lines. `file_name` is told inside of the file, too."""

    file_name: str
    frame_count: int
    fps: float


def trc_file(frames: Iterable[PosedFrame], track_id: int, head: TrcHead) -> Iterator[bytes]:
    """The file, some lines at a time; frames are numbered from 1, as readers expect."""
    yield _head(head).encode()
    for posed in frames:
        one = posed.person(track_id)
        cells = [str(posed.frame.index + 1), f"{posed.frame.time_s:.6f}"]
        if one is None:
            cells += ["nan"] * (3 * len(SMPL24))
        else:
            cells += [f"{value:.6f}" for value in y_up(one.joints_cam_m).ravel().tolist()]
        yield ("\t".join(cells) + "\n").encode()


def _head(head: TrcHead) -> str:
    fps, count = f"{head.fps:g}", str(head.frame_count)
    keys = (
        "DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", "OrigDataRate",
        "OrigDataStartFrame", "OrigNumFrames",
    )  # fmt: skip
    values = (fps, fps, count, str(len(SMPL24)), "m", fps, "1", count)
    markers = [cell for joint in SMPL24.joints for cell in (joint, "", "")]
    axes = [f"{axis}{number}" for number in range(1, len(SMPL24) + 1) for axis in "XYZ"]
    rows = (
        ("PathFileType", "4", "(X/Y/Z)", head.file_name),
        keys,
        values,
        ("Frame#", "Time", *markers),
        ("", "", *axes),
        (),
    )
    return "".join("\t".join(row) + "\n" for row in rows)
