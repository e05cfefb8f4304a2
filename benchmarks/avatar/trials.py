"""Trials: a random person photographed once or all around, fitted, and measured."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.avatar.calibrating import Outcome
from benchmarks.avatar.people import POSTURES, Person, posed
from benchmarks.avatar.photographs import HEIGHT_PX, WIDTH_PX, Scene, outline, photograph, scene
from pose_service.avatar.free.fit_free_body import fit_free_body
from pose_service.avatar.measured import measures_and_spread
from pose_service.avatar.records import Sight, Wish
from pose_service.bodies.body_landmarks import landmark_masses
from pose_service.core.arrays import FloatArray
from pose_service.core.masks import Mask
from pose_service.core.records import Camera, Look, Observation
from pose_service.engines.embedded import focal_px
from pose_service.engines.seam import Engine
from pose_service.rendering.rasterizer import rasterize

_YAWS_RAD = (0.0, 0.0, 0.4, -0.4, 0.8, -0.8)
TURN_FRAMES = 8
# What the networks are off on rendered photographs, for trials without networks: standard
# deviations as a share of the trunk's length in the picture, metres along camera axes, a stretch
# of the whole, and pixels of the outline, wrong alike over some way along it.
_LANDMARK_SD_PER_TRUNK = 0.022
_LANDMARK_SD_M = (0.025, 0.027, 0.08)
_STRETCH_SD = 0.055
_OUTLINE_SD_PX, _ALIKE_PX = 2.5, 14.0

Seeing = Callable[[Scene, np.random.Generator], Sight | None]
"""What is seen of a scene; None where nobody is found."""


@dataclass(frozen=True, eq=False)
class Trial:
    """One person and what was seen of them."""

    person: Person
    sights: tuple[Sight, ...]

    def outcome(self, *, height: bool) -> Outcome:
        """What is measured, with or without the person's own word on their height."""
        wish = Wish(self.person.asked, self.person.stated_cm if height else None)
        measurements, spread_cm = measures_and_spread(fit_free_body(self.sights, wish))
        return Outcome(self.person.values_cm, measurements.centimetres(), spread_cm)


def photographs(
    several: Iterable[Person], seeing: Seeing, rng: np.random.Generator
) -> Iterator[Trial]:
    """One photograph of each, from the front or half from the side."""
    for person in several:
        yaw = float(rng.choice(_YAWS_RAD)) + float(rng.normal(0, 0.1))
        posture = str(rng.choice(list(POSTURES)))
        sight = seeing(scene(person, posed(posture, yaw, rng), rng), rng)
        yield Trial(person, () if sight is None else (sight,))


def turns(several: Iterable[Person], seeing: Seeing, rng: np.random.Generator) -> Iterator[Trial]:
    """Eight frames of each, turning once around on the spot."""
    for person in several:
        yaws = np.arange(TURN_FRAMES) * 2 * np.pi / TURN_FRAMES + rng.normal(0, 0.1, TURN_FRAMES)
        postures = rng.choice(["arms clear", "arms low"], TURN_FRAMES)
        scenes = (
            scene(person, posed(str(posture), float(yaw), rng), rng)
            for posture, yaw in zip(postures, yaws, strict=True)
        )
        seen = (seeing(one, rng) for one in scenes)
        yield Trial(person, tuple(sight for sight in seen if sight is not None))


def by_networks(engine: Engine) -> Seeing:
    """The embedded engine looks at a rendered photograph."""

    def see(one: Scene, rng: np.random.Generator) -> Sight | None:
        image = photograph(one, rng)
        found = engine.detector.detect([image], Look.OUTLINE)
        (seen,) = engine.regressor.observe([image], found, Look.OUTLINE)
        if not seen:
            return None
        largest = max(seen, key=_area_px2)
        return Sight(image, engine.camera(WIDTH_PX, HEIGHT_PX), largest)

    return see


def by_noise(one: Scene, rng: np.random.Generator) -> Sight:
    """Landmarks and outline of the body itself, off as those of networks are."""
    assumed = Camera(focal_px(WIDTH_PX, HEIGHT_PX), WIDTH_PX, HEIGHT_PX)
    points_m = landmarks_m(one)
    points_px = one.camera.project(points_m)
    trunk_px = np.linalg.norm(points_px[[11, 12]].mean(axis=0) - points_px[[23, 24]].mean(axis=0))
    points_px += rng.normal(0, _LANDMARK_SD_PER_TRUNK * trunk_px, points_px.shape)
    told_m = points_m - points_m[[23, 24]].mean(axis=0)
    told_m = told_m * rng.normal(1, _STRETCH_SD) + rng.normal(0, _LANDMARK_SD_M, told_m.shape)
    observation = Observation(
        track_id=1,
        box_xyxy_px=np.concatenate([points_px.min(axis=0), points_px.max(axis=0)]),
        confidence=0.9,
        roi=np.zeros(4),
        landmarks_px=points_px,
        landmarks_m=told_m,
        landmark_confidence=np.full(len(points_px), 0.9),
        joint_confidence=np.full(24, 0.9),
        mask=_rough(one, rng),
    )
    return Sight(np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8), assumed, observation)


def landmarks_m(one: Scene) -> FloatArray:
    """(33, 3) where BlazePose's landmarks truly are, camera axes."""
    of_keypoints, of_heads = landmark_masses(one.body)
    keypoints_m = one.body.keypoints(one.turns, one.heads_m, np.ones(1))
    points_m: FloatArray = (of_keypoints @ keypoints_m + of_heads @ one.heads_m)[0]
    return points_m


def _rough(one: Scene, rng: np.random.Generator) -> Mask:
    """The true outline of the dressed body, moved in and out by a smooth random field."""
    inside = outline(rasterize(one.vertices_m, one.body.faces, one.camera), one.camera)
    out_px, in_px = (
        np.asarray(cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, 5))
        for side in (~inside, inside)
    )
    noise = np.asarray(cv2.GaussianBlur(rng.normal(0, 1, inside.shape), (0, 0), _ALIKE_PX))
    return Mask.of(out_px - in_px < _OUTLINE_SD_PX * noise / noise.std())


def _area_px2(seen: Observation) -> float:
    left, top, right, bottom = seen.box_xyxy_px
    return float((right - left) * (bottom - top))
