"""How far filled poses are from the truth: frames of real clips are hidden and filled again.

python benchmarks/hidden_frames.py [--media DIR]

The truth is what the same engine sees in those frames, smoothed; what fills them is solved and
smoothed without them. Written as a Markdown table: `docs/tracklets.md` has it.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pose_service.core.arrays import FloatArray, IntArray
from pose_service.core.config import read_settings
from pose_service.core.geometry import slerp
from pose_service.core.records import BodyPoses, Camera, Look, Observation
from pose_service.engines.registry import build_engine
from pose_service.engines.seam import Engine
from pose_service.media.decode import open_clip
from pose_service.pipeline.gaps import KnownTrack, fill
from pose_service.pipeline.image import observed_people
from pose_service.pipeline.tracking import Step, track_frames

MEDIA = Path(__file__).resolve().parents[2] / "shared" / "media"
CLIPS = ("vid.mp4", "sports2d.mp4")
GAPS = (5, 20, 60)
# so many sights are known on each side of a gap, as in a clip's second pass
MARGIN = 20
LEAST_SIGHTS = 100


@dataclass(frozen=True)
class Track:
    """One person of a clip: `frames` (n,), `times_s` (n,), what was seen, and the one shape."""

    name: str
    frames: IntArray
    times_s: FloatArray
    sights: list[Observation]
    shape: FloatArray
    camera: Camera

    def known(self, engine: Engine, places: list[int]) -> KnownTrack:
        """The track as if only the sights at `places` were there."""
        times_s = self.times_s[places]
        seen = [self.sights[place] for place in places]
        seen = engine.temporal.smooth_observations(seen, times_s)
        poses = engine.regressor.solve(seen, self.camera, self.shape)
        people = observed_people(
            seen, engine.temporal.smooth_poses(poses, times_s), [1] * len(seen)
        )
        return KnownTrack(self.frames[places], times_s, people)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--media", type=Path, default=MEDIA)
    media = parser.parse_args().media
    engine, _ = build_engine(read_settings({"POSE_ENGINE": "embedded"}))
    print("| person | hidden | joints, as filled | by slerp alone | place | on a line | tries |")
    print("|---|---|---|---|---|---|---|")
    for name in CLIPS:
        for track in tracks(engine, media / name):
            for gap in GAPS:
                errors = np.array(list(tried(engine, track, gap)))
                joints, slerped, place, line = (f"{value:.0f} mm" for value in errors.mean(axis=0))
                row = (track.name, gap, joints, slerped, place, line, len(errors))
                print("|", " | ".join(map(str, row)), "|", flush=True)


def tracks(engine: Engine, clip_path: Path) -> Iterator[Track]:
    """Everybody who is seen often enough in a clip."""
    clip = open_clip(clip_path)
    tracker = engine.new_tracker(clip.fps_hint)
    camera = engine.camera(clip.width_px, clip.height_px)
    seen: dict[int, list[tuple[int, float, Observation]]] = {}
    for frame in clip.frames():
        (of_frame,) = track_frames(engine, [Step(tracker, frame)], Look.CLIP)
        for one in of_frame:
            seen.setdefault(one.track_id, []).append((frame.index, frame.time_s, one))
    for track_id, rows in seen.items():
        if len(rows) >= LEAST_SIGHTS:
            frames, times_s, sights = zip(*rows, strict=True)
            shape = engine.regressor.shared_shape(sights, camera)
            name = f"`{clip_path.name}`, person {track_id}"
            yield Track(name, np.array(frames), np.array(times_s), list(sights), shape, camera)


def tried(engine: Engine, track: Track, gap: int) -> Iterator[tuple[float, ...]]:
    """Mean errors (mm) of each try: joints about the pelvis and place, filled and straight."""
    count = len(track.sights)
    for start in range(MARGIN, count - gap - MARGIN, max(5, gap // 2)):
        hidden = range(start, start + gap)
        if track.frames[start + gap] - track.frames[start - 1] != gap + 1:
            continue
        around = range(start - MARGIN, start + gap + MARGIN)
        truth = track.known(engine, list(around)).poses.take(slice(MARGIN, MARGIN + gap))
        known = track.known(engine, [place for place in around if place not in hidden])
        frames, times_s = track.frames[list(hidden)], track.times_s[list(hidden)]
        people = fill(known, frames, times_s, engine.temporal, track.camera)
        ends = known.poses.take(np.array([MARGIN - 1, MARGIN]))
        parts = np.arange(1, gap + 1) / (gap + 1)
        filled = errors_mm(engine, BodyPoses.join([one.pose for one in people]), truth)
        straight = errors_mm(engine, between(ends, parts), truth)
        yield filled[0], straight[0], filled[1], straight[1]


def between(ends: BodyPoses, parts: FloatArray) -> BodyPoses:
    """Slerp and a line, from the first of `ends` to the second."""
    part = parts[:, None]
    return BodyPoses(
        slerp(ends.rotations[:1], ends.rotations[1:], part),
        (1 - part) * ends.translations_m[:1] + part * ends.translations_m[1:],
        np.repeat(ends.shapes[:1], len(parts), axis=0),
    )


def errors_mm(engine: Engine, poses: BodyPoses, truth: BodyPoses) -> tuple[float, float]:
    """Mean distances of the joints about the pelvis, and of the places."""
    joints_m, true_m = (engine.body.pose(each, vertices=False).joints_m for each in (poses, truth))
    apart_m = (joints_m - joints_m[:, :1]) - (true_m - true_m[:, :1])
    away_m = poses.translations_m - truth.translations_m
    return (
        1000 * float(np.linalg.norm(apart_m, axis=-1).mean()),
        1000 * float(np.linalg.norm(away_m, axis=-1).mean()),
    )


if __name__ == "__main__":
    main()
