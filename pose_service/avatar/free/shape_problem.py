"""One body and one sight of it as a least-squares problem: what is off, and how it changes.

Unknowns are those of the pose fit, a turn for each free joint and the root's move, and the six
phenotype numbers. Off are: the landmarks as in the pose fit, except that the network's metres may
be stretched as a whole, since it knows no person's size; and the outline, by how far outside of the
person's each vertex on the body's own outline lies, clothes allowed for.
"""

from dataclasses import dataclass, replace

import numpy as np

from pose_service.avatar.free.body_maker import BodyMaker, mass_kg
from pose_service.avatar.free.contour import contour
from pose_service.avatar.free.outline import Outline
from pose_service.avatar.free.rest import free_rotations
from pose_service.bodies.anny import AnnyBody
from pose_service.bodies.fit_evidence import Evidence
from pose_service.bodies.fit_solve import Solver
from pose_service.bodies.fit_start import BodyState
from pose_service.bodies.segments import FREE_JOINTS
from pose_service.bodies.shapes import PHENOTYPES
from pose_service.core.arrays import FloatArray, IntArray
from pose_service.core.records import Camera
from pose_service.measurement.surface import ClosedFaces

TURNED = 3 * len(FREE_JOINTS)
UNKNOWNS = TURNED + 3 + len(PHENOTYPES)
_TINY_M2 = 1e-9
_STEP = 0.04  # of a phenotype number, for slopes


@dataclass(frozen=True)
class Guess:
    """`rotations`: (20, 3, 3), `translation_m`: (3,) as in `BodyState`; `phenotypes`: (6,)."""

    rotations: FloatArray
    translation_m: FloatArray
    phenotypes: FloatArray

    @property
    def state(self) -> BodyState:
        return BodyState(self.rotations[None], self.translation_m[None], np.ones(1))


@dataclass(frozen=True)
class Rows:
    """`values`: (n,), `slopes`: (n, unknowns) of them. Metres, or what stands for them."""

    values: FloatArray
    slopes: FloatArray


@dataclass(frozen=True, eq=False)
class Sighted:
    """What one sight tells. `outline` is None where nobody knows it."""

    evidence: Evidence
    outline: Outline | None
    camera: Camera


