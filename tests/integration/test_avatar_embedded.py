"""Avatars of the embedded engine: outlines on real photographs, measures of rendered bodies."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.avatar.people import people, posed
from benchmarks.avatar.photographs import outline, scene
from benchmarks.avatar.trials import by_networks
from pose_service.avatar.free.fit_free_body import fit_free_body
from pose_service.avatar.free.shaped import free_shapes, shaped_body
from pose_service.avatar.measured import measured
from pose_service.avatar.records import Sight, Wish
from pose_service.bodies.free_body import FreeBody
from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.records import BodyPoses, Look
from pose_service.engines.embedded import build
from pose_service.engines.seam import Engine
from pose_service.rendering.rasterizer import rasterize


@pytest.fixture(scope="module")
def engine(network_dir: Path) -> Engine:
    return build(Settings(data_dir=network_dir.parent))


def picture(path: Path) -> ImageArray:
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def seen(engine: Engine, image: ImageArray, look: Look) -> Sight:
    """The largest person."""
    (regions,) = engine.detector.detect([image], look)
    (observations,) = engine.regressor.observe([image], [regions], look)
    largest = max(observations, key=lambda one: float(np.prod(np.diff(one.box_xyxy_px[[0, 2]]))))
    return Sight(image, engine.camera(image.shape[1], image.shape[0]), largest)


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two sets of pixels."""
    return float((first & second).sum() / (first | second).sum())


def body_pixels(sight: Sight, wish: Wish) -> np.ndarray:
    """Where the fitted body is in the picture."""
    fitted = fit_free_body([sight], wish)
    pose = BodyPoses(fitted.pose.rotations, fitted.pose.translations_m, np.ones((1, 1)))
    model = FreeBody(shaped_body(free_shapes(), fitted.shape))
    vertices_m = model.pose(pose).vertices_m
    assert vertices_m is not None
    placed_m = vertices_m[0] + fitted.pose.translations_m[0]
    return outline(rasterize(placed_m, model.faces, sight.camera), sight.camera)


@pytest.mark.parametrize("name", ["pexels.jpg", "coco_000000000785.jpg"])
def test_the_fitted_body_fills_the_persons_outline(
    engine: Engine, shared_media: Path, name: str
) -> None:
    sight = seen(engine, picture(shared_media / name), Look.OUTLINE)
    assert sight.observation.mask is not None
    person = sight.observation.mask.pixels()
    left, top, right, bottom = sight.observation.box_xyxy_px.round().astype(int)
    inside = person[top:bottom, left:right].sum()
    assert inside > 0.99 * person.sum()
    # hair, shoes and cloth are the person's and not the body's: most of all the skier's
    assert overlap(person, body_pixels(sight, Wish(height_cm=178.0))) > 0.74


def test_a_clips_frame_has_no_outline(engine: Engine, shared_media: Path) -> None:
    image = picture(shared_media / "coco_000000000785.jpg")
    assert seen(engine, image, Look.CLIP).observation.mask is None


def test_a_rendered_person_comes_back_through_the_whole_engine(engine: Engine) -> None:
    rng = np.random.default_rng(31)
    (person,) = people(free_shapes(), 1, rng)
    one = scene(person, posed("arms clear", 0.0, rng), rng)
    sight = by_networks(engine)(one, rng)
    assert sight is not None
    assert sight.observation.mask is not None
    true = outline(rasterize(one.vertices_m, one.body.faces, one.camera), one.camera)
    # half of the outline is within 5 mm; a body's outline is some 10 m long, its area 0.6 m2
    assert overlap(sight.observation.mask.pixels(), true) > 0.9
    values_cm = measured(fit_free_body([sight], Wish(height_cm=person.stated_cm)))[0].centimetres()
    # some three times the mean errors of docs/avatar-accuracy.md
    limits = {"chest": 8, "waist": 10, "hip": 8, "inseam": 4, "arm_length": 3, "thigh": 6}
    for name, limit in limits.items():
        assert values_cm[name] == pytest.approx(person.values_cm[name], abs=limit)
