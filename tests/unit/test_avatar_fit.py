"""The closed loop in small: bodies of known measures are seen with noise, fitted and measured."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from benchmarks.avatar.calibrating import Outcome
from benchmarks.avatar.people import people, posed
from benchmarks.avatar.photographs import scene
from benchmarks.avatar.trials import Trial, by_noise, photographs, turns
from pose_service.avatar.calibration import Known, error_model
from pose_service.avatar.free.body_maker import mass_kg
from pose_service.avatar.free.fit_free_body import fit_free_body
from pose_service.avatar.free.shape_prior import shape_prior
from pose_service.avatar.free.shaped import BODY_NAME, SHAPE_NAMES, free_shapes, shaped_body
from pose_service.avatar.measured import measured, rest_values_cm
from pose_service.avatar.records import FittedBody, Gender, Sight, Wish
from pose_service.bodies.fit import BodyFitter
from pose_service.bodies.shapes import PHENOTYPES
from pose_service.measurement.records import MEASURES

PEOPLE = 10


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    rng = np.random.default_rng(12)
    return list(photographs(people(free_shapes(), PEOPLE, rng), by_noise, rng))


@pytest.fixture(scope="module")
def outcomes(trials: list[Trial]) -> list[Outcome]:
    return [trial.outcome(height=True) for trial in trials]


@pytest.fixture(scope="module")
def sight(trials: list[Trial]) -> Sight:
    return trials[0].sights[0]


@pytest.fixture(scope="module")
def fitted(trials: list[Trial], sight: Sight) -> FittedBody:
    return fit_free_body([sight], Wish(height_cm=trials[0].person.stated_cm))


def off_cm(outcomes: list[Outcome], name: str) -> float:
    errors = [outcome.values_cm[name] - outcome.truth_cm[name] for outcome in outcomes]
    return float(np.mean(np.abs(errors)))


def test_measures_come_back_within_stated_limits(outcomes: list[Outcome]) -> None:
    # up to half as much again as docs/avatar-accuracy.md has for many people: these are ten
    limits = {
        "height": 2.5, "chest": 4.0, "waist": 5.0, "hip": 4.0, "inseam": 1.8,
        "shoulder_width": 1.6, "arm_length": 1.2, "thigh": 3.0, "neck": 1.6,
    }  # fmt: skip
    found = {name: off_cm(outcomes, name) for name in MEASURES}
    assert {name: value for name, value in found.items() if value > limits[name]} == {}


def test_the_outline_tells_girths_better_than_what_is_likely(
    trials: list[Trial], outcomes: list[Outcome]
) -> None:
    blind = [
        replace(
            trial,
            sights=tuple(
                replace(one, observation=replace(one.observation, mask=None))
                for one in trial.sights
            ),
        ).outcome(height=True)
        for trial in trials
    ]
    girths = ("chest", "waist", "hip", "thigh")
    seen, guessed = (sum(off_cm(some, name) for name in girths) for some in (outcomes, blind))
    assert seen < 0.7 * guessed


def test_bands_hold_nearly_all_of_ninety_truths(outcomes: list[Outcome]) -> None:
    model = error_model(BODY_NAME, Known(height=True, turn=False))
    held = [one.held(one.bounds(model, height_given=True)) for one in outcomes]
    share = np.mean([list(each.values()) for each in held])
    # 90 % are meant; a person's nine go together, so that ten people may be 12 % off
    assert share >= 0.78


def test_a_height_that_is_given_is_the_bodys(fitted: FittedBody, trials: list[Trial]) -> None:
    assert fitted.scale_known
    height_m = float(np.ptp(fitted.rest.vertices_m[:, 1]))
    assert 100 * height_m == pytest.approx(trials[0].person.stated_cm, rel=1e-5)
    measurements, bounds = measured(fitted)
    assert measurements.height.value_cm == pytest.approx(trials[0].person.stated_cm, rel=1e-5)
    assert bounds["height"].high_cm - bounds["height"].low_cm < 6


def test_without_a_height_the_scale_is_a_guess_and_said_to_be(sight: Sight) -> None:
    fitted = fit_free_body([sight], Wish())
    assert not fitted.scale_known
    assert any(note.startswith("No height was given") for note in fitted.notes)
    _, bounds = measured(fitted)
    assert {str(bound.reliability) for bound in bounds.values()} == {"scale_guessed"}
    # adults' statures have a standard deviation of 5.4 %
    assert all(
        (bound.high_cm - bound.value_cm) / bound.value_cm > 0.05 for bound in bounds.values()
    )


def test_the_fit_says_what_body_it_is_and_in_what_numbers(fitted: FittedBody) -> None:
    assert (fitted.body_name, fitted.shape_names) == (BODY_NAME, SHAPE_NAMES)
    assert fitted.model_version.startswith("embedded/")
    assert any("not SMPL" in note for note in fitted.notes)
    assert not fitted.shape_covariance.any()
    assert fitted.parameters["phenotypes"].tolist() == fitted.shape[:-1].tolist()
    body = shaped_body(free_shapes(), fitted.shape)
    assert rest_values_cm(body) == pytest.approx(measured(fitted)[0].centimetres())


def test_the_body_lies_on_the_landmarks(fitted: FittedBody, sight: Sight) -> None:
    body = shaped_body(free_shapes(), fitted.shape)
    pose = replace(fitted.pose, shapes=np.ones((1, 1)))
    errors = BodyFitter(body).errors([sight.observation], sight.camera, pose)
    trunk_px = np.linalg.norm(
        np.subtract(*sight.observation.landmarks_px[[[11, 12], [23, 24]]].mean(axis=1))
    )
    # the landmarks' own noise is 2.2 % of the trunk in each of two directions
    assert errors.mean_2d_px[0] < 0.045 * trunk_px


def test_the_same_sight_gives_the_same_body(fitted: FittedBody, trials: list[Trial]) -> None:
    (trial,) = trials[:1]
    again = fit_free_body(trial.sights, Wish(height_cm=trial.person.stated_cm))
    assert again.shape.tolist() == fitted.shape.tolist()


def test_gender_and_weight_pull_the_body_their_way(sight: Sight) -> None:
    fit = partial(fit_free_body, [sight])
    woman, man = (fit(Wish(gender, 170.0)) for gender in (Gender.FEMALE, Gender.MALE))
    number = PHENOTYPES.index("gender")
    assert woman.shape[number] > man.shape[number] + 0.3
    light, heavy = (
        mass_kg(shaped_body(free_shapes(), fit(Wish(height_cm=170.0, weight_kg=kg)).shape))
        for kg in (60.0, 85.0)
    )
    assert heavy > light + 5


def test_a_weight_that_the_picture_contradicts_is_told(sight: Sight) -> None:
    notes = fit_free_body([sight], Wish(height_cm=170.0, weight_kg=160.0)).notes
    assert any("not the 160 kg given" in note for note in notes)


def test_clothes_are_warned_of_where_an_outline_was_measured(sight: Sight) -> None:
    bare = replace(sight, observation=replace(sight.observation, mask=None))
    outlined, guessed = (
        " ".join(fit_free_body([one], Wish(height_cm=170.0)).notes) for one in (sight, bare)
    )
    assert "thick or loose clothes" in outlined and "no outline" not in outlined
    assert "thick or loose clothes" not in guessed and "no outline" in guessed


def test_a_childs_height_gives_a_childs_body_and_says_so(sight: Sight) -> None:
    child, adult = (fit_free_body([sight], Wish(height_cm=cm)) for cm in (118.0, 170.0))
    age = PHENOTYPES.index("age")
    assert child.shape[age] < 0.45 < adult.shape[age]
    assert any("a child's body" in note for note in child.notes)
    assert not any("child" in note for note in adult.notes)
    heads_m = [100 * np.ptp(one.rest.vertices_m[:, 1]) for one in (child, adult)]
    assert heads_m == pytest.approx([118.0, 170.0], rel=1e-5)


def test_several_sights_make_one_body_with_a_spread() -> None:
    rng = np.random.default_rng(9)
    (trial,) = turns(people(free_shapes(), 1, rng), by_noise, rng)
    fitted = fit_free_body(trial.sights[:4], Wish(height_cm=trial.person.stated_cm))
    assert fitted.shape_covariance[:-1, :-1].any()
    assert len(fitted.pose) == 1
    assert not any(note.startswith("One photograph") for note in fitted.notes)
    _, bounds = measured(fitted)
    assert bounds["waist"].low_cm < trial.person.values_cm["waist"] < bounds["waist"].high_cm


def test_a_person_at_the_pictures_border_is_not_cut_thin() -> None:
    """Where the picture ends nobody knows where the person does."""
    rng = np.random.default_rng(3)
    (person,) = people(free_shapes(), 1, rng)
    whole = by_noise(scene(person, posed("arms clear", 0.0, rng), rng), rng)
    assert whole.observation.mask is not None
    left = round(float(whole.observation.landmarks_px[:, 0].min())) + 8
    camera = replace(whole.camera, width_px=whole.camera.width_px - 2 * left)
    cut = Sight(
        whole.image[:, left:-left],
        camera,
        replace(
            whole.observation,
            landmarks_px=whole.observation.landmarks_px - [left, 0],
            mask=type(whole.observation.mask).of(whole.observation.mask.pixels()[:, left:-left]),
        ),
    )
    waists = [
        measured(fit_free_body([one], Wish(height_cm=170.0)))[0].waist.value_cm
        for one in (whole, cut)
    ]
    assert waists[1] == pytest.approx(waists[0], abs=4)


def test_no_sight_and_broken_landmarks_are_refused(sight: Sight) -> None:
    with pytest.raises(ValueError, match="sights: expected at least one"):
        fit_free_body([], Wish())
    broken = sight.observation.landmarks_m.copy()
    broken[3, 1] = np.nan
    bad = replace(sight, observation=replace(sight.observation, landmarks_m=broken))
    with pytest.raises(ValueError, match="expected finite numbers"):
        fit_free_body([bad], Wish())


def test_a_body_of_no_confidence_is_fitted_all_the_same(sight: Sight) -> None:
    unsure = replace(sight, observation=replace(sight.observation, confidence=0.0))
    assert np.isfinite(fit_free_body([unsure], Wish()).shape).all()


@pytest.mark.parametrize("spread_m", [0.0, 0.5])
def test_landmarks_without_any_sense_give_a_finite_body(sight: Sight, spread_m: float) -> None:
    rng = np.random.default_rng(6)
    nonsense = replace(
        sight.observation,
        landmarks_px=np.full((33, 2), 300.0) + rng.uniform(0, 600 * spread_m, (33, 2)),
        landmarks_m=rng.normal(0, spread_m, (33, 3)),
    )
    fitted = fit_free_body([replace(sight, observation=nonsense)], Wish(height_cm=170.0))
    assert np.isfinite(fitted.rest.vertices_m).all()
    assert 0 <= fitted.shape[:-1].min() <= fitted.shape[:-1].max() <= 1


@pytest.mark.parametrize("height_cm", [45.0, 100.0, 250.0])
def test_heights_of_anybody_can_be_fitted_and_measured(sight: Sight, height_cm: float) -> None:
    measurements, _ = measured(fit_free_body([sight], Wish(height_cm=height_cm, weight_kg=30.0)))
    assert measurements.height.value_cm == pytest.approx(height_cm, rel=1e-5)


def test_what_is_likely_follows_the_wish() -> None:
    woman, anybody = (shape_prior(Wish(gender)) for gender in (Gender.FEMALE, Gender.NEUTRAL))
    assert woman.mean[0] > anybody.mean[0]
    assert woman.sd[0] < anybody.sd[0]
    small, tall = (shape_prior(Wish(height_cm=cm)) for cm in (100.0, 144.0))
    age = PHENOTYPES.index("age")
    assert small.mean[age] < tall.mean[age] < anybody.mean[age]
