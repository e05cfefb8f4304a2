"""What is kept of people's looks, and which pairs are compared."""

from pathlib import Path

import numpy as np
import pytest
import torch
from phalp_kit import ColourLooks, person
from standin_phalp import encoder_state, encoder_texture

from pose_service.phalp.appearance.looks import TextureLooks
from pose_service.phalp.checkpoint_appearance import encoder_of
from pose_service.phalp.texture.maps import TextureMaps
from pose_service.phalp.texture.mixing import mixed
from pose_service.phalp.texture.sampling import textures
from pose_service.phalp.track.looks import LookMemory
from pose_service.phalp.tracker import PhalpTracker

ALL = np.ones((2, 2), bool)


def known(**looks: float) -> LookMemory[float]:
    """Tracks 1, 2 … with these looks."""
    memory: LookMemory[float] = LookMemory(ColourLooks())
    memory.take_in(range(1, len(looks) + 1), list(looks.values()), np.ones(len(looks)))
    return memory


def test_looks_are_compared_where_both_are_known() -> None:
    memory = known(one=1.0)
    found = memory.costs([1, 2], [3.0, None], ALL)
    np.testing.assert_array_equal(found, [[4.0, np.nan], [np.nan, np.nan]])


def test_pairs_that_are_not_possible_are_not_asked_for() -> None:
    looks = ColourLooks()
    memory: LookMemory[float] = LookMemory(looks)
    memory.take_in([1, 2], [1.0, 2.0], np.ones(2))
    found = memory.costs([1, 2], [3.0, 4.0], np.array([[True, False], [False, False]]))
    assert looks.asked == [1]
    np.testing.assert_array_equal(found, [[4.0, np.nan], [np.nan, np.nan]])
    assert np.isnan(memory.costs([1, 2], [3.0, 4.0], ~ALL)).all()
    assert looks.asked == [1]


def test_sight_is_mixed_in_by_a_tenth_and_the_first_one_is_kept_whole() -> None:
    memory = known(one=1.0)
    memory.take_in([1, 2, 3], [2.0, 5.0, None], np.array([1.0, 0.5, 1.0]))
    found = memory.costs([1, 2], [0.0], np.ones((2, 1), bool))
    np.testing.assert_allclose(found, [[1.1**2], [25.0]])
    assert len(memory) == 2


def test_who_ended_is_forgotten() -> None:
    memory = known(one=1.0, two=2.0)
    memory.keep_only({2})
    assert len(memory) == 1


def test_without_a_comparer_nothing_is_kept_and_all_look_alike() -> None:
    memory: LookMemory[float] = LookMemory(None)
    memory.take_in([1], [1.0], np.ones(1))
    assert len(memory) == 0
    assert (memory.costs([1, 2], [1.0, 9.0], ALL) == 0).all()


def test_looks_tell_two_people_apart_who_swap_places() -> None:
    """Side by side at one depth and in one pose: place says stay, looks say that they crossed."""
    tracker = PhalpTracker(looks=ColourLooks())
    for index in range(6):
        tracker.step(index, [person(0.48), person(0.52)], [1.0, 9.0])
    assert tracker.step(6, [person(0.48), person(0.52)], [9.0, 1.0]).track_ids == (2, 1)
    blind: PhalpTracker[float] = PhalpTracker()
    for index in range(6):
        blind.step(index, [person(0.48), person(0.52)])
    assert blind.step(6, [person(0.48), person(0.52)]).track_ids == (1, 2)


def test_frame_without_masks_is_tracked_by_place_and_pose() -> None:
    """And looks are remembered through it."""
    tracker = PhalpTracker(looks=ColourLooks())
    for index in range(6):
        tracker.step(index, [person(0.48), person(0.52)], [1.0, 9.0])
    assert tracker.step(6, [person(0.48), person(0.52)]).track_ids == (1, 2)
    assert tracker.step(7, [person(0.48), person(0.52)], [None, None]).track_ids == (1, 2)
    assert tracker.step(8, [person(0.48), person(0.52)], [None, 1.0]).track_ids == (2, 1)


