"""The answer to a clip is written as its frames are read."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from legacy_kit import Stand, frame_of, maker_of, person
from toy_engine import ToyBody

from pose_service.core.records import ClipInfo, TrackedFrame
from pose_service.legacy.clip import POSED_TOGETHER, ClipAnswer
from pose_service.legacy.options import AnswerOptions, Faces
from pose_service.pipeline.results import ResultHead, StoredClip


class CountingClip(StoredClip):
    """A stored clip that is not on disk and counts what was read of it."""

    read = 0

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[TrackedFrame]:
        for index in range(start, self.head.info.frame_count if stop is None else stop):
            type(self).read += 1
            # nobody in the first two frames
            people = [person(Stand())] if index >= 2 else []
            yield frame_of(*people, index=index)


def _answer(frames: int, faces: Faces = Faces.EACH) -> ClipAnswer:
    CountingClip.read = 0
    head = ResultHead(ClipInfo(frames, 29.97, 640, 360, frames / 29.97), 1, "toy/of-then", "toy")
    clip = CountingClip(Path("nowhere"), head)
    return ClipAnswer.whole(clip, maker_of(ToyBody()), AnswerOptions(faces=faces), {"job_id": "a"})


def test_no_more_than_a_batch_of_frames_is_held() -> None:
    written = 0
    for piece in _answer(1000).frames():
        written += piece.count(b'"frame_number"')
        assert CountingClip.read - written <= POSED_TOGETHER
    assert written == CountingClip.read == 1000


def test_nothing_is_read_before_the_answer_is() -> None:
    pieces = _answer(10).write()
    assert CountingClip.read == 0
    assert len(orjson.loads(b"".join(pieces))["frames"]) == 10


def test_the_model_version_is_that_of_the_time_of_the_clip() -> None:
    result = orjson.loads(b"".join(_answer(3).write()))
    assert result["model_version"] == "toy/of-then"
    assert {frame["model_version"] for frame in result["frames"]} == {"toy/of-then"}


def test_faces_once_stand_in_the_first_frame_that_has_a_mesh() -> None:
    result = orjson.loads(b"".join(_answer(6, Faces.ONCE).write()))
    has_faces = [frame["mesh_faces_data"] is not None for frame in result["frames"]]
    assert has_faces == [False, False, True, False, False, False]
    assert result["mesh_faces_data"] is not None


def test_the_first_frame_with_a_mesh_of_a_slice_keeps_its_faces_too() -> None:
    """A viewer builds its triangles from the first frame it draws."""
    result = orjson.loads(b"".join(_answer(30, Faces.ONCE).sliced(20, 23).write()))
    assert [frame["mesh_faces_data"] is not None for frame in result["frames"]] == [
        True, False, False,
    ]  # fmt: skip
    assert result["slice"] == {"from": 20, "to": 23}


@pytest.mark.parametrize("frames", [0, 1, POSED_TOGETHER, POSED_TOGETHER + 1])
def test_every_frame_is_written_once_whatever_the_batches(frames: int) -> None:
    result = orjson.loads(b"".join(_answer(frames).write()))
    assert [frame["frame_number"] for frame in result["frames"]] == list(range(frames))
