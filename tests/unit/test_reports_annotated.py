"""Pictures with keypoints, arcs, degrees, scores and time written over them, and films of them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from biomechanics_kit import SIDE_ON, Posture, mirrored, series_2d, series_3d, without
from reports_kit import HEIGHT_PX, WIDTH_PX, frames_of, grey, grey_frames, person_of, squats, unseen

from pose_service.biomechanics.angles import ANGLES
from pose_service.biomechanics.joints import JointSeries, observed
from pose_service.biomechanics.movement import FrameMeasures, measure
from pose_service.core.arrays import ImageArray, IntArray
from pose_service.core.keypoints import KeypointFrame, KeypointPerson
from pose_service.core.records import Frame, Provenance
from pose_service.core.skeletons import COCO17
from pose_service.media.decode import open_clip
from pose_service.rendering.keypoints import confidence_colour
from pose_service.rendering.words import Page
from pose_service.reports.annotated import Film, annotate, write_annotated
from pose_service.reports.beside import Nearest, SecondClip, StepTimes, as_high, beside
from pose_service.reports.marks import AngleMark, MarkStyle, angle_marks
from pose_service.reports.panel import SCORES, clock_text, score_text
from pose_service.reports.picture import AnnotatedClip, AnnotationStyle, Annotator
from pose_service.reports.records import MeasuresOf

BARE = AnnotationStyle(ids=False, clock=False, scores=False)
STYLE = MarkStyle(ANGLES, 0.3, 2)
POSTURES = [Posture(), Posture((90.0, 170.0), (100.0, 175.0), (15.0, 160.0), (30.0, 120.0), -20.0)]


def marks_of(series: JointSeries, row: int = 0) -> dict[str, AngleMark]:
    measured = measure(series).frame(row)
    return {one.name: one for one in angle_marks(person_of(series, row), measured, STYLE)}


def turned(series: JointSeries, by_deg: float) -> JointSeries:
    """The whole picture turned about its middle."""
    sine, cosine = np.sin(np.radians(by_deg)), np.cos(np.radians(by_deg))
    middle = np.array([WIDTH_PX, HEIGHT_PX]) / 2
    points = (series.points - middle) @ np.array([[cosine, sine], [-sine, cosine]]) + middle
    return observed(series.skeleton, series.times_s, points, series.confidence)


@pytest.mark.parametrize("by_deg", [0, 40, 90, 200])
@pytest.mark.parametrize("in_mirror", [False, True])
def test_every_arc_opens_by_the_angle_that_is_written_beside_it(
    by_deg: float, in_mirror: bool
) -> None:
    series = turned(series_2d(POSTURES), by_deg)
    series = mirrored(series) if in_mirror else series
    movement = measure(series)
    for row in range(len(POSTURES)):
        marks = marks_of(series, row)
        assert list(marks) == list(ANGLES)
        for name, mark in marks.items():
            measured = movement.frame(row).joint_angles_deg[name]
            assert measured is not None
            assert mark.text == f"{measured:.0f}°" and mark.angle_deg == measured
            # seen square to its plane the angle in the picture is the measured one
            assert abs(mark.arc.sweep_deg) == pytest.approx(measured, abs=1e-6)
            np.testing.assert_allclose(
                mark.arc.centre_px, series.points[row, COCO17.index(name)], atol=1e-9
            )


def test_degrees_are_those_measured_in_space_where_the_picture_shows_others() -> None:
    """The figure turned 50 degrees towards the camera: arcs are foreshortened, numbers are not."""
    turn = np.radians(50)
    about_up = np.array(
        [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    )
    bodies = series_3d(POSTURES, turn=about_up @ SIDE_ON)
    points_px = 200 * bodies.points[..., :2] + np.array([640, 360])
    seen = observed(COCO17, bodies.times_s, points_px, bodies.confidence)
    measured = measure(bodies).frame(0)
    (knee,) = [
        one for one in angle_marks(person_of(seen, 0), measured, STYLE) if one.name == "right_knee"
    ]
    assert knee.text == "130°"
    assert abs(abs(knee.arc.sweep_deg) - 130) > 5


def test_in_a_mirror_the_arc_of_the_other_side_turns_the_other_way() -> None:
    series = series_2d(POSTURES)
    there, here = marks_of(mirrored(series)), marks_of(series)
    for joint in ("elbow", "shoulder", "hip", "knee"):
        left, right = here[f"left_{joint}"], there[f"right_{joint}"]
        assert right.arc.sweep_deg == pytest.approx(-left.arc.sweep_deg)


def test_an_arc_at_the_knee_lies_between_thigh_and_shank() -> None:
    series = series_2d(POSTURES)
    mark = marks_of(series)["right_knee"]
    hip, knee, ankle = (series.point(f"right_{joint}")[0] for joint in ("hip", "knee", "ankle"))
    points = mark.arc.points_px()
    for end, joint in ((points[0], hip), (points[-1], ankle)):
        along, limb = end - knee, joint - knee
        assert along @ limb == pytest.approx(np.linalg.norm(along) * np.linalg.norm(limb))


def test_nothing_is_marked_of_an_angle_with_a_hidden_joint() -> None:
    series = without(series_2d(POSTURES), "left_ankle", "right_wrist")
    assert set(ANGLES) - set(marks_of(series)) == {"left_knee", "right_elbow"}


def test_nothing_is_marked_that_was_not_measured() -> None:
    series = series_2d(POSTURES)
    assert angle_marks(person_of(series, 0), None, STYLE) == []
    measured = measure(without(series, "left_ankle")).frame(0)
    marks = angle_marks(person_of(series, 0), measured, STYLE)
    assert "left_knee" not in [mark.name for mark in marks]


def test_a_figure_too_small_in_the_picture_has_no_arcs() -> None:
    series = series_2d(POSTURES)
    tiny = observed(COCO17, series.times_s, series.points / 40, series.confidence)
    assert marks_of(tiny) == {}


def picture_of(
    person: KeypointPerson, measures: FrameMeasures | None = None, style: AnnotationStyle = BARE
) -> ImageArray:
    frame = KeypointFrame(0, 0.0, (person,))
    return Annotator({1: [measures]} if measures else {}, style).picture(grey(), frame)


def changed(picture: ImageArray) -> np.ndarray:
    """(height, width) which pixels of the grey picture were drawn on."""
    return (picture != 100).any(axis=2)


def test_keypoints_below_the_confidence_leave_the_picture_as_it_is() -> None:
    person = person_of(series_2d(POSTURES), 0)
    unsure = replace(person, point_confidence=np.full(17, 0.29))
    assert not changed(picture_of(unsure, measure(series_2d(POSTURES)).frame(0))).any()
    assert changed(picture_of(person)).any()


def test_the_place_of_a_hidden_keypoint_and_its_bones_stay_untouched() -> None:
    person = person_of(series_2d(POSTURES), 0)
    confidence = person.point_confidence.copy()
    confidence[COCO17.index("right_wrist")] = 0.1
    x, y = np.rint(person.points_px[COCO17.index("right_wrist")]).astype(int)
    around = np.s_[y - 3 : y + 4, x - 3 : x + 4]
    assert changed(picture_of(person))[around].all()
    assert not changed(picture_of(replace(person, point_confidence=confidence)))[around].any()


def test_joints_have_the_colour_of_their_confidence() -> None:
    person = person_of(series_2d(POSTURES), 0)
    for confidence in (0.3, 0.6, 1.0):
        sure = replace(person, point_confidence=np.full(17, confidence))
        x, y = np.floor(person.points_px[COCO17.index("right_wrist")]).astype(int)
        colour = picture_of(sure)[y, x]
        np.testing.assert_allclose(colour, confidence_colour(confidence, 0.3), atol=2)


def test_colours_of_confidence_grow_lighter_all_the_way() -> None:
    """What tells them apart without any colour vision."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    shares = np.linspace(0.3, 1, 15)
    lightness = [float(weights @ confidence_colour(float(share), 0.3)) for share in shares]
    assert np.all(np.diff(lightness) > 2)
    assert confidence_colour(2.0, 0.3) == confidence_colour(1.0, 0.3)
    assert confidence_colour(0.0, 1.0) == confidence_colour(0.3, 0.3)


