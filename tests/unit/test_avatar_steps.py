"""How the steps of an avatar's making are put together for the engines there are."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import TypeVar

import numpy as np
import pytest
from toy_engine import picture, toy_engine

from pose_service.avatar import steps
from pose_service.avatar.avatar_record import AvatarError
from pose_service.avatar.check import clip_check, picture_check
from pose_service.avatar.records import Wish
from pose_service.core.config import Settings
from pose_service.core.records import Observation
from pose_service.core.skeletons import SMPL24
from pose_service.engines.seam import Engine

T = TypeVar("T")
IMAGE = picture()


class Nets:
    """Lends the toy engine at once."""

    def wait(self, timeout_s: float) -> Engine:
        return toy_engine()

    def run_clip(self, work: Callable[[Engine], T]) -> T:
        return work(toy_engine())


def person(number: int) -> Observation:
    return Observation(
        number, np.arange(4.0), 1.0, np.zeros(4), np.zeros((1, 2)), np.zeros((1, 3)), np.ones(1),
        np.ones(len(SMPL24)),
    )  # fmt: skip


@pytest.fixture(autouse=True)
def no_face_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_faces", lambda folder: None)


def test_the_clearest_picture_of_a_clip_comes_first_and_the_others_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = [[person(place)] for place in range(6)]
    found = SimpleNamespace(
        places=(1, 2, 4, 5), people=tuple(seen[place][0] for place in (1, 2, 4, 5)), best=4,
        report=lambda: {"of": 4},
    )  # fmt: skip
    monkeypatch.setattr(clip_check, "check_clip_sights", lambda sights, faces: found)
    checked = steps._checked(Settings(), [IMAGE] * 6, seen)
    assert checked.places == (4, 1, 2, 5)
    assert [one.track_id for one in checked.people] == [4, 1, 2, 5]
    assert checked.report == {"of": 4}


def test_a_single_picture_must_do_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(person=person(7), report=lambda: {"of": 7})
    monkeypatch.setattr(picture_check, "check_picture", lambda image, seen, faces: found)
    checked = steps._checked(Settings(), [IMAGE], [[person(3), person(7)]])
    assert (checked.places, checked.people[0].track_id, checked.report) == ((0,), 7, {"of": 7})


def test_an_engine_whose_body_nobody_fits_says_so() -> None:
    with pytest.raises(AvatarError, match="the engine toy makes no avatars") as caught:
        steps.steps_of(Settings(), toy_engine(), Nets(), Wish())
    assert caught.value.code == "NO_AVATARS" and "POSE_ENGINE=embedded" in caught.value.hint
