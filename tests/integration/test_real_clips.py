"""The main job on real clips, with the real nets."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from makers import clip_file

from pose_service.core.config import read_settings
from pose_service.core.records import Frame, Provenance, TrackedFrame
from pose_service.core.skeletons import SMPL24
from pose_service.media.decode import open_clip
from pose_service.pipeline.session import SessionFrame, SessionKey, SessionStore
from pose_service.pipeline.video import ClipOptions, ClipRun, ClipWatch, process_clip
from pose_service.runtime.hub import ModelHub

BLACK = range(60, 72)


@pytest.fixture(scope="module")
def hub(network_dir: Path) -> Iterator[ModelHub]:
    hub = ModelHub(read_settings({"POSE_ENGINE": "embedded"}))
    hub.start()
    hub.wait(60)
    yield hub
    hub.stop()


def run(hub: ModelHub, clip: Path, folder: Path) -> tuple[ClipRun, list[TrackedFrame]]:
    clip_run = process_clip(clip, hub, ClipOptions(), folder, ClipWatch())
    return clip_run, list(clip_run.frames)


def joints_px(hub: ModelHub, frame: TrackedFrame) -> np.ndarray:
    """(24, 2) of the primary person."""
    person = frame.people[0]
    body = hub.wait(0).body.pose(person.pose, vertices=False)
    return frame.camera.project(body.joints_m[0] + person.pose.translations_m[0])


@pytest.fixture(scope="module")
def runner(
    hub: ModelHub, shared_media: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ClipRun, list[TrackedFrame]]:
    return run(hub, shared_media / "vid.mp4", tmp_path_factory.mktemp("runner"))


def test_the_runner_is_one_person_with_one_id_in_all_180_frames(
    runner: tuple[ClipRun, list[TrackedFrame]],
) -> None:
    clip_run, frames = runner
    assert clip_run.info.frame_count == len(frames) == 180
    assert [frame.index for frame in frames] == list(range(180))
    assert {len(frame.people) for frame in frames} == {1}
    assert {frame.people[0].track_id for frame in frames} == {clip_run.primary_id}
    assert {frame.people[0].provenance for frame in frames} == {Provenance.OBSERVED}


def test_the_runner_runs_upright_to_the_right_inside_her_box(
    hub: ModelHub, runner: tuple[ClipRun, list[TrackedFrame]]
) -> None:
    for frame in runner[1][::10]:
        joints = dict(zip(SMPL24.joints, joints_px(hub, frame), strict=True))
        x1, y1, x2, y2 = frame.people[0].box_xyxy_px
        assert joints["head"][1] < joints["pelvis"][1] < joints["left_knee"][1]
        margin = 0.05 * (y2 - y1)
        inside = [
            x1 - margin <= x <= x2 + margin and y1 - margin <= y <= y2 + margin
            for x, y in joints.values()
        ]
        # a wrist or toe may leave a box that follows the silhouette
        assert sum(inside) >= 22


def test_twelve_blacked_out_frames_are_interpolated_near_to_what_was_there(
    hub: ModelHub,
    shared_media: Path,
    tmp_path: Path,
    runner: tuple[ClipRun, list[TrackedFrame]],
) -> None:
    images = [
        np.zeros_like(frame.image) if frame.index in BLACK else frame.image
        for frame in open_clip(shared_media / "vid.mp4").frames(100)
    ]
    clip = clip_file(tmp_path / "blanked.mp4", images)
    del images
    clip_run, frames = run(hub, clip, tmp_path)
    assert len(frames) == 100
    assert {len(frame.people) for frame in frames} == {1}
    words = {frame.index: frame.people[0].provenance for frame in frames}
    assert [i for i, word in words.items() if word is Provenance.INTERPOLATED] == list(BLACK)
    assert {frame.people[0].track_id for frame in frames} == {clip_run.primary_id}
    assert all(0.4 < frames[i].people[0].tracking_confidence < 1 for i in BLACK)
    # the pelvis is found to a tenth of her height (about 600 px) although she was not seen
    for i in BLACK:
        pelvis, truth = joints_px(hub, frames[i])[0], joints_px(hub, runner[1][i])[0]
        assert np.linalg.norm(pelvis - truth) < 60


def test_everybody_visible_in_the_park_keeps_one_id(
    hub: ModelHub, shared_media: Path, tmp_path: Path
) -> None:
    clip_run, frames = run(hub, shared_media / "sports2d.mp4", tmp_path)
    assert clip_run.info.frame_count == 230
    shown = Counter(person.track_id for frame in frames for person in frame.people)
    # the jumper in every frame, and the passer-by, who comes out from behind a tree
    assert shown[clip_run.primary_id] == 230
    assert len(shown) == 2
    assert min(shown.values()) > 150
    for frame in frames:
        ids = [person.track_id for person in frame.people]
        assert len(ids) == len(set(ids))
        assert ids[0] == clip_run.primary_id


def test_two_clips_in_a_row_do_not_mix(
    hub: ModelHub,
    shared_media: Path,
    tmp_path: Path,
    runner: tuple[ClipRun, list[TrackedFrame]],
) -> None:
    frames = [frame.image for frame in open_clip(shared_media / "p2s_multi1.mp4").frames(12)]
    run(hub, clip_file(tmp_path / "other.mp4", frames, fps=60), tmp_path)
    _, again = run(hub, shared_media / "vid.mp4", tmp_path)
    for before, after in zip(runner[1], again, strict=True):
        np.testing.assert_allclose(
            before.people[0].pose.translations_m, after.people[0].pose.translations_m, atol=1e-6
        )


def test_a_session_holds_a_real_person_through_blank_frames_sent_four_at_a_time(
    hub: ModelHub, shared_media: Path
) -> None:
    pictures = [
        frame.image[::3, ::3].copy() for frame in open_clip(shared_media / "vid.mp4").frames(24)
    ]
    blank = {9, 10, 17}
    store = SessionStore()
    key = SessionKey("run", "peer")

    def send(index: int) -> TrackedFrame:
        image = np.zeros_like(pictures[index]) if index in blank else pictures[index]
        frame = Frame(index, 0.0, image)
        return hub.run_frame(
            lambda engine: store.step(engine, [SessionFrame(frame, key, store)])[0]
        )

    order = [i + j for i in range(0, 24, 4) for j in (2, 0, 3, 1)]
    with ThreadPoolExecutor(4) as callers:
        answers = dict(zip(order, callers.map(send, order), strict=True))
    assert all(answer.index == index for index, answer in answers.items())
    assert {len(answer.people) for answer in answers.values()} == {1}
    assert {answer.people[0].track_id for answer in answers.values()} == {1}
    for index, answer in answers.items():
        person = answer.people[0]
        assert (person.provenance is Provenance.OBSERVED) == (index not in blank)
        assert (person.tracking_confidence == 1) == (index not in blank)
        assert person.joint_confidence.mean() > 0.3
