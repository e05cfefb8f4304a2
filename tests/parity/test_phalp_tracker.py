"""Two scripted scenes, event for event as upstream's tracker went through them.

A: four people, false finds, crossings, absences of 20 and 55 frames, an empty frame. B: ten people
whom only their places tell apart, absences, a shot change. The nets were replaced there: looks are
16 numbers, and poses stay as they were seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import pytest
from standin_phalp import golden, golden_scene

from pose_service.core.arrays import FloatArray
from pose_service.phalp.records import BoolArray, Compat, Detection
from pose_service.phalp.track.backfill import confirmed_people
from pose_service.phalp.track.frames import TrackedFrame, TrackedPerson
from pose_service.phalp.track.track import Track
from pose_service.phalp.tracker import PhalpTracker

# upstream takes squares apart in float32, see test_phalp_distance
COST_LIMIT = 0.01
# the golden has six decimals
LOCATION_LIMIT = 2e-6
BOX_LIMIT_PX = 1e-3
N_INIT = 5


class SmallLooks:
    """Sixteen numbers; of a track the newest ones."""

    def costs(
        self, tracks: Sequence[FloatArray], detections: Sequence[FloatArray], possible: BoolArray
    ) -> FloatArray:
        apart = np.stack(tracks)[:, None] / 1000 - np.stack(detections) / 1000
        return np.where(possible, np.square(apart).sum(axis=2), np.nan)

    def mixed(
        self, kept: Sequence[FloatArray], seen: Sequence[FloatArray], scores: FloatArray
    ) -> list[FloatArray]:
        return list(seen)


@dataclass(frozen=True)
class Run:
    """A scene and what our tracker did in it: each frame, and the tracks after it."""

    script: dict[str, Any]
    frames: list[TrackedFrame]
    tracks: list[tuple[Track, ...]]

    def events(self) -> list[tuple[dict[str, Any], TrackedFrame, tuple[Track, ...]]]:
        return list(zip(self.script["frames"], self.frames, self.tracks, strict=True))


def played(scene: str, compat: Compat) -> Run:
    script, people = golden_scene(scene), golden(scene)
    shots = [frame["shot"] for frame in script["record"].values()]
    tracker = PhalpTracker(looks=SmallLooks(), compat=compat)
    run = Run(script, [], [])
    for index, shot in enumerate(shots):
        chosen = np.flatnonzero(people["det_frame"] == index)
        detections = [
            Detection(
                box_xyxy_px=np.r_[
                    people["bbox"][row, :2], people["bbox"][row].reshape(2, 2).sum(0)
                ],
                score=float(people["conf"][row]),
                square_px=1280,
                location=people["loca"][row],
                pose=people["pose"][row],
            )
            for row in chosen
        ]
        looks = [people["appe"][row] for row in chosen]
        run.frames.append(tracker.step(index, detections, looks, shot=bool(shot)))
        run.tracks.append(tracker.tracks)
    return run


@pytest.fixture(scope="module", params=["tracker", "tracker_b"])
def run(request: pytest.FixtureRequest) -> Run:
    return played(request.param, "upstream")


def test_scenes_show_what_they_are_for(run: Run) -> None:
    events = run.script["frames"]
    assert len(events) in (80, 30)
    assert max(frame["n_det"] for frame in events) in (4, 5, 10)
    assert any(frame["unmatched_tracks"] for frame in events)


def test_costs_are_upstream_s(run: Run) -> None:
    compared = 0
    for wanted, frame, _ in run.events():
        if wanted["cost"] is None:
            assert frame.costs.size == 0
            continue
        gated = np.where(frame.costs > 100, 100.00001, frame.costs)
        np.testing.assert_allclose(gated, wanted["cost"], rtol=COST_LIMIT)
        compared += gated.size
    assert compared > 900


def test_matches_are_upstream_s_and_in_its_order(run: Run) -> None:
    for wanted, frame, _ in run.events():
        found = frame.assignment
        assert [list(pair) for pair in found.matches] == wanted["match"]
        assert list(found.unmatched_tracks) == wanted["unmatched_tracks"]
        assert list(found.unmatched_detections) == wanted["unmatched_detections"]


def test_tracks_live_as_upstream_s(run: Run) -> None:
    """Who is there before and after each frame, believed or not, seen how often and when."""
    before: list[int] = []
    for wanted, frame, tracks in run.events():
        assert before == wanted["tracks_before"]
        before = [track.track_id for track in tracks]
        assert len(tracks) == len(wanted["tracks"])
        for track, person, each in zip(tracks, frame.people, wanted["tracks"], strict=True):
            assert (track.track_id, person.track_id) == (each["id"], each["id"])
            assert track.confirmed == person.confirmed == (each["state"] == 2)
            assert track.hits == each["hits"]
            assert person.missed == each["tsu"]
            assert track.seen_at == each["last_time"]
            assert track.history.times.tolist() == each["hist_times"]
            seen_as = frame.track_ids.index(track.track_id) if not person.missed else -1
            assert seen_as == each["det"]


def test_predicted_places_are_upstream_s(run: Run) -> None:
    for wanted, _, tracks in run.events():
        for track, each in zip(tracks, wanted["tracks"], strict=True):
            np.testing.assert_allclose(
                track.location[88:], each["pred_loca"], rtol=LOCATION_LIMIT, atol=LOCATION_LIMIT
            )


def test_record_is_upstream_s_with_first_sights_and_ghosts(run: Run) -> None:
    """A confirmed track's first sights stand last in their frames; who is missed is repeated."""
    record = list(run.script["record"].values())
    kept = list(confirmed_people(run.frames, N_INIT))
    assert [index for index, _ in kept] == [frame["time"] for frame in record]
    for (index, people), wanted in zip(kept, record, strict=True):
        assert [person.track_id for person in people] == wanted["tid"]
        assert [person.missed for person in people] == wanted["tracked_time"]
        seen = [person for person in people if not person.missed]
        assert [person.track_id for person in seen] == wanted["tracked_ids"]
        if "bbox" not in wanted:
            continue
        for person, box in zip(people, wanted["bbox"], strict=True):
            np.testing.assert_allclose(xywh(person), box, rtol=0, atol=BOX_LIMIT_PX)
        for person, box in zip(seen, wanted["tracked_bbox"], strict=True):
            np.testing.assert_allclose(xywh(person), box, rtol=0, atol=BOX_LIMIT_PX)
        pictures = [int(PurePath(name).stem) - 1 for name in wanted["img_name"]]
        assert [index - person.missed for person in people] == pictures


def xywh(person: TrackedPerson) -> FloatArray:
    low, high = person.detection.box_xyxy_px.reshape(2, 2)
    return np.concatenate([low, high - low])


def test_scene_a_has_back_filled_sights_and_ghosts() -> None:
    """So the record's test cannot pass on frames without any."""
    frames = list(golden_scene("tracker")["record"].values())
    assert any(time > 0 for frame in frames for time in frame["tracked_time"])
    # nobody is believed before the fifth frame
    assert all(frame["tid"] for frame in frames[:4])


@pytest.mark.parametrize("scene", ["tracker", "tracker_b"])
def test_fixed_keeps_who_upstream_keeps(scene: str) -> None:
    """In these scenes nothing is undefined: only fresh tracks cost otherwise."""
    fixed, upstream = played(scene, "fixed"), played(scene, "upstream")
    for frame, other in zip(fixed.frames, upstream.frames, strict=True):
        assert frame.track_ids == other.track_ids