def test_whoever_was_filled_in_is_dashed_and_paler() -> None:
    person = person_of(series_2d(POSTURES), 0)
    filled = picture_of(replace(person, provenance=Provenance.INTERPOLATED))
    drawn, pale = changed(picture_of(person)), changed(filled)
    assert 0.3 * drawn.sum() < pale.sum() < 0.85 * drawn.sum()
    hip, knee = (person.points_px[COCO17.index(f"right_{joint}")] for joint in ("hip", "knee"))
    along = np.rint(hip + np.linspace(0.15, 0.85, 60)[:, None] * (knee - hip)).astype(int)
    assert drawn[along[:, 1], along[:, 0]].all()
    assert 10 < pale[along[:, 1], along[:, 0]].sum() < 50


def test_keypoints_that_are_nowhere_or_far_outside_are_no_trouble() -> None:
    person = person_of(series_2d(POSTURES), 0)
    points = person.points_px.copy()
    points[3], points[7], points[9] = np.nan, (1e8, -1e8), (-4e3, 50)
    measured = measure(series_2d(POSTURES)).frame(0)
    for provenance in Provenance:
        odd = replace(person, points_px=points, provenance=provenance,
                      box_xyxy_px=np.array([np.nan, 0, 1e9, 5]))  # fmt: skip
        assert changed(picture_of(odd, measured, AnnotationStyle())).any()


