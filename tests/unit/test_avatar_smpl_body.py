"""SMPL's T-pose and its measures, by a stand-in of a person's form."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from smpl_kit import VERSION, ZERO, beta, settings, sight
from standin_person import GROWTH, NAMES, person, t_pose, write_people
from standin_smpl import standin_extra_joints

from pose_service.avatar.measurement_extractor import MeasurementExtractor
from pose_service.avatar.records import Gender, Wish
from pose_service.avatar.smpl.bodies import SmplBodies, body_path
from pose_service.avatar.smpl.fit_smpl import SHAPE_NAMES, fit_smpl
from pose_service.bodies.smpl_file import read_smpl
from pose_service.bodies.smpl_rest import ShapeMap, SmplRest
from pose_service.core.arrays import FloatArray
from pose_service.core.config import Settings
from pose_service.core.errors import BadRequestError, EngineError
from pose_service.core.records import BodyPoses
from pose_service.measurement.extract import measure
from pose_service.measurement.records import MEASURES
from pose_service.measurement.shape_pool import pool_shapes
from pose_service.measurement.surface import ClosedFaces, RestBody

GENDERS = tuple(Gender)
# numbers are single precision in the body's file
SINGLE = 1e-5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("data") / "4dhumans" / "smpl", *GENDERS)


@pytest.fixture(scope="module")
def bodies(folder: Path) -> SmplBodies:
    return SmplBodies(settings(folder))


@pytest.fixture(scope="module")
def extractors(folder: Path) -> dict[str, MeasurementExtractor]:
    return {gender: MeasurementExtractor(folder, gender) for gender in GENDERS}


def values_cm(vertices_m: FloatArray, faces: Any, joints_m: FloatArray) -> dict[str, float]:
    return measure(RestBody(vertices_m, ClosedFaces.of(faces), joints_m)).centimetres()


# The body at rest


def test_the_rest_pose_is_that_of_the_whole_body_with_its_pose_zeroed(folder: Path) -> None:
    from pose_service.bodies.smpl import SmplBody

    file = read_smpl(folder / NAMES["neutral"])
    rest, whole = SmplRest.of(file), SmplBody(file, standin_extra_joints())
    betas = np.linspace(-2, 2, 10)
    poses = BodyPoses(np.tile(np.eye(3), (1, 24, 1, 1)), np.zeros((1, 3)), betas[None])
    posed = whole.pose(poses)
    # the stand-in's correction of the pose is noise, so this fails unless it is nothing at rest
    np.testing.assert_allclose(rest.vertices(betas), np.asarray(posed.vertices_m)[0], atol=SINGLE)
    np.testing.assert_allclose(rest.joints(betas), posed.joints_m[0], atol=SINGLE)


def test_each_number_does_what_its_shape_says(bodies: SmplBodies) -> None:
    rest = bodies.rest(Gender.NEUTRAL)
    vertices, joints = t_pose()
    for number, growth in GROWTH.items():
        factor = np.eye(3) + 2 * growth
        betas = beta(**{f"b{number}": 2.0})
        np.testing.assert_allclose(rest.vertices(betas), vertices @ factor, atol=SINGLE)
        np.testing.assert_allclose(rest.joints(betas), joints @ factor, atol=SINGLE)


def test_a_shape_of_another_length_is_refused(bodies: SmplBodies) -> None:
    with pytest.raises(ValueError, match=r"betas: expected \(10,\), got \(11,\)"):
        bodies.rest(Gender.NEUTRAL).vertices(np.zeros(11))


def test_a_map_to_the_body_itself_changes_nothing(bodies: SmplBodies) -> None:
    own = bodies.from_neutral(Gender.NEUTRAL)
    np.testing.assert_allclose(own.matrix, np.eye(10), atol=1e-9)
    np.testing.assert_allclose(own.shift, 0, atol=1e-9)


def test_a_map_finds_the_same_surface_where_the_other_body_has_it(bodies: SmplBodies) -> None:
    # the male template is the neutral one made wider, deeper and taller, which three betas undo
    betas = beta(b0=0.7, b1=-1.0, b2=0.4)
    male = bodies.from_neutral(Gender.MALE).betas(betas)
    wanted = bodies.rest(Gender.NEUTRAL).vertices(betas)
    np.testing.assert_allclose(bodies.rest(Gender.MALE).vertices(male), wanted, atol=1e-4)


def test_a_map_goes_to_the_nearest_body_where_none_is_the_same(bodies: SmplBodies) -> None:
    neutral, female = bodies.rest(Gender.NEUTRAL), bodies.rest(Gender.FEMALE)
    betas = np.linspace(1, -1, 10)
    mapped = bodies.from_neutral(Gender.FEMALE).betas(betas)
    wanted = neutral.vertices(betas)
    # by hand: a third of each triangle belongs to a corner
    a, b, c = (neutral.template_m[neutral.faces[:, i]] for i in range(3))
    areas = np.zeros(len(wanted))
    for corner in range(3):
        np.add.at(areas, neutral.faces[:, corner], np.linalg.norm(np.cross(b - a, c - a), axis=1))

    def distance(female_betas: FloatArray) -> float:
        apart = female.vertices(female_betas) - wanted
        apart -= areas @ apart / areas.sum()
        return float(areas @ (apart**2).sum(axis=1))

    best = distance(mapped)
    assert best > 0
    for step in 0.02 * np.concatenate([np.eye(10), -np.eye(10)]):
        assert distance(mapped + step) > best


def test_a_map_carries_an_error_as_it_carries_shapes(bodies: SmplBodies) -> None:
    shapes = np.random.default_rng(5).normal(size=(200, 10)) * np.linspace(0.2, 1, 10)
    to_female = bodies.from_neutral(Gender.FEMALE)
    mapped = np.stack([to_female.betas(shape) for shape in shapes])
    np.testing.assert_allclose(to_female.covariance(np.cov(shapes.T)), np.cov(mapped.T), atol=1e-9)


# The nine measures by the face that other programs import


@pytest.mark.parametrize("gender", GENDERS)
def test_the_extractor_measures_the_arrays_of_the_file(
    extractors: dict[str, MeasurementExtractor], gender: str
) -> None:
    arrays = person(gender)
    betas = beta(b0=1.0, b3=-2.0, b6=1.5)
    vertices = arrays["v_template"] + arrays["shapedirs"] @ betas
    wanted = values_cm(vertices, arrays["f"].astype(np.int32), arrays["J_regressor"] @ vertices)
    got = extractors[gender].extract(betas, np.zeros(69), np.zeros(3))
    assert tuple(got) == MEASURES
    assert got == pytest.approx(wanted, rel=1e-4)


def test_no_pose_changes_a_measure(extractors: dict[str, MeasurementExtractor]) -> None:
    rng = np.random.default_rng(2)
    betas = rng.normal(size=10)
    calm = extractors["neutral"].extract(betas, np.zeros(69), np.zeros(3))
    bent = extractors["neutral"].extract(betas, rng.normal(size=69), rng.normal(size=3))
    assert bent == calm == extractors["neutral"].extract(betas)


def test_a_larger_body_measures_more_in_all_nine_by_the_same_factor(
    extractors: dict[str, MeasurementExtractor],
) -> None:
    mean = extractors["neutral"].extract(ZERO)
    larger = extractors["neutral"].extract(beta(b0=2.0))
    assert larger == pytest.approx({name: 1.08 * value for name, value in mean.items()}, rel=1e-4)


def test_a_wider_body_is_as_tall(extractors: dict[str, MeasurementExtractor]) -> None:
    mean, wide = (extractors["neutral"].extract(betas) for betas in (ZERO, beta(b1=2.0)))
    assert wide["height"] == pytest.approx(mean["height"], rel=1e-4)
    for girth in ("chest", "waist", "hip"):
        assert wide[girth] == pytest.approx(1.06 * mean[girth], rel=1e-3)


def test_genders_differ(extractors: dict[str, MeasurementExtractor]) -> None:
    heights = [extractors[gender].extract(ZERO)["height"] for gender in GENDERS]
    male, female, neutral = heights
    assert male == pytest.approx(1.04 * neutral, rel=1e-4)
    assert female == pytest.approx(0.95 * neutral, rel=1e-4)
    hips = [extractors[gender].extract(ZERO)["hip"] for gender in ("female", "neutral")]
    assert hips[0] > hips[1]


def test_with_a_height_the_body_is_as_tall_in_its_own_proportions(
    extractors: dict[str, MeasurementExtractor],
) -> None:
    free = extractors["female"].extract(ZERO)
    tall = extractors["female"].extract(ZERO, height_cm=190.0)
    factor = 190.0 / free["height"]
    assert tall == pytest.approx({name: factor * value for name, value in free.items()}, rel=1e-6)
    assert tall["height"] == pytest.approx(190.0)


@pytest.mark.parametrize("shape", [(10,), (1, 10)])
def test_lists_and_rows_are_taken_too(
    extractors: dict[str, MeasurementExtractor], shape: tuple[int, ...]
) -> None:
    betas = np.linspace(-1, 1, 10)
    rows = betas.reshape(shape).astype(np.float32).tolist()
    wanted = extractors["neutral"].extract(betas)
    assert extractors["neutral"].extract(rows) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((np.zeros(9),), r"betas: expected 10 numbers, got an array \(9,\)"),
        ((np.full(10, np.nan),), "betas: expected finite numbers"),
        ((ZERO, np.zeros(63)), r"body_pose: expected 69 numbers, got an array \(63,\)"),
        ((ZERO, np.zeros(69), np.zeros((3, 3))), "global_orient: expected 3 numbers"),
        ((beta(b0=40.0),), "expected a person of 0.4 to 2.8 m"),
    ],
)
def test_numbers_that_are_none_of_smpls_are_refused(
    extractors: dict[str, MeasurementExtractor], arguments: Sequence[Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        extractors["neutral"].extract(*arguments)


def test_the_extractor_takes_a_file_a_folder_or_a_folder_with_smpl_in_it(folder: Path) -> None:
    paths = (folder / NAMES["male"], folder, folder.parent)
    heights = {MeasurementExtractor(path, "male").extract(ZERO)["height"] for path in paths}
    assert len(heights) == 1


def test_a_missing_body_of_a_gender_is_named_with_the_place_where_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = write_people(tmp_path / "4dhumans" / "smpl", "neutral")
    with pytest.raises(EngineError, match=r"SMPL_MALE\.pkl, .* lies in it") as caught:
        MeasurementExtractor(folder, "male")
    assert "https://smpl.is.tue.mpg.de" in caught.value.hint
    bodies = SmplBodies(Settings(data_dir=tmp_path))
    with pytest.raises(EngineError, match=r"SMPL_FEMALE\.pkl is missing") as missing:
        fit_smpl([sight()], Wish(Gender.FEMALE), bodies, VERSION)
    assert f"into {folder}" in missing.value.hint
    # it is looked for again
    write_people(folder, "female")
    assert fit_smpl([sight()], Wish(Gender.FEMALE), bodies, VERSION).body_name == "smpl-female"


def test_a_body_of_another_gender_is_refused(folder: Path) -> None:
    with pytest.raises(EngineError, match="as the male SMPL body: it is the female body"):
        MeasurementExtractor(folder / NAMES["female"], "male")
    with pytest.raises(EngineError, match="as the male SMPL body: it is the neutral body"):
        MeasurementExtractor(folder / NAMES["neutral"], "male")


def test_an_unknown_gender_is_told_with_those_there_are(folder: Path) -> None:
    with pytest.raises(BadRequestError, match="one of male, female, neutral, got 'other'"):
        MeasurementExtractor(folder, "other")


def test_bodies_are_found_beside_the_neutral_one_that_is_set(folder: Path, tmp_path: Path) -> None:
    beside = Settings(data_dir=tmp_path, smpl_file=folder / NAMES["neutral"])
    assert body_path(Gender.MALE, beside) == folder / NAMES["male"]
    assert body_path(Gender.NEUTRAL, beside) == folder / NAMES["neutral"]
    within = Settings(data_dir=tmp_path, smpl_file=folder)
    assert [body_path(gender, within).name for gender in GENDERS] == [NAMES[g] for g in GENDERS]


# What HMR 2.0 saw


def test_one_sight_gives_its_own_body(bodies: SmplBodies) -> None:
    turns = np.random.default_rng(3).uniform(-0.5, 0.5, (24, 3))
    betas = np.linspace(-1, 1, 10)
    fitted = fit_smpl([sight(betas, 0.9, turns)], Wish(), bodies, VERSION)
    assert fitted.body_name == "smpl-neutral"
    assert fitted.model_version == VERSION
    assert fitted.shape_names == SHAPE_NAMES
    np.testing.assert_allclose(fitted.shape, betas, atol=1e-9)
    assert not fitted.shape_covariance.any()
    assert {name: array.shape for name, array in fitted.parameters.items()} == {
        "betas": (10,), "body_pose": (69,), "global_orient": (3,), "scale": (1,)
    }  # fmt: skip
    np.testing.assert_allclose(fitted.parameters["global_orient"], turns[0], atol=1e-9)
    np.testing.assert_allclose(fitted.parameters["body_pose"], turns[1:].ravel(), atol=1e-9)
    np.testing.assert_allclose(fitted.pose.shapes[0], betas, atol=1e-9)
    assert not fitted.scale_known
    assert fitted.parameters["scale"] == 1


def test_the_rest_mesh_stands_on_the_floor_as_tall_as_wished(bodies: SmplBodies) -> None:
    free = fit_smpl([sight()], Wish(), bodies, VERSION)
    wished = fit_smpl([sight()], Wish(height_cm=171.5), bodies, VERSION)
    assert wished.scale_known
    assert wished.rest.vertices_m[:, 1].min() == pytest.approx(0, abs=1e-12)
    assert np.ptp(wished.rest.vertices_m[:, 1]) == pytest.approx(1.715)
    scale = wished.parameters["scale"][0]
    np.testing.assert_allclose(wished.rest.vertices_m, scale * free.rest.vertices_m)
    np.testing.assert_allclose(wished.rest.joints_m, scale * free.rest.joints_m)


def test_shapes_of_several_sights_are_pooled_by_confidence_without_strays(
    bodies: SmplBodies,
) -> None:
    sure = [sight(beta(b0=1.0 + 0.01 * step), 0.9) for step in (-2, -1, 0, 1, 2)]
    unsure = sight(beta(b0=1.5), 0.01)
    stray = sight(beta(b0=9.0), 0.9)
    fitted = fit_smpl([*sure, unsure, stray], Wish(), bodies, VERSION)
    assert fitted.shape[0] == pytest.approx(1.0, abs=0.01)
    assert 0 < fitted.shape_covariance[0, 0] < 0.02**2


def test_several_sights_count_as_they_are_sure_and_leave_an_error(bodies: SmplBodies) -> None:
    rng = np.random.default_rng(6)
    shapes, confidences = rng.normal(0, 0.3, (12, 10)), np.linspace(0.1, 1, 12)
    pooled = pool_shapes(shapes, confidences)
    assert np.abs(pooled.shape - pool_shapes(shapes, np.ones(12)).shape).max() > 0.01
    sights = [sight(*one) for one in zip(shapes, confidences, strict=True)]
    neutral = fit_smpl(sights, Wish(), bodies, VERSION)
    np.testing.assert_allclose(neutral.shape, pooled.shape, atol=1e-9)
    np.testing.assert_allclose(neutral.shape_covariance, pooled.error_covariance, atol=1e-9)
    female = fit_smpl(sights, Wish(Gender.FEMALE), bodies, VERSION)
    matrix = bodies.from_neutral(Gender.FEMALE).matrix
    wanted = matrix @ pooled.error_covariance @ matrix.T
    np.testing.assert_allclose(female.shape_covariance, wanted, atol=1e-9)
    np.testing.assert_allclose(female.pose.rotations, neutral.pose.rotations)


def test_the_body_of_a_gender_is_the_nearest_to_the_one_that_was_seen(bodies: SmplBodies) -> None:
    betas = beta(b0=0.5, b2=1.0)
    neutral, male, female = (
        fit_smpl([sight(betas)], Wish(gender), bodies, VERSION)
        for gender in (Gender.NEUTRAL, Gender.MALE, Gender.FEMALE)
    )
    assert [one.body_name for one in (male, female)] == ["smpl-male", "smpl-female"]
    assert np.abs(male.parameters["betas"] - betas).max() > 0.1
    # the male stand-in can take the neutral one's form, the female one has wider hips
    np.testing.assert_allclose(male.rest.vertices_m, neutral.rest.vertices_m, atol=1e-3)
    apart_m = np.linalg.norm(female.rest.vertices_m - neutral.rest.vertices_m, axis=1)
    assert 0.001 < apart_m.max() < 0.03
    assert "nearest" in male.notes[0]
    assert neutral.notes == ()


@pytest.mark.parametrize("gender", GENDERS)
@pytest.mark.parametrize("height_cm", [None, 165.0])
def test_both_faces_give_the_same_numbers(
    bodies: SmplBodies,
    extractors: dict[str, MeasurementExtractor],
    gender: Gender,
    height_cm: float | None,
) -> None:
    fitted = fit_smpl([sight(np.linspace(1, -1, 10))], Wish(gender, height_cm), bodies, VERSION)
    rest = fitted.rest
    there = values_cm(rest.vertices_m, rest.faces, rest.joints_m)
    parameters = {name: fitted.parameters[name] for name in ("betas", "body_pose", "global_orient")}
    here = extractors[gender].extract(**parameters, height_cm=height_cm)
    assert here == pytest.approx(there, rel=1e-9)


def test_first_order_measures_follow_the_exact_ones(bodies: SmplBodies) -> None:
    quick = bodies.measures(Gender.NEUTRAL)
    exact = MeasurementExtractor(body_path(Gender.NEUTRAL, bodies._settings))
    assert quick.values_cm(ZERO) == pytest.approx(exact.extract(ZERO), rel=1e-9)
    betas = np.random.default_rng(4).normal(0, 0.5, 10)
    # levels move with the shape, which is of second order
    assert quick.values_cm(betas) == pytest.approx(exact.extract(betas), rel=0.01)


def test_sights_without_smpl_are_refused(bodies: SmplBodies) -> None:
    with pytest.raises(ValueError, match="at least one, got none"):
        fit_smpl([], Wish(), bodies, VERSION)
    seen = sight()
    other = replace(seen, observation=replace(seen.observation, pose=None))
    with pytest.raises(ValueError, match=r"the body that HMR 2\.0 gave, got None"):
        fit_smpl([seen, other], Wish(), bodies, VERSION)
    free = BodyPoses(np.tile(np.eye(3), (1, 20, 1, 1)), np.zeros((1, 3)), np.ones((1, 1)))
    other = replace(seen, observation=replace(seen.observation, pose=free))
    with pytest.raises(ValueError, match=r"expected SMPL's, got rotations and shapes"):
        fit_smpl([other], Wish(), bodies, VERSION)


def test_neither_face_loads_torch_before_it_is_needed() -> None:
    code = (
        "import sys, pose_service.avatar, pose_service.avatar.measurement_extractor, "
        "pose_service.avatar.hmr2_inference, pose_service.avatar.smpl.fit_smpl, "
        "pose_service.avatar.files; "
        "heavy = {'torch', 'scipy', 'matplotlib', 'flask'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_map_between_bodies_expects_ten_numbers() -> None:
    with pytest.raises(ValueError, match=r"matrix: expected \(10, 10\)"):
        ShapeMap(np.eye(9), np.zeros(10))
