"""`doctor --clip`: how good one clip's tracks came out, with a plain sentence for each figure."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.table import Table

from pose_service.commands.console import console, progress
from pose_service.commands.local import check_input, nets
from pose_service.core.config import Settings
from pose_service.core.records import ClipInfo
from pose_service.pipeline.quality import TrackQuality
from pose_service.pipeline.results import ResultHead, write_result
from pose_service.pipeline.tracks import MergedTrack
from pose_service.pipeline.video import ClipOptions, ClipWatch, process_clip

# From here on a figure is worth a look: above what was measured on good tracks of real clips.
FILLED, GAP_S = 0.1, 0.5
JITTER_M_S2, SLIDING_M_S = 20.0, 1.0
DRIFT_MM, REPROJECTION_PERCENT = 25.0, 4.0


def report_on(path: Path, settings: Settings) -> int:
    """Process the clip at `path` and print what was measured; 1 if nobody was found in it."""
    source = check_input(path)
    options = ClipOptions(max_pixels=settings.max_pixels, merge_tracks=settings.merge_tracks)
    with (
        TemporaryDirectory(prefix="pose-service-") as scratch,
        nets(settings) as hub,
        progress() as report,
    ):
        folder = Path(scratch)
        clip_run = process_clip(source, hub, options, folder, ClipWatch(report))
        head = write_result(folder, clip_run)
    _print(head)
    return 0 if head.quality else 1


def _print(head: ResultHead) -> None:
    info = head.info
    console.print(f"{info.frame_count} frames at {info.fps:.2f} per second, {head.model_version}")
    for note in info.notes:
        console.print(f"note: {note}")
    if not head.quality:
        console.print("Nobody was found.")
    for track in head.quality:
        table = Table("", "figure", "what it says", show_edge=False, pad_edge=False)
        for good, figure, sentence in verdicts(track, info):
            table.add_row("ok" if good else "look", figure, sentence)
        primary = ", the primary" if track.track_id == head.primary_id else ""
        console.print(f"\nperson {track.track_id}{primary}")
        console.print(table, soft_wrap=False)
    for merged in head.merged_tracks:
        console.print(merge_line(merged))


def merge_line(merged: MergedTrack) -> str:
    """One sentence on two tracks that were joined."""
    return (
        f"person {merged.kept} was hidden for {merged.gap_frames} frames before frame "
        f"{merged.at_frame} and known again by looks (likeness {merged.likeness:.2f})"
    )


def verdicts(track: TrackQuality, info: ClipInfo) -> Iterator[tuple[bool, str, str]]:
    """Whether all is well, the figure, and what it says, for each thing measured of `track`."""
    yield _presence(track, info)
    if track.jitter_m_s2 is not None:
        raw = "" if track.raw_jitter_m_s2 is None else f" ({track.raw_jitter_m_s2:.1f} unsmoothed)"
        yield (
            track.jitter_m_s2 < JITTER_M_S2,
            f"{track.jitter_m_s2:.1f} m/s²",
            f"mean acceleration of the joints{raw}",
        )
    if track.foot_sliding_m_s is not None:
        yield (
            track.foot_sliding_m_s < SLIDING_M_S,
            f"{track.foot_sliding_m_s:.2f} m/s",
            "how fast standing feet slide, if the camera stands still",
        )
    if track.shape_drift_mm is not None:
        yield (
            track.shape_drift_mm < DRIFT_MM,
            f"{track.shape_drift_mm:.0f} mm",
            "how far single frames' bodies are from the one body of the track",
        )
    if track.reprojection_percent is not None and track.reprojection_px is not None:
        yield (
            track.reprojection_percent < REPROJECTION_PERCENT,
            f"{track.reprojection_px:.1f} px",
            f"from body to picture, {track.reprojection_percent:.1f} % of the box",
        )
    yield _risk(track)


def _presence(track: TrackQuality, info: ClipInfo) -> tuple[bool, str, str]:
    filled = 1 - track.provenance["observed"]
    frames = round(track.coverage * info.frame_count)
    sentence = f"of {frames} frames were filled; longest gap {track.longest_gap_s:.1f} s"
    good = filled < FILLED and track.longest_gap_s < GAP_S
    return good, f"{100 * filled:.0f} %", sentence if filled else f"of {frames} frames were filled"


def _risk(track: TrackQuality) -> tuple[bool, str, str]:
    if not track.risk_frames:
        return True, "0", "frames in which somebody else fitted nearly as well"
    first, last = track.risk_ranges[0]
    sentence = f"frames in which somebody else fitted nearly as well, first in {first} to {last}"
    return False, str(track.risk_frames), sentence
