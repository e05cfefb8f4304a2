"""TRC: joints of one person as OpenSim and Pose2Sim read markers.

Format: OpenSim documentation, "Marker (.trc) Files". Axes of bodies are those of `y_up`, metres; a
frame in which the person is not shown has `nan`, which OpenSim reads as not seen. (It reads empty
cells so, too, but counts those at the end of a line wrongly.)
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pose_service.core.arrays import FloatArray, expect_shape
from pose_service.core.skeletons import SMPL24
from pose_service.export.posed import PosedFrame, y_up


@dataclass(frozen=True)
class TrcHead:
    """What stands in the first lines. `file_name` is told inside of the file, too."""

    file_name: str
    frame_count: int
    fps: float
    units: str = "m"


@dataclass(frozen=True)
class MarkerRow:
    """The markers of a frame, (markers, 3) in the file's units and axes; None for nobody."""

    index: int
    time_s: float
    places: FloatArray | None


def trc_file(frames: Iterable[PosedFrame], track_id: int, head: TrcHead) -> Iterator[bytes]:
    """The file of a body's 24 joints, some lines at a time."""
    return marker_file(SMPL24.joints, (_row(posed, track_id) for posed in frames), head)


def marker_file(
    markers: Sequence[str], rows: Iterable[MarkerRow], head: TrcHead
) -> Iterator[bytes]:
    """The file, some lines at a time; frames are numbered from 1, as readers expect."""
    yield _head(markers, head).encode()
    for row in rows:
        cells = [str(row.index + 1), f"{row.time_s:.6f}"]
        if row.places is None:
            cells += ["nan"] * (3 * len(markers))
        else:
            expect_shape("places", row.places, (len(markers), 3))
            cells += [f"{value:.6f}" for value in row.places.ravel().tolist()]
        yield ("\t".join(cells) + "\n").encode()


def _row(posed: PosedFrame, track_id: int) -> MarkerRow:
    one = posed.person(track_id)
    places = None if one is None else y_up(one.joints_cam_m)
    return MarkerRow(posed.frame.index, posed.frame.time_s, places)


def _head(names: Sequence[str], head: TrcHead) -> str:
    fps, count = f"{head.fps:g}", str(head.frame_count)
    keys = (
        "DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", "OrigDataRate",
        "OrigDataStartFrame", "OrigNumFrames",
    )  # fmt: skip
    values = (fps, fps, count, str(len(names)), head.units, fps, "1", count)
    markers = [cell for name in names for cell in (name, "", "")]
    axes = [f"{axis}{number}" for number in range(1, len(names) + 1) for axis in "XYZ"]
    rows = (
        ("PathFileType", "4", "(X/Y/Z)", head.file_name),
        keys,
        values,
        ("Frame#", "Time", *markers),
        ("", "", *axes),
        (),
    )
    return "".join("\t".join(row) + "\n" for row in rows)