class ShapeProblem:
    """The body at one guess, with the slopes by phenotype of all that is looked at."""

    def __init__(self, maker: BodyMaker, guess: Guess, surface: ClosedFaces) -> None:
        self.guess = guess
        self.body = maker.body(guess.phenotypes)
        self._surface = surface
        self._solver = Solver.of(self.body)
        # inwards where there is no room outwards: numbers end at 1
        self._steps = np.where(guess.phenotypes > 1 - 2 * _STEP, -_STEP, _STEP)
        self._others = [maker.body(guess.phenotypes + step) for step in np.diag(self._steps)]
        self._weight_kg = maker.weight_kg

    def landmarks(self, seen: Evidence) -> tuple[FloatArray, FloatArray]:
        """Residuals (5, 27) and their slopes (unknowns, 5, 27)."""
        state = self.guess.state
        stretched = self._stretched(seen)
        residuals, by_pose = self._solver.linearise(stretched, state)
        slopes = np.empty((UNKNOWNS, *residuals.shape[1:]))
        slopes[: TURNED + 3] = by_pose[0]
        for place, (other, step) in enumerate(zip(self._others, self._steps, strict=True)):
            moved = Solver.of(other).residuals(stretched, state)
            slopes[TURNED + 3 + place] = (moved - residuals)[0] / step
        return residuals[0], slopes

    def _stretched(self, seen: Evidence) -> Evidence:
        """The network's metres times what brings them nearest to the body."""
        off = self._solver.residuals(seen, self.guess.state)[0, :3].T
        points_m = seen.points_m[0]
        weights = seen.weights[0][:, None]
        both = np.sum(weights * (off + points_m) * points_m)
        power = np.maximum(np.sum(weights * points_m**2), _TINY_M2)
        return replace(seen, points_m=seen.points_m * both / power)

    def outline(self, sighted: Sighted, ease_m: FloatArray) -> tuple[Rows, IntArray]:
        """How far the body's outline lies outside of where it should, metres, and which vertices.

        `ease_m`: (v,) how far clothes are expected to stand off. Without an outline no rows.
        """
        if sighted.outline is None:
            return Rows(np.zeros(0), np.zeros((0, UNKNOWNS))), np.zeros(0, np.int64)
        camera, outline = sighted.camera, sighted.outline
        turns, heads_m = self._posed(self.body)
        every_m = self._vertices(self.body, turns, heads_m, slice(None))
        rim = contour(every_m, self._surface, camera)
        points_m = every_m[rim.vertices]
        points_px = camera.project(points_m)
        distances_px, uphill = outline.at(points_px)
        alike = np.einsum("ni,ni->n", uphill, rim.outward)
        chosen = (alike > 0.5) & outline.knows(points_px)
        vertices, points_m, uphill = rim.vertices[chosen], points_m[chosen], uphill[chosen]
        per_px = points_m[:, 2] / camera.focal_px
        values = distances_px[chosen] * per_px + ease_m[vertices]
        # metres in the picture's plane at the vertex' own depth
        across = np.column_stack([uphill, -np.sum(uphill * points_m[:, :2], 1) / points_m[:, 2]])
        slopes = np.empty((len(vertices), UNKNOWNS))
        slopes[:, : TURNED + 3] = self._by_pose(vertices, points_m, across, (turns, heads_m))
        for place, (other, step) in enumerate(zip(self._others, self._steps, strict=True)):
            moved = self._vertices(other, *self._posed(other), vertices) - points_m
            slopes[:, TURNED + 3 + place] = np.sum(across * moved, axis=1) / step
        return Rows(values, slopes), vertices

    def mass(self) -> Rows:
        """How far the body is too heavy, as a share of the wish's weight; no row without."""
        if self._weight_kg is None:
            return Rows(np.zeros(0), np.zeros((0, UNKNOWNS)))
        logs = np.log([mass_kg(body) for body in (self.body, *self._others)])
        slopes = np.zeros((1, UNKNOWNS))
        slopes[0, TURNED + 3 :] = (logs[1:] - logs[0]) / self._steps
        return Rows(logs[:1] - np.log(self._weight_kg), slopes)

    def _posed(self, body: AnnyBody) -> tuple[FloatArray, FloatArray]:
        rotations = free_rotations(body, self.guess.rotations[None])
        return body.world(rotations, self.guess.translation_m[None], np.ones(1))

    @staticmethod
    def _vertices(
        body: AnnyBody, turns: FloatArray, heads_m: FloatArray, chosen: IntArray | slice
    ) -> FloatArray:
        """(n, 3) of the `chosen` vertices, camera axes, translation added."""
        offsets = heads_m[0] - np.einsum("bij,bj->bi", turns[0], body.bone_heads_m)
        motions = np.concatenate([turns[0], offsets[..., None]], axis=2).reshape(-1, 12)
        weights = body.bone_weights[:, chosen]
        blended = (weights.T @ motions.astype(np.float32)).reshape(-1, 3, 4).astype(np.float64)
        rest_m = body.rest_vertices_m[chosen]
        posed: FloatArray = np.einsum("nij,nj->ni", blended[:, :, :3], rest_m) + blended[:, :, 3]
        return posed

    def _by_pose(
        self,
        vertices: IntArray,
        points_m: FloatArray,
        across: FloatArray,
        posed: tuple[FloatArray, FloatArray],
    ) -> FloatArray:
        """(n, 63) slopes along `across` (n, 3): turning a joint carries what hangs below it."""
        segments = self._solver.segments
        bones = [self.body.bone_names.index(name) for name in FREE_JOINTS]
        turns, heads_m = posed[0][0, bones], posed[1][0, bones]
        onto = np.eye(len(FREE_JOINTS))[segments.of_bone]
        carried = self.body.bone_weights[:, vertices].T @ onto @ segments.below.T
        arms = points_m[:, None] - heads_m
        # across . (axis x arm) = axis . (arm x across), for the three axes of each joint
        torque = np.cross(arms, across[:, None])
        slopes = np.einsum("nf,nfi,fij->nfj", carried, torque, turns)
        return np.concatenate([slopes.reshape(len(vertices), -1), across], axis=1)
