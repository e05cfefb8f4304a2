"""Servers and clips of the fault table."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from makers import clip_file
from servers import ObjectStore, Postgres, Redis, object_store, postgres, redis
from toy_engine import picture


@pytest.fixture(scope="session")
def database() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def objects() -> Iterator[ObjectStore]:
    with object_store() as server:
        yield server


@pytest.fixture
def shared(database: Postgres, broker: Redis, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings of machines that share everything; the database is empty."""
    yield {
        "POSE_DATABASE_URL": database.url,
        "POSE_QUEUE_URL": broker.url,
        "POSE_STORAGE_URL": f"file://{tmp_path}/storage",
    }
    database.empty()


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """Short clips of somebody who walks, each of another length."""
    return [
        clip_file(
            tmp_path / f"clip{number}.mp4",
            [picture((20 + 3 * i, 40, 70 + 3 * i, 200)) for i in range(20 + number)],
        )
        for number in range(4)
    ]
