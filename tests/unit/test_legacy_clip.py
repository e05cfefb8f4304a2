"""The answer to a clip is written as its frames are read."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from legacy_kit import CAMERA, Stand, answer_to, frame_of, maker_of, person
from toy_engine import ToyBody

from pose_service.core.records import ClipInfo, Provenance, TrackedFrame
from pose_service.legacy.clip import POSED_TOGETHER, ClipAnswer
from pose_service.legacy.options import AnswerOptions, Faces
from pose_service.pipeline.quality import TrackMeter
from pose_service.pipeline.results import ResultHead, StoredClip
from pose_service.pipeline.tracks import MergedTrack


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


def _persons(options: AnswerOptions) -> list[dict[str, Any]]:
    """Of the one frame of a clip: one person who was seen, and one who was filled."""
    seen, filled = person(Stand()), person(Stand(track_id=2, provenance=Provenance.INTERPOLATED))
    own = replace(seen.pose, shapes=np.array([[1.25]]), translations_m=np.array([[0.5, 0, 4]]))
    frame = frame_of(replace(seen, raw_pose=own, identity_risk=0.25), filled)
    persons: list[dict[str, Any]] = answer_to(frame, options)["persons"]
    return persons


def test_each_frames_own_solution_is_answered_where_it_is_asked_for() -> None:
    one, two = _persons(AnswerOptions(persons=True, raw=True))
    assert one["raw"]["camera_translation"] == [0.5, 0, 4]
    assert one["raw"]["body"]["scale"] == 1.25
    assert one["body"]["scale"] == 1.0
    assert set(one["raw"]) == {"camera_translation", "smpl", "body"}
    assert two["raw"] is None


def test_raw_values_are_left_out_where_nobody_asks() -> None:
    assert all("raw" not in one for one in _persons(AnswerOptions(persons=True)))


def test_a_raw_value_that_is_no_number_is_null() -> None:
    one = person(Stand())
    broken = replace(one.pose, translations_m=np.array([[np.nan, 0, 4]]))
    answer = answer_to(
        frame_of(replace(one, raw_pose=broken)), AnswerOptions(persons=True, raw=True)
    )
    assert answer["persons"][0]["raw"] is None


def test_the_risk_of_a_mistaken_identity_is_answered() -> None:
    assert [one["identity_risk"] for one in _persons(AnswerOptions(persons=True))] == [0.25, 0.0]


def test_what_was_joined_and_measured_stands_in_the_clips_head() -> None:
    head = ResultHead(
        ClipInfo(3, 30.0, 640, 360, 0.1), 1, "toy/1", "toy",
        merged_tracks=(MergedTrack(1, (4,), 71, 20, 0.93),),
        quality=(TrackMeter(1, ToyBody(), CAMERA).report(3),),
    )  # fmt: skip
    answer = ClipAnswer.whole(
        CountingClip(Path("nowhere"), head), maker_of(ToyBody()), AnswerOptions(), {}
    )
    result = orjson.loads(b"".join(answer.write()))
    assert result["merged_tracks"] == [
        {"kept": 1, "joined": [4], "at_frame": 71, "gap_frames": 20, "likeness": 0.93}
    ]
    assert [one["track_id"] for one in result["quality"]] == [1]
    assert result["quality"][0]["risk_ranges"] == []
