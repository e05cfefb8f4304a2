"""A stored clip drawn again: frame by frame, at its own times."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from makers import clip_file
from toy_engine import ToyBody, picture

from pose_service.core.records import (
    BodyPoses,
    Camera,
    ClipInfo,
    Frame,
    Person,
    Provenance,
    TrackedFrame,
)
from pose_service.media.decode import Clip, open_clip
from pose_service.pipeline.drawing import Overlay, draw_frame
from pose_service.pipeline.results import StoredClip, write_result
from pose_service.pipeline.video import ClipRun
from pose_service.rendering.style import DEFAULT_STYLE, Layer, OverlayStyle

CAMERA = Camera(320.0, 320, 240)


def tracked(index: int, time_s: float, *people: Person) -> TrackedFrame:
    return TrackedFrame(index, time_s, CAMERA, people, 1.0)


def person(depth_m: float = 4.0) -> Person:
    pose = BodyPoses(np.tile(np.eye(3), (1, 2, 1, 1)), np.array([[0, 0, depth_m]]), np.ones((1, 1)))
    return Person(
        track_id=1,
        provenance=Provenance.OBSERVED,
        tracking_confidence=1.0,
        confidence=0.9,
        box_xyxy_px=np.array([130.0, 40, 190, 200]),
        joint_confidence=np.ones(24),
        pose=pose,
    )


def overlay(folder: Path, times_s: list[float], style: OverlayStyle = DEFAULT_STYLE) -> Overlay:
    """Of a clip with so many frames, whose result says that they are shown at these times."""
    source = clip_file(folder / "clip.mp4", [picture()] * len(times_s))
    info = ClipInfo(len(times_s), 30.0, 320, 240, len(times_s) / 30)
    frames = (tracked(index, time_s, person()) for index, time_s in enumerate(times_s))
    write_result(folder, ClipRun(info, 1, "toy/1", "toy", frames))
    return Overlay(open_clip(source), StoredClip.open(folder), ToyBody(), style)


def test_the_film_of_a_part_begins_with_the_part(tmp_path: Path) -> None:
    times_s = [4.0, 4.04, 4.2]
    overlay(tmp_path, times_s).write(tmp_path / "film.mp4")
    shown_s = [frame.time_s for frame in open_clip(tmp_path / "film.mp4").frames()]
    np.testing.assert_allclose(shown_s, np.array(times_s) - 4, atol=1 / 10_000)


def test_progress_is_told_frame_by_frame(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    film = overlay(tmp_path, [0.0, 0.1, 0.2])
    film.write(tmp_path / "film.mp4", lambda *step: told.append(step))
    assert told == [("drawing", 1, 3), ("drawing", 2, 3), ("drawing", 3, 3)]


def test_a_long_clip_is_never_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding is at most a few frames ahead of drawing, and stops when drawing stops."""
    decoded = 0
    frames = Clip.frames

    def counted(self: Clip, max_frames: int | None = None) -> Iterator[Frame]:
        nonlocal decoded
        for frame in frames(self, max_frames):
            decoded += 1
            yield frame

    monkeypatch.setattr(Clip, "frames", counted)
    drawn = overlay(tmp_path, [i / 30 for i in range(60)]).frames()
    for number in range(1, 21):
        next(drawn)
        assert decoded <= number + 6
    drawn.close()
    assert decoded <= 26


def test_an_odd_panel_is_padded_to_an_even_film(tmp_path: Path) -> None:
    style = OverlayStyle(frozenset(), side_view=True)
    assert style.size_px(321, 242) == (321 + 121, 242)
    assert style.size_px(319, 241) == (319 + 120, 241)
    assert style.size_px(240, 320) == (240 + 120, 320), "half the shorter side"
    source = clip_file(tmp_path / "odd.mp4", [picture(size=(318, 242))] * 3)
    frames = (replace(tracked(i, i / 30), camera=Camera(320.0, 318, 242)) for i in range(3))
    write_result(tmp_path, ClipRun(ClipInfo(3, 30.0, 318, 242, 0.1), None, "toy/1", "toy", frames))
    film = Overlay(open_clip(source), StoredClip.open(tmp_path), ToyBody(), style)
    film.write(tmp_path / "film.mp4")
    shown = open_clip(tmp_path / "film.mp4")
    assert (shown.width_px, shown.height_px) == (318 + 121 + 1, 242)


@pytest.mark.parametrize("depth_m", [np.nan, np.inf, 0.0])
def test_whoever_has_no_finite_place_is_left_out_and_the_others_are_drawn(depth_m: float) -> None:
    style = OverlayStyle(frozenset({Layer.MESH}))
    lost = draw_frame(ToyBody(), picture(), tracked(0, 0.0, person(depth_m), person()), style)
    alone = draw_frame(ToyBody(), picture(), tracked(0, 0.0, person()), style)
    np.testing.assert_array_equal(lost, alone)
    assert alone.any()
