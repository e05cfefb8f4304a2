"""The picture check on a drawn person: each thing that may be wrong, alone and together."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from picture_check_kit import (
    FEET_Y_PX,
    HEIGHT_PX,
    PX_PER_M,
    WIDTH_PX,
    FacesAt,
    cut_to_picture,
    drawn,
    standing,
)

from pose_service.avatar.check.body_points import BodyPoints
from pose_service.avatar.check.clip_check import check_clip_sights
from pose_service.avatar.check.picture_check import MIN_STATURE_PX, check_picture, examine
from pose_service.avatar.check.refusals import PictureRefusedError
from pose_service.blazeface.detector import Face
from pose_service.blazepose.roi import Roi
from pose_service.core.arrays import ImageArray
from pose_service.core.records import Observation
from pose_service.core.skeletons import BLAZEPOSE33, SMPL24, Skeleton

FACE = FacesAt()
PERSON = standing()
PICTURE = drawn(PERSON)


def refusal(image: ImageArray, *people: Observation, faces: FacesAt = FACE) -> PictureRefusedError:
    with pytest.raises(PictureRefusedError) as refused:
        check_picture(image, people, faces)
    assert refused.value.status == 422
    assert refused.value.hint
    return refused.value


def test_a_good_picture_passes_and_is_reported() -> None:
    examined = check_picture(PICTURE, [PERSON], FACE)
    assert examined.person is PERSON
    report = examined.report()
    assert report["problems"] == report["other_people"] == []
    assert report["person_height_px"] == round(1.7 * PX_PER_M)
    assert report["face_score"] == 0.9
    assert report["facing"] == 1.0


@pytest.mark.parametrize("skeleton", [BLAZEPOSE33, SMPL24], ids=lambda one: one.name)
def test_both_engines_landmarks_tell_head_size_and_facing(skeleton: Skeleton) -> None:
    for away, facing in ((False, 1.0), (True, -1.0)):
        points = BodyPoints(standing(skeleton=skeleton, away=away))
        assert points.px_per_m == pytest.approx(PX_PER_M)
        assert points.facing == pytest.approx(facing)
        # 1.70 m: some centimetres of skull more or less are all that is claimed
        assert points.head_top_px == pytest.approx(
            (WIDTH_PX / 2, FEET_Y_PX - 1.7 * PX_PER_M), abs=0.03 * PX_PER_M
        )
        square = points.face_square
        assert (square.x, square.y) == pytest.approx(
            (WIDTH_PX / 2, FEET_Y_PX - 1.59 * PX_PER_M), abs=0.02 * PX_PER_M
        )
        assert square.angle == pytest.approx(0)


def test_landmarks_of_an_unknown_engine_are_refused() -> None:
    seen = replace(
        PERSON,
        landmarks_px=np.zeros((5, 2)),
        landmarks_m=np.zeros((5, 3)),
        landmark_confidence=np.zeros(5),
    )
    with pytest.raises(ValueError, match="landmarks_px: expected 33 or 24, got 5"):
        examine(PICTURE, [seen], FACE)


def test_nobody_has_the_exact_text() -> None:
    refused = refusal(PICTURE)
    assert str(refused) == "No person detected in image"
    assert refused.code == "NO_PERSON"


@pytest.mark.parametrize(("gray", "word"), [(0, "more light"), (255, "less light")])
def test_nobody_in_a_black_or_white_picture_is_told_of_the_light(gray: int, word: str) -> None:
    refused = refusal(np.full_like(PICTURE, gray))
    assert str(refused) == "No person detected in image"
    assert word in refused.hint


def test_two_people_of_nearly_one_size_are_refused_and_a_smaller_one_is_reported() -> None:
    # areas go with the square: 0.84 squared is just over the limit of 0.7, 0.83 just under
    main, rival = standing(200), standing(460, scale=0.84 * PX_PER_M)
    refused = refusal(drawn(main, rival), rival, main)
    assert refused.code == "TWO_EQUAL_PEOPLE"
    assert "2 people" in str(refused)
    smaller = standing(460, scale=0.83 * PX_PER_M)
    examined = check_picture(drawn(main, smaller), [smaller, main], FACE)
    assert examined.person is main
    np.testing.assert_array_equal(examined.others_xyxy_px, [smaller.box_xyxy_px])


def test_one_body_seen_twice_is_one_person() -> None:
    again = replace(PERSON, box_xyxy_px=PERSON.box_xyxy_px + 3)
    assert len(check_picture(PICTURE, [PERSON, again], FACE).others_xyxy_px) == 0


@pytest.mark.parametrize("skeleton", [BLAZEPOSE33, SMPL24], ids=lambda one: one.name)
@pytest.mark.parametrize(
    ("height_m", "level"),
    [
        (0.04, "feet"),
        (0.08, "ankles"),
        (0.3, "shins"),
        (0.47, "knees"),
        (0.7, "thighs"),
        (0.92, "hips"),
    ],
)
def test_the_message_says_where_the_picture_ends(
    skeleton: Skeleton, height_m: float, level: str
) -> None:
    seen = cut_to_picture(standing(feet_y_px=HEIGHT_PX + height_m * PX_PER_M, skeleton=skeleton))
    found = examine(PICTURE, [seen], FACE).problems
    assert f"the picture ends at the {level}" in [problem.message for problem in found]
    assert found[0].code == "BODY_CUT"
    assert "Step back" in found[0].hint


def test_feet_just_inside_are_whole_and_just_outside_are_cut() -> None:
    # the toes are 0.02 m over the floor; half a hundredth of the stature must be below them
    edge = HEIGHT_PX + (0.02 - 0.005 * 1.7) * PX_PER_M
    for off_px, whole in ((-1.0, True), (1.0, False)):
        seen = standing(feet_y_px=edge + off_px)
        assert ("BODY_CUT" not in examine(drawn(seen), [seen], FACE).codes) == whole


def test_a_foot_that_nothing_speaks_for_is_cut_only_near_an_edge_that_is_reached() -> None:
    confidence = np.full(33, 0.9)
    for joint in ("ankle", "heel", "foot_index"):
        confidence[BLAZEPOSE33.index(f"left_{joint}")] = 0.2
    in_grass = replace(PERSON, landmark_confidence=confidence)
    assert examine(PICTURE, [in_grass], FACE).codes == ()
    over_edge = replace(in_grass, box_xyxy_px=np.array([200.0, 100, 440, HEIGHT_PX]))
    (problem,) = examine(PICTURE, [over_edge], FACE).problems
    assert problem.message == "the picture ends at the feet"
    higher = standing(feet_y_px=HEIGHT_PX - 0.35 * PX_PER_M, scale=250)
    far = replace(
        higher, landmark_confidence=confidence, box_xyxy_px=np.array([0.0, 180, 440, 610])
    )
    assert examine(drawn(higher), [far], FACE).codes == ()


def test_a_head_over_the_edge_is_told_and_asks_for_no_face() -> None:
    seen = cut_to_picture(standing(feet_y_px=1.65 * PX_PER_M))
    refused = refusal(drawn(seen), seen, faces=FacesAt(None))
    assert str(refused) == "the picture cuts off the top of the head"
    assert refused.code == "BODY_CUT"


def test_an_arm_at_the_side_is_told() -> None:
    seen = cut_to_picture(standing(x_px=0.3 * PX_PER_M))
    assert str(refusal(drawn(seen), seen)) == "the picture cuts off an arm"


def test_all_that_is_wrong_is_told_at_once() -> None:
    seen = cut_to_picture(standing(x_px=0.3 * PX_PER_M))
    refused = refusal(drawn(seen), seen, faces=FacesAt(None))
    assert str(refused) == "the picture cuts off an arm; no face is seen on the person"
    assert "Step back" in refused.hint
    assert "Face the camera" in refused.hint


def test_somebody_small_is_told_the_least_size() -> None:
    for more, small in ((-1, True), (1, False)):
        seen = standing(scale=(MIN_STATURE_PX + more) / 1.7)
        assert (examine(drawn(seen), [seen], FACE).codes == ("TOO_SMALL",)) == small
    seen = standing(scale=100)
    assert "about 170 px high" in str(refusal(drawn(seen), seen))


def test_a_blurred_picture_is_refused_by_how_far_edges_are_smeared() -> None:
    stature_px = 1.7 * PX_PER_M
    for share, refused in ((0.0025, False), (0.0045, True)):
        blurred = np.asarray(cv2.GaussianBlur(PICTURE, (0, 0), share * stature_px), np.uint8)
        assert (examine(blurred, [PERSON], FACE).codes == ("BLURRED",)) == refused
    assert "edges of the person are 0.4" in str(refusal(blurred, PERSON))


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        (lambda picture: picture // 8, "TOO_DARK"),
        (lambda picture: np.maximum(picture, 250), "TOO_BRIGHT"),
        (lambda picture: picture // 20 + 100, "NO_CONTRAST"),
    ],
)
def test_bad_light_is_told(shown: Callable[[ImageArray], ImageArray], code: str) -> None:
    assert refusal(shown(PICTURE), PERSON).code == code


def test_dark_clothes_are_not_darkness() -> None:
    picture = PICTURE.copy()
    rows = slice(round(FEET_Y_PX - 1.45 * PX_PER_M), None)
    picture[rows][picture[rows] == 200] = 12
    assert examine(picture, [PERSON], FACE).codes == ()


def test_no_face_is_told_apart_from_a_back() -> None:
    assert str(refusal(PICTURE, PERSON, faces=FacesAt(None))) == "no face is seen on the person"
    away = standing(away=True)
    refused = refusal(PICTURE, away, faces=FacesAt(None))
    assert str(refused) == "no face is seen: the person is seen from behind"
    assert refused.code == "NO_FACE"


def test_a_trunk_seen_from_behind_asks_for_a_surer_face() -> None:
    away = standing(away=True)
    assert examine(PICTURE, [away], FacesAt(0.79)).codes == ("NO_FACE",)
    assert examine(PICTURE, [away], FacesAt(0.81)).codes == ()


def test_a_face_beside_the_head_is_somebody_elses() -> None:
    assert examine(PICTURE, [PERSON], FacesAt(off=0.19)).face is not None
    assert examine(PICTURE, [PERSON], FacesAt(off=0.21)).codes == ("NO_FACE",)


# Clips


class FacesInBright(FacesAt):
    """A face wherever the picture's first pixel is bright."""

    def detect(self, image: ImageArray, squares: Sequence[Roi] = ()) -> list[Face]:
        return super().detect(image, squares) if image[0, 0, 0] > 50 else []


