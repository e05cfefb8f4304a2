"""The service with toy nets, for the tests that ask it what a client would ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from contract_kit import CLIP_FPS, CLIP_FRAMES, Caller, running
from makers import clip_file
from toy_engine import picture

from pose_service.core.config import Settings


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `video_path` may point into."""
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="session")
def settings(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        state_dir=tmp_path_factory.mktemp("state"),
        media_roots=(media,),
        max_body_mb=1,
        max_upload_mb=2,
        max_pixels=1_000_000,
        clip_wait_s=60,
    )


@pytest.fixture(scope="session")
def caller(settings: Settings) -> Iterator[Caller]:
    """A client of one service that all tests share: each must leave it able to serve."""
    with running(settings) as caller:
        yield caller


@pytest.fixture(scope="session")
def clip(media: Path) -> Path:
    """One person walks to the right; frames 8 to 11 are black."""
    images = [
        picture() if 8 <= i < 12 else picture((60 + 2 * i, 40, 120 + 2 * i, 200))
        for i in range(CLIP_FRAMES)
    ]
    return clip_file(media / "walk.mp4", images, fps=CLIP_FPS)