def test_textures_of_another_number_of_people_are_refused() -> None:
    with pytest.raises(ValueError, match="textures: expected 1, got 2"):
        PhalpTracker(looks=ColourLooks()).step(0, [person(0.5)], [1.0, 2.0])


def test_textures_are_mixed_where_both_show_and_joined_elsewhere() -> None:
    """Old shows the left two texels, new the right two; a score of 0.5 counts 0.025."""
    old, new = torch.zeros(1, 4, 1, 3), torch.zeros(1, 4, 1, 3)
    old[0, 3, 0], new[0, 3, 0] = torch.tensor([1.0, 1.0, -1.0]), torch.tensor([-1.0, 1.0, 1.0])
    old[0, :3, 0, :2], new[0, :3, 0, 1:] = 0.4, -0.2
    found = mixed(old, new, np.array([0.5]))
    np.testing.assert_allclose(found[0, 0, 0], [0.4, 0.4 - 0.025 * 0.6, -0.2], rtol=1e-6)
    assert found[0, 3, 0].tolist() == [1, 1, 1]
    hidden = torch.zeros_like(new)
    hidden[:, 3] = -1
    unseen = mixed(hidden, hidden, np.array([1.0]))
    assert (unseen[:, :3] == 0).all() and (unseen[:, 3] == -1).all()


def test_kept_texture_keeps_no_other_one() -> None:
    """A view of the frame's batch would hold everybody's: 40 MB for one of forty people."""
    looks = TextureLooks(encoder_of(encoder_state(), Path("hmar_v2_weights.pth")))
    batch = torch.from_numpy(np.stack([encoder_texture(0), encoder_texture(1)]))
    for texture in looks.mixed([*batch], [*batch], np.ones(2)):
        assert texture.untyped_storage().nbytes() == texture.nbytes == 4 * 256 * 256 * 4


def test_body_that_is_no_number_shows_nothing() -> None:
    """The regressor's NaN must not become a look that fits everybody."""
    fmap = np.zeros((256, 256), np.int64)
    bmap = np.full((256, 256, 3), 1 / 3)
    maps = TextureMaps.of(bmap, fmap, np.array([[0, 1, 2]]), torch.device("cpu"))
    vertices_m = torch.full((1, 3, 3), torch.nan)
    crops, masks = torch.ones(1, 3, 256, 256), torch.full((1, 256, 256), 255.0)
    (made,) = textures(vertices_m, crops, masks, maps)
    assert (made[3] == -1).all()
    assert (made[:3] == 0).all()


def test_mask_counts_where_it_is_a_grey_level_at_least() -> None:
    """Half-shown pixels of the warped mask count as shown; so does one of 255."""
    vertices_m = torch.tensor([[[-1.0, -1, 40], [1, -1, 40], [0, 1, 40]]])
    maps = TextureMaps.of(
        np.full((256, 256, 3), 1 / 3), np.zeros((256, 256), np.int64), np.array([[0, 1, 2]]),
        torch.device("cpu"),
    )  # fmt: skip
    crops = torch.ones(1, 3, 256, 256)
    for grey, shown in ((0.0, -1), (1.0, 1), (255.0, 1)):
        (made,) = textures(vertices_m, crops, torch.full((1, 256, 256), grey), maps)
        assert (made[3] == shown).all()
        assert (made[:3] == (0.2 if shown == 1 else 0)).all()


def test_nobody_has_no_texture() -> None:
    maps = TextureMaps.of(
        np.zeros((256, 256, 3)), np.full((256, 256), -1), np.zeros((0, 3), np.int64),
        torch.device("cpu"),
    )  # fmt: skip
    none = torch.zeros(0, 5, 3), torch.zeros(0, 3, 256, 256), torch.zeros(0, 256, 256)
    assert textures(*none, maps) == []