def test_of_a_turn_all_whole_pictures_serve_though_the_face_is_seen_in_some() -> None:
    cut = cut_to_picture(standing(feet_y_px=HEIGHT_PX + 100))
    dark = drawn(PERSON, background=40)
    sights = [(dark, [PERSON]), (PICTURE, [PERSON]), (PICTURE, []), (PICTURE, [cut])]
    clip = check_clip_sights(iter(sights), FacesInBright())
    assert clip.places == (0, 1)
    assert clip.people == (PERSON, PERSON)
    assert clip.best == 1
    report = clip.report()
    assert report["refused_pictures"] == {"NO_PERSON": 1, "BODY_CUT": 1}
    assert (report["pictures"], report["usable_pictures"]) == (4, 2)
    assert report["pictures_with_face"] == 1  # the cut one, which shows it, too, is not usable


def red(image: ImageArray) -> ImageArray:
    """The same people in red."""
    return np.where(image == 200, np.array([180, 20, 20], np.uint8), image)


def test_pictures_in_which_another_person_is_the_main_one_are_left_out() -> None:
    left, right = standing(180), standing(460)
    sights = [(drawn(left), [left]), (red(drawn(right)), [right]), (drawn(left), [left])]
    clip = check_clip_sights(sights, FACE)
    assert clip.places == (0, 2)
    assert clip.report()["refused_pictures"] == {"OTHER_PERSON": 1}
    # the passer-by may come first: faces decide
    clip = check_clip_sights(sights[1:] + sights[:1], FACE)
    assert clip.places == (1, 2)


