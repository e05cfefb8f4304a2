"""One long clip over two workers on the servers that several machines share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chunks_kit import Counting, alone, engine_of, machine, walkers
from servers import object_store, postgres, redis, wait_for
from toy_engine import toy_engine

from pose_service.core.errors import NotFoundError
from pose_service.jobs.chunk_rows import Chunk, ChunkState
from pose_service.jobs.service import Order
from pose_service.media.part import WHOLE
from pose_service.pipeline.makers import made_by
from pose_service.pipeline.sights import CHUNK_FRAMES

FRAMES = 4 * CHUNK_FRAMES + 10


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[dict[str, Any]]:
    with postgres() as database, redis(tmp_path) as queue, object_store() as objects:
        yield {
            "database_url": database.url,
            "queue_url": queue.url,
            "storage_url": objects.url,
        }


def test_a_clip_is_shared_over_postgres_redis_and_an_object_store(
    servers: dict[str, Any], tmp_path: Path
) -> None:
    clip = walkers(tmp_path / "a.mp4", FRAMES)
    expected = alone(tmp_path / "alone", clip, toy_engine())
    own, helping = Counting(held_at=0), Counting()
    with (
        machine(tmp_path, "one", engine_of(own), **servers) as one,
        machine(tmp_path, "two", engine_of(helping), **servers) as two,
    ):
        one.service.start()
        upload = one.service.uploads_dir / "a.mp4"
        upload.write_bytes(clip.read_bytes())
        job_id = one.service.submit(Order("a.mp4", upload=upload)).job_id
        wait_for(lambda: own.holds)
        two.service.start()
        wait_for(lambda: helping.observed == 3 * CHUNK_FRAMES)
        mark, rows = made_by(clip, toy_engine(), WHOLE), two.room.rows
        chunk = Chunk(job_id, mark, 1)
        for number in (1, 2, 3):
            made = Chunk(job_id, mark, number)
            wait_for(lambda made=made: rows.state(made) == ChunkState(None, done=True))
        two.room.fetch(chunk, tmp_path / "there.npz", lambda: None)
        own.let_go.set()
        assert two.result(job_id) == expected
        assert own.observed == FRAMES - helping.observed
        wait_for(lambda: not two.room.rows.settled_jobs())
        with pytest.raises(NotFoundError):
            two.room.fetch(chunk, tmp_path / "gone.npz", lambda: None)
