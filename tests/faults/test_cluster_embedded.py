"""Two workers and a front on the embedded engine, with real clips and everything shared."""

import time
from pathlib import Path

import numpy as np
import pytest
from faults_kit import Count, cluster, told
from makers import clip_file
from servers import ObjectStore, wait_for

from pose_service.blazepose.files import DETECTOR_FILE, LANDMARK_FILE
from pose_service.core.arrays import ImageArray
from pose_service.core.config import read_settings
from pose_service.media.decode import open_clip

pytestmark = pytest.mark.faults

FRAMES = 24


@pytest.fixture(scope="module")
def real_clips(shared_media: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Short pieces of real clips, at half their size."""
    folder = read_settings().data_dir / "networks"
    if not all((folder / file.name).is_file() for file in (DETECTOR_FILE, LANDMARK_FILE)):
        pytest.skip("no networks here: run `python -m pose_service fetch-weights embedded`")
    home = tmp_path_factory.mktemp("real")
    made = []
    for name in ("vid.mp4", "sports2d.mp4"):
        frames = open_clip(shared_media / name).frames(FRAMES)
        images = [half(frame.image) for frame in frames]
        made.append(clip_file(home / name, images))
    return made


def half(image: ImageArray) -> ImageArray:
    """At half its size, cut to an even one, as the encoder wants it."""
    height, width = (side // 4 * 4 for side in image.shape[:2])
    return np.ascontiguousarray(image[:height:2, :width:2])


def test_real_clips_on_two_workers_are_what_they_are_on_one_machine(
    shared: dict[str, str],
    objects: ObjectStore,
    real_clips: list[Path],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    media = {"POSE_MEDIA_ROOTS": str(real_clips[0].parent), "POSE_ENGINE": "embedded"}
    alone = tmp_path / "alone"
    alone.mkdir()
    with cluster(alone, **media) as it:
        it.add("service", "serve")
        it.ready()
        expected = [it.result(it.finished(it.submit(clip))["job_id"]) for clip in real_clips]
    with cluster(tmp_path, **{**shared, **media, "POSE_STORAGE_URL": objects.url}) as it:
        it.add("front", "serve", POSE_FRONT_ONLY="true")
        it.add("worker1", "worker")
        it.add("worker2", "worker")
        it.ready()
        began_s = time.monotonic()
        ids = [it.submit(clip) for _ in range(3) for clip in real_clips]
        seen: set[str] = set()

        def done() -> bool:
            workers = it.patiently("GET", "/health")["workers"]
            seen.update(one["worker"] for one in workers if one["job_id"])
            return all(job["done"] for job in it.jobs())

        wait_for(done, 180)
        count = Count.of(it, ids, began_s)
        told(capfd.disabled, "real clips, embedded engine, two workers", count)
        assert (count.completed, count.lost, count.duplicated) == (len(ids), 0, 0)
        assert len(seen) == 2, "both have worked"
        for number, job_id in enumerate(ids):
            found, wanted = it.result(job_id), expected[number % len(real_clips)]
            assert len(found) == FRAMES and found == wanted
