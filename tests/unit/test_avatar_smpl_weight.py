"""A weight moves the shape of an SMPL body as far as it has to, and no farther."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from smpl_kit import VERSION, beta, settings, sight
from standin_person import write_people

from pose_service.avatar.measurement_extractor import MeasurementExtractor
from pose_service.avatar.records import Gender, Wish
from pose_service.avatar.smpl.bodies import SmplBodies
from pose_service.avatar.smpl.fit_smpl import fit_smpl
from pose_service.avatar.smpl.mesh import rest_mesh
from pose_service.avatar.smpl.weight import MOST_CHANGE, log_mass_of, mass_kg, shape_of_weight
from pose_service.bodies.smpl_rest import SmplRest
from pose_service.core.arrays import FloatArray

HEIGHT_CM = 175.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("data") / "4dhumans" / "smpl", "neutral")


@pytest.fixture(scope="module")
def bodies(folder: Path) -> SmplBodies:
    return SmplBodies(settings(folder))


@pytest.fixture(scope="module")
def body(bodies: SmplBodies) -> SmplRest:
    return bodies.rest(Gender.NEUTRAL)


def true_kg(body: SmplRest, betas: FloatArray) -> float:
    mesh, _ = rest_mesh(body, betas, HEIGHT_CM)
    return mass_kg(mesh.vertices_m, mesh.faces)


def test_the_mass_is_that_of_the_volume_which_another_library_finds(body: SmplRest) -> None:
    mesh, _ = rest_mesh(body, beta(b1=1.0), HEIGHT_CM)
    volume_m3 = trimesh.Trimesh(mesh.vertices_m, mesh.faces, process=False).volume
    assert mass_kg(mesh.vertices_m, mesh.faces) == pytest.approx(985 * volume_m3, rel=1e-9)
    log_mass, _ = log_mass_of(body, beta(b1=1.0), HEIGHT_CM)
    assert np.exp(log_mass) == pytest.approx(985 * volume_m3, rel=1e-9)


def test_slopes_of_the_mass_are_those_of_small_steps(body: SmplRest) -> None:
    betas, step = np.linspace(-1, 1, 10), 1e-4
    _, slopes = log_mass_of(body, betas, HEIGHT_CM)
    for number, unit in enumerate(step * np.eye(10)):
        more, less = (np.log(true_kg(body, betas + side * unit)) for side in (1, -1))
        assert slopes[number] == pytest.approx((more - less) / (2 * step), abs=1e-6)
    # a body that is larger in all is as heavy once it is made as tall
    _, slopes = log_mass_of(body, np.zeros(10), HEIGHT_CM)
    assert slopes[0] == pytest.approx(0, abs=1e-5)
    assert slopes[1] == pytest.approx(0.06, abs=1e-5)


def test_the_right_weight_changes_nothing(body: SmplRest) -> None:
    betas = np.linspace(1, -1, 10)
    same = shape_of_weight(body, betas, HEIGHT_CM, true_kg(body, betas))
    np.testing.assert_allclose(same, betas, atol=1e-9)


@pytest.mark.parametrize("build", [-2.0, 2.0], ids=["slight", "heavy"])
def test_a_weight_makes_up_for_a_build_that_the_network_did_not_see(
    bodies: SmplBodies, body: SmplRest, folder: Path, build: float
) -> None:
    extractor = MeasurementExtractor(folder)
    true = beta(b1=build)
    wish = Wish(height_cm=HEIGHT_CM, weight_kg=true_kg(body, true))
    blind, told = (
        fit_smpl([sight()], one, bodies, VERSION) for one in (Wish(height_cm=HEIGHT_CM), wish)
    )
    wanted = extractor.extract(true, height_cm=HEIGHT_CM)
    errors_cm = [
        np.abs([extractor.extract(one.shape, height_cm=HEIGHT_CM)[name] - wanted[name]
                for name in ("chest", "waist", "hip", "thigh")])
        for one in (blind, told)
    ]  # fmt: skip
    # the waves of other numbers take a part of the mass, too
    assert np.all(errors_cm[1] < 0.5 * errors_cm[0])
    assert mass_kg(told.rest.vertices_m, told.rest.faces) == pytest.approx(wish.weight_kg, rel=0.05)
    assert np.ptp(told.rest.vertices_m[:, 1]) == pytest.approx(HEIGHT_CM / 100)
    assert told.notes == ()


def test_an_absurd_weight_is_not_followed_and_said(bodies: SmplBodies) -> None:
    fitted = fit_smpl([sight()], Wish(height_cm=HEIGHT_CM, weight_kg=300.0), bodies, VERSION)
    assert np.linalg.norm(fitted.shape) == pytest.approx(MOST_CHANGE)
    (note,) = fitted.notes
    assert "not the 300 kg given" in note


def test_a_weight_without_a_height_is_said_not_to_be_used(bodies: SmplBodies) -> None:
    fitted = fit_smpl([sight()], Wish(weight_kg=120.0), bodies, VERSION)
    np.testing.assert_allclose(fitted.shape, 0, atol=1e-9)
    assert fitted.notes == (
        "The weight was not used: without a height it says nothing about the build.",
    )


def test_a_childs_height_is_said_to_be_beyond_smpl(bodies: SmplBodies) -> None:
    (note,) = fit_smpl([sight()], Wish(height_cm=120.0), bodies, VERSION).notes
    assert "a child's proportions" in note
