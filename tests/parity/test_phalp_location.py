"""Predicted places against the official predictor's, over histories of every kind."""

import numpy as np
from standin_phalp import golden

from pose_service.core.arrays import FloatArray
from pose_service.phalp.location.predictor import predicted_locations
from pose_service.phalp.records import SPREAD, Compat

GOLDEN = golden("location")
ONE_FRAME = np.char.startswith(GOLDEN["case"], "all_same")
# upstream's ridge is scikit-learn's, ours a closed form, and all is stored in float32
LIMIT = 2e-6


def predicted(compat: Compat) -> FloatArray:
    """Upstream's counter of misses begins with 0 in the frame of the sight itself."""
    ahead = GOLDEN["time_since_update"] + 1
    return predicted_locations(GOLDEN["loca"], GOLDEN["times"], ahead, compat)


def test_places_and_spreads_are_the_official_ones() -> None:
    np.testing.assert_allclose(predicted("upstream"), GOLDEN["pred"], rtol=LIMIT, atol=1e-7)


def test_who_was_seen_in_one_frame_has_no_spread_upstream() -> None:
    """D5 begins here: NaN, which then costs nothing."""
    assert ONE_FRAME.any()
    assert np.isnan(predicted("upstream")[ONE_FRAME, SPREAD]).all()
    assert np.isfinite(predicted("upstream")[~ONE_FRAME]).all()


def test_fixed_differs_only_where_a_track_is_young() -> None:
    """Of one sight the spread is made up; of two to six, the depth's is divided as the others."""
    found, upstream = predicted("fixed"), predicted("upstream")
    assert np.isfinite(found).all()
    times = GOLDEN["times"]
    young = (np.diff(times, axis=1) == 0).any(axis=1)
    np.testing.assert_array_equal(found[~young], upstream[~young])
    other = found != upstream
    assert other[ONE_FRAME, SPREAD][:, :2].all()
    assert other[young & ~ONE_FRAME, SPREAD.start + 2].all()
    other[ONE_FRAME, SPREAD] = False
    other[young, SPREAD.start + 2] = False
    assert not other.any()


def test_a_line_is_followed_for_49_frames_and_no_farther() -> None:
    misses = GOLDEN["time_since_update"]
    found = predicted("upstream")
    np.testing.assert_array_equal(found[misses == 48], found[misses == 60])
    assert (found[misses == 30] != found[misses == 48]).any(axis=1)[~ONE_FRAME[misses == 30]].all()
