"""Slopes of the shape fit against small changes made by hand."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from benchmarks.avatar.people import people, posed
from benchmarks.avatar.photographs import scene
from benchmarks.avatar.trials import by_noise
from pose_service.avatar.free.body_maker import BodyMaker, mass_kg, stature_m
from pose_service.avatar.free.clothes import Clothes
from pose_service.avatar.free.outline import Outline
from pose_service.avatar.free.shape_prior import shape_prior
from pose_service.avatar.free.shape_problem import TURNED, Guess, ShapeProblem, Sighted
from pose_service.avatar.free.shape_solve import ShapeSolver
from pose_service.avatar.free.shaped import free_shapes
from pose_service.avatar.records import Wish
from pose_service.bodies.fit import BodyFitter
from pose_service.bodies.fit_evidence import Evidence
from pose_service.core.arrays import FloatArray
from pose_service.core.geometry import rotation_from_vector
from pose_service.measurement.surface import ClosedFaces

WISH = Wish(height_cm=170.0, weight_kg=70.0)
STEPS = {  # of one unknown each, so small that the outline keeps its vertices
    "root turn": (1, 1e-3), "left upper arm": (3 * 8 + 1, 1e-3), "left thigh": (3 * 14, 1e-3),
    "move aside": (TURNED, 1e-3), "move away": (TURNED + 2, 1e-3), "gender": (TURNED + 3, 0.04),
    "weight": (TURNED + 6, 0.04),
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """A person that is seen, and a body near by."""

    sighted: Sighted
    guess: Guess
    maker: BodyMaker
    surface: ClosedFaces

    def problem(self, guess: Guess) -> ShapeProblem:
        return ShapeProblem(self.maker, guess, self.surface)


@pytest.fixture(scope="module")
def setting() -> Setting:
    rng = np.random.default_rng(4)
    (person,) = people(free_shapes(), 1, rng)
    sight = by_noise(scene(person, posed("arms clear", 0.3, rng), rng), rng)
    assert sight.observation.mask is not None
    maker = BodyMaker(free_shapes(), WISH)
    phenotypes = maker.settled(np.array([0.4, 0.7, 0.3, 0.7, 0.4, 0.5]))
    fitter = BodyFitter(maker.body(phenotypes))
    pose = fitter.solve([sight.observation], sight.camera, np.ones(1))
    evidence = Evidence.gather([sight.observation], sight.camera)
    return Setting(
        Sighted(evidence, Outline.of(sight.observation.mask), sight.camera),
        Guess(pose.rotations[0], pose.translations_m[0], phenotypes),
        maker,
        ClosedFaces.of(free_shapes().base.faces),
    )


def changed(guess: Guess, unknown: int, step: float) -> Guess:
    if unknown < TURNED:
        turn = np.zeros(3)
        turn[unknown % 3] = step
        rotations = guess.rotations.copy()
        rotations[unknown // 3] = rotations[unknown // 3] @ rotation_from_vector(turn)
        return replace(guess, rotations=rotations)
    if unknown < TURNED + 3:
        move = step * np.eye(3)[unknown - TURNED]
        return replace(guess, translation_m=guess.translation_m + move)
    return replace(guess, phenotypes=guess.phenotypes + step * np.eye(6)[unknown - TURNED - 3])


def relative_error(slopes: FloatArray, numeric: FloatArray) -> float:
    return float(np.linalg.norm(slopes - numeric) / np.linalg.norm(numeric))


@pytest.mark.parametrize("name", STEPS)
def test_the_outline_moves_as_its_slopes_say(setting: Setting, name: str) -> None:
    unknown, step = STEPS[name]
    ease = np.zeros(free_shapes().base.vertex_count)
    rows, vertices = setting.problem(setting.guess).outline(setting.sighted, ease)
    moved, others = setting.problem(changed(setting.guess, unknown, step)).outline(
        setting.sighted, ease
    )
    _, here, there = np.intersect1d(vertices, others, return_indices=True)
    assert len(here) > 100
    numeric = (moved.values[there] - rows.values[here]) / step
    # the field of distances is made of cells: its slope is known to a tenth or so
    by_slope = rows.slopes[here, unknown]
    smooth = np.abs(numeric - by_slope) < 0.5 * np.abs(numeric).max()
    assert smooth.mean() > 0.9
    assert relative_error(by_slope[smooth], numeric[smooth]) < 0.3


@pytest.mark.parametrize("name", ["root turn", "left upper arm", "left thigh", "gender"])
def test_landmarks_in_the_picture_move_as_their_slopes_say(setting: Setting, name: str) -> None:
    unknown, step = STEPS[name]
    residuals, slopes = setting.problem(setting.guess).landmarks(setting.sighted.evidence)
    moved, _ = setting.problem(changed(setting.guess, unknown, step)).landmarks(
        setting.sighted.evidence
    )
    # chords and tangents of turns of a thousandth agree to about as much
    assert relative_error(slopes[unknown, 3:], (moved - residuals)[3:] / step) < 0.01


def test_the_mass_changes_as_its_slopes_say(setting: Setting) -> None:
    unknown, step = STEPS["weight"]
    rows = setting.problem(setting.guess).mass()
    moved = setting.problem(changed(setting.guess, unknown, step)).mass()
    assert (moved.values - rows.values)[0] / step == pytest.approx(rows.slopes[0, unknown])
    body = setting.maker.body(setting.guess.phenotypes)
    assert rows.values[0] == pytest.approx(np.log(mass_kg(body) / 70.0))


def test_without_an_outline_or_a_weight_there_are_no_rows(setting: Setting) -> None:
    maker = BodyMaker(free_shapes(), Wish(height_cm=170.0))
    problem = ShapeProblem(maker, setting.guess, setting.surface)
    blind = replace(setting.sighted, outline=None)
    rows, vertices = problem.outline(blind, np.zeros(free_shapes().base.vertex_count))
    assert len(rows.values) == len(vertices) == len(problem.mass().values) == 0


@pytest.fixture(scope="module")
def solver(setting: Setting) -> ShapeSolver:
    clothes = Clothes.on(free_shapes().base)
    return ShapeSolver(setting.maker, shape_prior(WISH), clothes, setting.surface)


def test_a_sight_that_counts_nothing_leaves_the_shape_to_the_other(
    setting: Setting, solver: ShapeSolver
) -> None:
    alone = solver.refine(setting.sighted, setting.guess, 2)
    elsewhere = replace(setting.sighted, outline=None)
    both = solver.refine_together(
        [setting.sighted, elsewhere], [setting.guess] * 2, np.array([1.0, 0.0]), 2
    )
    assert both[0].phenotypes.tolist() == alone.phenotypes.tolist()
    assert both[1].phenotypes.tolist() == alone.phenotypes.tolist()
    np.testing.assert_allclose(both[0].rotations, alone.rotations, atol=1e-12)


def test_the_same_sight_many_times_outweighs_what_is_likely(
    setting: Setting, solver: ShapeSolver
) -> None:
    mean = shape_prior(WISH).mean

    def away(count: int) -> float:
        several = [setting.sighted] * count, [setting.guess] * count
        first, *others = solver.refine_together(*several, np.ones(count), 3)
        assert all(other.phenotypes.tolist() == first.phenotypes.tolist() for other in others)
        return float(np.linalg.norm((first.phenotypes - mean)[[0, 2, 3]]))

    assert away(5) > away(1)


@pytest.mark.parametrize("height_cm", [110.0, 152.0, 170.0, 198.0, 240.0])
def test_bodies_are_as_tall_as_the_wish_says(height_cm: float) -> None:
    maker = BodyMaker(free_shapes(), Wish(height_cm=height_cm))
    phenotypes = maker.settled(np.array([0.8, 0.7, 0.2, 0.9, 0.4, 0.3]))
    assert 100 * stature_m(maker.body(phenotypes)) == pytest.approx(height_cm, rel=1e-6)
    if height_cm in (152.0, 170.0, 198.0):
        # the height number does it, and nothing is stretched
        assert maker.scale(phenotypes) == pytest.approx(1, abs=2e-3)