def test_a_person_who_walks_or_turns_a_coloured_back_stays_the_same() -> None:
    left, right = standing(180), standing(460)
    walked = [(red(drawn(left)), [left]), (red(drawn(right)), [right])]
    assert check_clip_sights(walked, FACE).places == (0, 1)
    turned = [(red(drawn(left)), [left]), (drawn(left), [standing(180, away=True)])]
    assert check_clip_sights(turned, FACE).places == (0, 1)


def test_a_clip_that_never_shows_the_face_is_refused() -> None:
    with pytest.raises(PictureRefusedError, match="any of the 2 pictures that could") as refused:
        check_clip_sights([(PICTURE, [PERSON])] * 2, FacesAt(None))
    assert refused.value.code == "NO_FACE"


def test_a_clip_without_a_usable_picture_tells_what_is_wrong_with_most() -> None:
    cut = cut_to_picture(standing(feet_y_px=HEIGHT_PX + 0.47 * PX_PER_M))
    small = standing(scale=100)
    sights = [(PICTURE, [cut]), (PICTURE, [])] * 2 + [(drawn(small), [small])] + [(PICTURE, [])] * 3
    with pytest.raises(PictureRefusedError) as refused:
        check_clip_sights(sights, FACE)
    assert refused.value.code == "BODY_CUT"
    wanted = "none of 8 pictures can be used; in 2 the picture ends at the knees"
    assert str(refused.value) == wanted


def test_a_clip_of_one_picture_is_refused_as_the_picture_is() -> None:
    cut = cut_to_picture(standing(x_px=0.3 * PX_PER_M))
    with pytest.raises(PictureRefusedError) as refused:
        check_clip_sights([(drawn(cut), [cut])], FacesAt(None))
    assert str(refused.value) == str(refusal(drawn(cut), cut, faces=FacesAt(None)))
    assert check_clip_sights([(PICTURE, [PERSON])], FACE).people == (PERSON,)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_clip_of_nobody_has_the_exact_text(count: int) -> None:
    with pytest.raises(PictureRefusedError) as refused:
        check_clip_sights([(PICTURE, [])] * count, FACE)
    assert str(refused.value) == "No person detected in image"
