"""Who is believed, who is looked at again, and who is somebody else already."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from blazepose_kit import look

from pose_service.blazepose import people as module
from pose_service.blazepose.crop_mask import CropMask
from pose_service.blazepose.landmarks import LandmarkResult
from pose_service.blazepose.people import BlazePosePeople
from pose_service.blazepose.roi import Roi
from pose_service.blazepose.same_body import same_body, same_square
from pose_service.core.arrays import ImageArray
from pose_service.core.records import NEW_TRACK, Regions
from pose_service.core.skeletons import BLAZEPOSE33, SMPL24

IMAGE = np.zeros((600, 800, 3), np.uint8)
See = Callable[[Roi], LandmarkResult]


def regions(*rows: tuple[float, float, int]) -> Regions:
    """One upright square of side 100 per (x, y, track id)."""
    rois = np.array([(x, y, 100, 0) for x, y, _ in rows], float).reshape(-1, 4)
    ids = np.array([track_id for _, _, track_id in rows], np.int64)
    return Regions(np.zeros((len(rows), 4)), np.ones(len(rows)), rois, ids)


class Scripted(BlazePosePeople):
    """People seen by a function of the square, with a list of the squares looked at."""

    def __init__(self, see: See) -> None:
        super().__init__(Path())
        self.see = see
        self.looked: list[Roi] = []

    def look(self, image: ImageArray, roi: Roi) -> LandmarkResult:
        self.looked.append(roi)
        return self.see(roi)


@pytest.fixture
def seeing(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    monkeypatch.setattr(module, "Network", lambda *_, **__: None)
    return Scripted


def there(hq: float = 0.8, flag: float = 1.0) -> See:
    """A person in every square, just where it is."""
    return lambda roi: look(roi.x, roi.y, roi.side, hq=hq, flag=flag)


def test_no_region_gives_nobody(seeing: type[Scripted]) -> None:
    assert seeing(there()).observe(IMAGE, Regions.empty()) == []


def test_a_find_that_rests_is_looked_at_once(seeing: type[Scripted]) -> None:
    people = seeing(there())
    (seen,) = people.observe(IMAGE, regions((300, 300, NEW_TRACK)))
    assert len(people.looked) == 1
    assert seen.track_id == NEW_TRACK
    assert seen.confidence == pytest.approx(0.8)
    assert seen.roi.tolist() == [300, 300, 100, 0]


def test_a_find_that_moves_is_followed_for_three_looks(seeing: type[Scripted]) -> None:
    people = seeing(lambda roi: look(roi.x + 10, roi.y))
    (seen,) = people.observe(IMAGE, regions((300, 300, NEW_TRACK)))
    assert [roi.x for roi in people.looked] == [300, 310, 320]
    assert seen.roi[0] == 330


def test_a_hopeless_find_is_given_up_after_one_look(seeing: type[Scripted]) -> None:
    people = seeing(lambda roi: look(roi.x + 10, roi.y, hq=0.2, flag=0.2))
    assert people.observe(IMAGE, regions((300, 300, NEW_TRACK))) == []
    assert len(people.looked) == 1


@pytest.mark.parametrize(("hq", "flag"), [(0.49, 1.0), (0.9, 0.49)])
def test_a_find_must_convince_in_both_signals(
    seeing: type[Scripted], hq: float, flag: float
) -> None:
    assert seeing(there(hq, flag)).observe(IMAGE, regions((300, 300, NEW_TRACK))) == []


def test_a_tracks_person_is_believed_more_easily(seeing: type[Scripted]) -> None:
    (seen,) = seeing(there(hq=0.36)).observe(IMAGE, regions((300, 300, 7)))
    assert seen.track_id == 7


def test_a_track_whose_person_is_unclear_gets_one_more_look_on_the_new_square(
    seeing: type[Scripted],
) -> None:
    people = seeing(lambda roi: look(320, 300, hq=0.3 if roi.x == 300 else 0.6))
    (seen,) = people.observe(IMAGE, regions((300, 300, 7)))
    assert [roi.x for roi in people.looked] == [300, 320]
    assert seen.confidence == pytest.approx(0.6)


def test_a_track_that_sees_nothing_at_all_gets_no_second_look(seeing: type[Scripted]) -> None:
    people = seeing(there(hq=0.1, flag=0.1))
    assert people.observe(IMAGE, regions((300, 300, 7))) == []
    assert len(people.looked) == 1


def test_a_track_does_not_jump_to_a_body_far_away(seeing: type[Scripted]) -> None:
    people = seeing(lambda roi: look(300 + 61, 300))
    assert people.observe(IMAGE, regions((300, 300, 7))) == []


def test_the_track_keeps_a_body_that_a_find_shows_too(seeing: type[Scripted]) -> None:
    people = seeing(lambda roi: look(300, 300, hq=0.4 if roi.x == 300 else 0.9))
    found = people.observe(IMAGE, regions((330, 300, NEW_TRACK), (300, 300, 7)))
    assert [seen.track_id for seen in found] == [7]


def test_a_find_on_a_known_persons_square_is_not_looked_at(seeing: type[Scripted]) -> None:
    people = seeing(there())
    people.observe(IMAGE, regions((300, 300, 7), (305, 300, NEW_TRACK)))
    assert [roi.x for roi in people.looked] == [300]


def test_two_finds_of_one_body_become_the_surer_one(seeing: type[Scripted]) -> None:
    people = seeing(lambda roi: look(300, 300, hq=0.6 if roi.x < 300 else 0.7))
    found = people.observe(IMAGE, regions((270, 300, NEW_TRACK), (330, 300, NEW_TRACK)))
    assert [seen.confidence for seen in found] == [pytest.approx(0.7)]


def test_neighbours_are_both_seen(seeing: type[Scripted]) -> None:
    found = seeing(there()).observe(IMAGE, regions((300, 300, NEW_TRACK), (345, 300, NEW_TRACK)))
    assert len(found) == 2


def test_boxes_are_cut_to_the_picture_and_bodies_outside_left_out(seeing: type[Scripted]) -> None:
    found = seeing(there()).observe(IMAGE, regions((5, 300, NEW_TRACK), (-60, 300, NEW_TRACK)))
    assert [seen.box_xyxy_px.tolist() for seen in found] == [[0, 260, 25, 340]]


def test_a_limbs_confidence_is_its_peak_and_a_faces_its_visibility(
    seeing: type[Scripted],
) -> None:
    (seen,) = seeing(there(hq=0.6)).observe(IMAGE, regions((300, 300, NEW_TRACK)))
    assert seen.joint_confidence[SMPL24.index("left_knee")] == pytest.approx(0.6)
    assert seen.joint_confidence[SMPL24.index("head")] == pytest.approx(0.9)


def test_a_limb_without_a_peak_is_not_believed_whatever_its_visibility(
    seeing: type[Scripted],
) -> None:
    (seen,) = seeing(there(hq=0.6)).observe(IMAGE, regions((300, 300, NEW_TRACK)))
    assert seen.landmark_confidence[BLAZEPOSE33.index("left_knee")] == pytest.approx(0.6)
    assert seen.landmark_confidence[BLAZEPOSE33.index("nose")] == pytest.approx(0.9)


def test_a_body_seen_with_left_and_right_exchanged_is_the_same_body() -> None:
    known, other = look(300, 300), look(300, 300)
    other.landmarks_px[11:33] = other.landmarks_px[11:33].reshape(11, 2, 2)[:, ::-1].reshape(22, 2)
    other.landmarks_px[11:17] += 40  # the arms are elsewhere; hips, knees and ankles coincide
    assert same_body(known, other)


def test_the_same_pixels_taken_for_a_person_are_one_body() -> None:
    known, other = look(300, 300), look(300, 300)
    other.landmarks_px[:, 1] -= 30
    assert same_body(known, other)
    other.box_xyxy_px[:] += 30
    assert not same_body(known, other)


@pytest.mark.parametrize(
    ("roi", "same"),
    [
        (Roi(309, 300, 100, 0), True),
        (Roi(311, 300, 100, 0), False),
        (Roi(300, 300, 74, 0), False),
        (Roi(300, 300, 134, 0), False),
    ],
)
def test_a_square_belongs_to_a_person_when_place_and_size_agree(roi: Roi, same: bool) -> None:
    assert same_square(Roi(300, 300, 100, 0), roi) is same


def test_a_persons_pixels_are_told_where_they_are_asked_for(seeing: type[Scripted]) -> None:
    logits = np.full((256, 256), -1.0)
    logits[64:192, 96:160] = 1.0  # half as high and a quarter as wide as the square of 100 px
    people = seeing(lambda roi: replace(look(roi.x, roi.y, roi.side), mask=CropMask(logits, roi)))
    where = regions((300, 300, NEW_TRACK))
    (plain,) = people.observe(IMAGE, where)
    (asked,) = people.observe(IMAGE, where, masks=True)
    assert plain.mask is None
    assert asked.mask is not None
    rows, columns = np.nonzero(asked.mask.pixels())
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == pytest.approx(
        (275, 324, 288, 311), abs=1
    )


def test_a_look_without_a_mask_gives_none(seeing: type[Scripted]) -> None:
    (seen,) = seeing(there()).observe(IMAGE, regions((300, 300, NEW_TRACK)), masks=True)
    assert seen.mask is None
