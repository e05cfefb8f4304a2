"""Masks, looks and risks of identities on their way to disk and back."""

import errno
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import numpy as np
import orjson
import pytest
from legacy_kit import CAMERA, Stand, frame_of, person
from test_clip_tracks import observation

from pose_service.core.masks import Mask
from pose_service.core.records import ClipInfo, TrackedFrame
from pose_service.pipeline.frame_lines import FRAMES_NAME
from pose_service.pipeline.observation_log import ObservationLog
from pose_service.pipeline.results import StoredClip, write_result
from pose_service.pipeline.video import ClipRun

DISC = Mask.of(np.hypot(*np.mgrid[-180:180, -300:340]) < 90)
INFO = ClipInfo(1, 30.0, 640, 360, 0.0)


def test_masks_of_any_length_come_back_with_their_own_records(tmp_path: Path) -> None:
    whole = Mask.of(np.ones((20, 30), bool))
    log = ObservationLog(tmp_path / "log.bin")
    for frame, mask in enumerate((DISC, None, whole)):
        seen = replace(observation(1, frame), mask=mask, identity_risk=frame / 4)
        log.append(frame, [seen, observation(2, 0)])
    back = log.read(1, 0, 3)
    other = log.read(2, 0, 3)
    log.close()
    assert [seen.identity_risk for seen in back] == [0, 0.25, 0.5]
    assert back[1].mask is None
    assert back[0].mask is not None
    assert back[2].mask is not None
    np.testing.assert_array_equal(back[0].mask.pixels(), DISC.pixels())
    np.testing.assert_array_equal(back[2].mask.runs, whole.runs)
    assert {seen.mask for seen in other} == {None}


def test_a_closed_log_leaves_no_masks_behind(tmp_path: Path) -> None:
    log = ObservationLog(tmp_path / "log.bin")
    log.append(0, [replace(observation(1, 0), mask=DISC)])
    assert len(list(tmp_path.iterdir())) == 2
    log.close()
    assert list(tmp_path.iterdir()) == []


def stored(folder: Path, frame: TrackedFrame) -> TrackedFrame:
    """`frame` as it comes back from a result in `folder`."""
    write_result(folder, ClipRun(INFO, 1, "toy/1", "toy", iter([frame])))
    (back,) = StoredClip.open(folder).frames()
    return back


def test_a_result_keeps_masks_and_risks(tmp_path: Path) -> None:
    with_mask = replace(person(Stand()), mask=DISC, identity_risk=0.123456)
    assert (CAMERA.height_px, CAMERA.width_px) == DISC.pixels().shape
    first, second = stored(tmp_path, frame_of(with_mask, person(Stand(track_id=2)))).people
    assert first.mask is not None
    np.testing.assert_array_equal(first.mask.pixels(), DISC.pixels())
    assert first.identity_risk == pytest.approx(0.1235)
    assert (second.mask, second.identity_risk) == (None, 0)


def test_a_result_of_before_there_were_masks_is_read(tmp_path: Path) -> None:
    stored(tmp_path, frame_of(person(Stand())))
    path = tmp_path / FRAMES_NAME
    record = orjson.loads(path.read_bytes())
    del record["people"][0]["identity_risk"]
    path.write_bytes(orjson.dumps(record))
    (frame,) = StoredClip.open(tmp_path).frames()
    assert (frame.people[0].mask, frame.people[0].identity_risk) == (None, 0)


def test_a_log_that_a_full_disk_did_not_take_is_thrown_away_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ObservationLog(tmp_path / "log.bin")
    log.append(0, [replace(observation(1, 0), mask=DISC)])
    files = log._file, log._masks._file

    def full(file: IO[bytes]) -> None:
        file.close()
        raise OSError(errno.ENOSPC, "No space left on device")

    for owner, file in zip((log, log._masks), files, strict=True):
        monkeypatch.setattr(owner, "_file", SimpleNamespace(close=partial(full, file)))
    log.close()
    assert all(file.closed for file in files)
    assert list(tmp_path.iterdir()) == []