@pytest.mark.parametrize("size", [(1, 1), (20, 30), (160, 90), (641, 359)])
def test_pictures_of_any_size_can_be_written_on(size: tuple[int, int]) -> None:
    series = squats(3)
    frame = frames_of(series)[0]
    measures = {1: MeasuresOf(measure(series))}
    assert Annotator(measures).picture(grey(100, size), frame).shape == (size[1], size[0], 3)


def test_the_scores_are_those_of_the_primary_person_even_where_another_comes_first() -> None:
    series = squats(2)
    measures = {1: MeasuresOf(measure(series)), 2: MeasuresOf(measure(without(series, "nose")))}
    people = (person_of(series, 0, 2), person_of(series, 0, 1))
    corner = np.s_[: HEIGHT_PX // 6, WIDTH_PX // 2 :]

    def scores(primary_id: int | None, shown: tuple[KeypointPerson, ...]) -> ImageArray:
        style = replace(BARE, scores=True, primary_id=primary_id)
        return Annotator(measures, style).picture(grey(), KeypointFrame(0, 0.0, shown))[corner]

    alone = scores(None, people[1:])
    np.testing.assert_array_equal(scores(1, people), alone)
    unlike = scores(9, people)
    assert (unlike != alone).any()


def test_the_words_of_the_corners_are_the_measures() -> None:
    assert clock_text(0.0, 0) == "0:00.000  frame 0"
    assert clock_text(59.9996, 7) == "1:00.000  frame 7"
    assert clock_text(1 / 240, 1) == "0:00.004  frame 1"
    assert score_text("stability_score", None) == "-"
    assert list(SCORES) == list(measure(squats(2)).frame(0).movement_analysis)


def test_words_hop_less_in_a_film_than_in_pictures_by_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    series = squats(90)
    measures, frames = {1: MeasuresOf(measure(series))}, frames_of(series)
    chosen: list[int | None] = []
    write = Page.write

    def told(
        self: Page, layer: ImageArray, places: IntArray, wanted: int | None = None
    ) -> int | None:
        chosen.append(write(self, layer, places, wanted))
        return chosen[-1]

    def hops(annotators: list[Annotator]) -> int:
        chosen.clear()
        for annotator, frame in zip(annotators, frames, strict=True):
            annotator.picture(grey(100, (WIDTH_PX, HEIGHT_PX)), frame)
        by_angle = np.array(chosen).reshape(len(frames), len(ANGLES))
        return int((by_angle[1:] != by_angle[:-1]).sum())

    monkeypatch.setattr(Page, "write", told)
    apart = hops([Annotator(measures, BARE) for _ in frames])
    assert hops([Annotator(measures, BARE)] * len(frames)) < apart / 2


def test_an_annotated_clip_is_drawn_one_frame_at_a_time() -> None:
    series, read = squats(5), []

    def frames() -> Iterator[Frame]:
        for frame in grey_frames(5):
            read.append(frame.index)
            yield frame

    pictures = annotate(frames(), frames_of(series), {1: MeasuresOf(measure(series))})
    next(pictures)
    assert read == [0]
    assert sum(1 for _ in pictures) == 4


def test_measures_made_when_asked_are_those_of_the_movement() -> None:
    movement = measure(squats(6))
    lazy = MeasuresOf(movement)
    assert list(lazy) == list(movement.frames()) and lazy[-1] == movement.frame(5)
    assert lazy[1:3] == [movement.frame(1), movement.frame(2)]
    with pytest.raises(IndexError):
        lazy[6]


def clip(series: JointSeries, size: tuple[int, int] = (320, 180)) -> AnnotatedClip:
    """Grey pictures of `size`; frame i is 60 + i grey."""
    scale = size[0] / WIDTH_PX
    small = series.with_points(series.points * scale)
    return AnnotatedClip(
        grey_frames(len(series), size), frames_of(small), {1: MeasuresOf(measure(series))}, BARE
    )


def test_the_film_has_every_frame_at_its_own_time_from_the_first_on(tmp_path: Path) -> None:
    series = squats(4)
    times_s = np.array([2.0, 2.04, 2.2, 2.23])
    late = JointSeries(series.skeleton, times_s, series.points, series.confidence, series.down)
    told: list[tuple[str, int, int | None]] = []
    film = Film(30.0, 4, lambda *step: told.append(step))
    write_annotated(tmp_path / "film.mp4", clip(late, (321, 181)), film)
    frames = list(open_clip(tmp_path / "film.mp4").frames())
    np.testing.assert_allclose([one.time_s for one in frames], times_s - 2, atol=1 / 10_000)
    with av.open(str(tmp_path / "film.mp4")) as container:
        assert container.streams.video[0].start_time == 0
    assert frames[0].image.shape == (182, 322, 3)  # odd sizes are padded
    assert told == [("annotating", number, 4) for number in (1, 2, 3, 4)]


def test_a_clip_without_frames_makes_no_film(tmp_path: Path) -> None:
    empty = AnnotatedClip([], [], {})
    with pytest.raises(ValueError, match="has no frame"):
        write_annotated(tmp_path / "film.mp4", empty, Film(30.0))
    assert not list(tmp_path.iterdir())


def test_the_second_clip_is_in_step_and_as_high_as_the_first() -> None:
    first, second = clip(squats(10)), clip(squats(20), (160, 120))
    step = StepTimes(np.arange(10) / 30, np.arange(10) * 2 / 30)
    pictures = list(beside(first, SecondClip(second, step)))
    assert [time_s for time_s, _ in pictures] == pytest.approx(np.arange(10) / 30)
    for index, (_, picture) in enumerate(pictures):
        assert picture.shape == (180, 320 + 4 + 240, 3)
        # the lower right corner of each half is bare
        assert picture[-1, 319, 0] == 60 + index
        assert picture[-1, -1, 0] == 60 + 2 * index


def test_both_clips_show_their_own_clock() -> None:
    clock = replace(BARE, clock=True)
    first, second = (replace(clip(squats(4)), style=clock) for _ in range(2))
    step = StepTimes(np.array([0.0, 0.1]), np.array([0.0, 0.0]))
    _, (_, picture), *_ = beside(first, SecondClip(second, step))
    left, right = picture[:30, :160], picture[:30, 324:484]
    assert (left != 61).any() and (right != 60).any()
    assert ((left != 61).any(axis=2) != (right != 60).any(axis=2)).any()


def test_beside_a_clip_of_nothing_there_is_nothing() -> None:
    nothing = AnnotatedClip([], [], {})
    step = StepTimes(np.zeros(1), np.zeros(1))
    assert list(beside(clip(squats(2)), SecondClip(nothing, step))) == []


def test_the_nearest_item_is_found_without_holding_more_than_two() -> None:
    read = []

    def items() -> Iterator[tuple[float, str]]:
        for place, letter in enumerate("abcdef"):
            read.append(letter)
            yield place / 10, letter

    nearest = Nearest(items())
    assert [nearest.at(time_s) for time_s in (0.0, 0.04, 0.06, 0.06)] == ["a", "a", "b", "b"]
    assert read == list("abc")
    assert [nearest.at(time_s) for time_s in (0.31, 9.0, 9.5)] == ["d", "f", "f"]


def test_a_resized_picture_takes_its_keypoints_along() -> None:
    frame = frames_of(squats(1))[0]
    image, resized = as_high(grey(), frame, HEIGHT_PX // 2)
    assert image.shape == (HEIGHT_PX // 2, WIDTH_PX // 2, 3)
    before, after = frame.people[0], resized.people[0]
    np.testing.assert_allclose(after.points_px, before.points_px / 2)
    np.testing.assert_allclose(after.box_xyxy_px, before.box_xyxy_px / 2)
    assert as_high(grey(), frame, HEIGHT_PX)[1] is frame


def test_somebody_lost_half_way_is_drawn_until_then() -> None:
    series = unseen(squats(6), slice(3, None))
    drawn = annotate(grey_frames(6), frames_of(series), {1: MeasuresOf(measure(series))}, BARE)
    assert [bool(np.ptp(picture)) for picture in drawn] == [True] * 3 + [False] * 3
