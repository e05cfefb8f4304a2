"""What is found out about avatars, chapter by chapter, ready for JSON."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.avatar.found import Fields, Found, banded, summed, tried
from benchmarks.avatar.package import package_chapter
from benchmarks.avatar.people import people, strangers
from benchmarks.avatar.trials import by_networks, by_noise, photographs, turns
from pose_service.avatar.free.body_maker import mass_kg
from pose_service.avatar.records import Gender
from pose_service.bodies.shapes import BodyShapes
from pose_service.core.config import read_settings
from pose_service.engines.registry import build_engine

_WITHOUT_NETWORKS, _STRANGERS, _LOOSE, _OF_A_GENDER = 120, 90, 50, 150


@dataclass(frozen=True)
class Size:
    """How many people are photographed once, and how many turn around."""

    photographs: int
    turns: int
    seed: int


def photograph_chapter(size: Size) -> Fields:
    """One rendered photograph each, through the whole engine."""
    shapes, rng = BodyShapes.load(), np.random.default_rng(size.seed)
    engine, _ = build_engine(read_settings({"POSE_ENGINE": "embedded"}))
    several = people(shapes, size.photographs, rng)
    return summed([tried(one) for one in photographs(several, by_networks(engine), rng)])


def turn_chapter(size: Size) -> Fields:
    """Eight rendered photographs each, all around, through the whole engine."""
    return summed(list(turning(range(size.turns), size.seed)))


def turning(numbers: Iterable[int], seed: int) -> Iterator[Found]:
    """The people of these numbers, each with a chance of their own: parts may be done apart."""
    shapes = BodyShapes.load()
    engine, _ = build_engine(read_settings({"POSE_ENGINE": "embedded"}))
    for number in numbers:
        rng = np.random.default_rng([seed, number])
        for trial in turns(people(shapes, 1, rng), by_networks(engine), rng):
            yield tried(trial)


def noise_chapter(size: Size) -> Fields:
    """Joints and outlines of the bodies themselves, with noise like the networks'."""
    shapes, rng = BodyShapes.load(), np.random.default_rng(size.seed + 2)
    several = people(shapes, _WITHOUT_NETWORKS, rng)
    return summed([tried(one) for one in photographs(several, by_noise, rng)])


def stranger_chapter(size: Size) -> Fields:
    """As the first chapter, people unlike what the fit expects; bands as calibrated there."""
    shapes, rng = BodyShapes.load(), np.random.default_rng(size.seed + 4)
    engine, _ = build_engine(read_settings({"POSE_ENGINE": "embedded"}))
    several = strangers(shapes, _STRANGERS, rng)
    return banded([tried(one) for one in photographs(several, by_networks(engine), rng)])


def loose_chapter(size: Size) -> Fields:
    """Without networks, all clothes three times as loose as the fit expects; bands as above."""
    shapes, rng = BodyShapes.load(), np.random.default_rng(size.seed + 6)
    several = (replace(one, looseness=(3.0, 3.0)) for one in people(shapes, _LOOSE, rng))
    return banded([tried(one) for one in photographs(several, by_noise, rng)])


def population_chapter(size: Size) -> Fields:
    """Statures and masses of the random people, by the mesh' volume."""
    shapes, rng = BodyShapes.load(), np.random.default_rng(size.seed + 3)
    rows = {}
    for gender in (Gender.MALE, Gender.FEMALE):
        some = list(people(shapes, _OF_A_GENDER, rng, gender))
        for name, values in (
            ("stature, cm", [one.values_cm["height"] for one in some]),
            ("mass, kg", [mass_kg(one.body) for one in some]),
        ):
            rows[f"{gender}, {name}"] = [round(float(f(values)), 1) for f in (np.mean, np.std)]
    return {"rows": rows}


CHAPTERS: Mapping[str, Callable[[Size], Fields]] = {
    "photograph": photograph_chapter,
    "turn": turn_chapter,
    "noise": noise_chapter,
    "strangers": stranger_chapter,
    "loose": loose_chapter,
    "population": population_chapter,
    "package": lambda size: package_chapter(size.seed + 5),
}
