"""A long clip over two workers of the 4dhumans engine, and where its frames do not stand apart."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from chunks_kit import alone, machine
from jobs_kit import PATIENCE_S, eventually
from makers import clip_file
from official_files import write_files
from tiny_fourdhumans import ENGINE, picture, settings

from pose_service.core.arrays import ImageArray
from pose_service.core.records import Look, Regions
from pose_service.engines.seam import Detector, Engine
from pose_service.jobs import chunk_rows
from pose_service.pipeline import apart, first_pass, sights, video

CHUNK_FRAMES = 16
"""Fewer than usual: a frame takes a tenth of a second."""

FRAMES = 2 * CHUNK_FRAMES + 3


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def engine(data_dir: Path) -> Engine:
    return ENGINE.build(settings(data_dir, clip_score=0.2, batch=7, phalp="off"))


@pytest.fixture
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sights, video, first_pass, apart, chunk_rows):
        monkeypatch.setattr(module, "CHUNK_FRAMES", CHUNK_FRAMES)


@dataclass
class Held:
    """A detector that waits until it is let go."""

    detector: Detector
    let_go: Event = field(default_factory=Event)
    shown: int = 0

    def detect(self, images: list[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        self.shown += len(images)
        assert self.let_go.wait(PATIENCE_S)
        return self.detector.detect(images, look)


def moving(path: Path) -> Path:
    """The tiny detector's picture, which drifts, so that no two frames are alike."""
    return clip_file(path, [np.roll(picture(), i, axis=1) for i in range(FRAMES)])


@pytest.mark.usefixtures("short_chunks")
def test_two_workers_of_the_4dhumans_engine_make_what_one_makes(
    engine: Engine, tmp_path: Path
) -> None:
    clip = moving(tmp_path / "a.mp4")
    expected = alone(tmp_path / "alone", clip, engine)
    assert any(frame["people"] for frame in expected)
    own = Held(engine.detector)
    with (
        machine(tmp_path, "one", replace(engine, detector=own)) as one,
        machine(tmp_path, "two", engine) as two,
    ):
        one.service.start()
        job_id = one.submit(clip)
        eventually(lambda: own.shown)
        two.service.start()
        eventually(lambda: one.made(job_id) == [1])
        own.let_go.set()
        assert one.result(job_id) == expected
        assert own.shown == FRAMES - CHUNK_FRAMES


def test_frames_stand_apart_where_the_detector_looks_at_each_of_them(data_dir: Path) -> None:
    engines = [ENGINE.build(settings(data_dir, detect_every=every)) for every in (1, 2)]
    assert [engine.frames_apart for engine in engines] == [True, False]


def test_what_changes_the_order_of_sums_is_in_the_setup(engine: Engine) -> None:
    assert "/7" in engine.setup
    assert "torch" in engine.setup
    assert "CPU with" in engine.setup
