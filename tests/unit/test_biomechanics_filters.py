"""The filters against SciPy's, and against what they promise of sines."""

import numpy as np
import pytest
from scipy import signal

from pose_service.biomechanics.filters import (
    Butterworth,
    Filter,
    RauchTungStriebel,
    SavitzkyGolay,
)

FILTERS = [Butterworth(), SavitzkyGolay(), RauchTungStriebel()]
IDS = [type(one).__name__ for one in FILTERS]


def noisy(count: int, columns: int = 3) -> np.ndarray:
    return np.cumsum(np.random.default_rng(count).normal(size=(count, columns)), axis=0)


@pytest.mark.parametrize("fps", [25.0, 30.0, 59.94, 240.0])
@pytest.mark.parametrize("count", [5, 11, 200])
def test_butterworth_is_scipys_filtfilt(fps: float, count: int) -> None:
    values = noisy(count)
    # both passes together have 6 Hz: SciPy's single pass is designed at the frequency that gives it
    single_hz = fps / np.pi * np.arctan(np.tan(np.pi * 6 / fps) / 0.8022)
    single = np.asarray(signal.butter(2, single_hz, fs=fps))
    wanted = signal.filtfilt(*single, values, axis=0, padlen=min(9, count - 1))
    # 0.8022 has four digits
    np.testing.assert_allclose(Butterworth(6.0)(values, fps), wanted, atol=1e-3)


@pytest.mark.parametrize("window_s", [0.17, 0.3, 0.5])
def test_savitzky_golay_is_scipys(window_s: float) -> None:
    values = noisy(200)
    window = {0.17: 5, 0.3: 9, 0.5: 15}[window_s]
    wanted = signal.savgol_filter(values, window, 3, axis=0)
    np.testing.assert_allclose(SavitzkyGolay(window_s)(values, 30.0), wanted, atol=1e-9)


@pytest.mark.parametrize("fps", [30.0, 60.0, 240.0])
@pytest.mark.parametrize("by", FILTERS, ids=IDS)
def test_a_sine_at_the_stated_cut_off_keeps_0_707_and_has_no_lag(by: Filter, fps: float) -> None:
    cutoff_hz = by.cutoff_at(fps)
    assert cutoff_hz is not None
    times_s = np.arange(round(6 * fps)) / fps
    phases = 2 * np.pi * cutoff_hz * times_s
    filtered = by(np.stack([np.sin(phases), np.cos(phases)], axis=1), fps)
    middle = slice(round(2 * fps), round(4 * fps))
    for filtered_wave, wave in ((filtered[:, 0], np.sin(phases)), (filtered[:, 1], np.cos(phases))):
        kept = filtered_wave[middle] @ wave[middle] / (wave[middle] @ wave[middle])
        # the Kalman smoother's cut-off is that of its continuous-time model
        assert kept == pytest.approx(np.sqrt(0.5), abs=0.03)
        left = filtered_wave[middle] - kept * wave[middle]
        assert np.abs(left).max() < 0.01, "a lag would leave a part out of phase"


@pytest.mark.parametrize("by", FILTERS, ids=IDS)
def test_slow_movement_and_straight_lines_pass(by: Filter) -> None:
    times_s = np.arange(180) / 60
    line = np.stack([5 - 3 * times_s, 100 + 0 * times_s], axis=1)
    np.testing.assert_allclose(by(line, 60.0), line, atol=1e-3)
    slow = np.sin(2 * np.pi * 0.7 * times_s)[:, None]
    np.testing.assert_allclose(by(slow, 60.0)[30:-30], slow[30:-30], atol=2e-3)


@pytest.mark.parametrize("by", FILTERS, ids=IDS)
def test_noise_goes_and_the_movement_stays(by: Filter) -> None:
    times_s = np.arange(600) / 60
    truth = 40 * np.sin(2 * np.pi * times_s)[:, None]
    noise = np.random.default_rng(0).normal(0, 2, truth.shape)
    assert np.std(by(truth + noise, 60.0) - truth) < 0.65 * np.std(noise)


@pytest.mark.parametrize("by", FILTERS, ids=IDS)
def test_run_backwards_a_filter_gives_the_same_backwards(by: Filter) -> None:
    values = noisy(120)
    there, back = by(values, 30.0), by(values[::-1], 30.0)[::-1]
    # forwards first or backwards first differ by what is left over at the ends
    np.testing.assert_allclose(there[30:-30], back[30:-30], atol=1e-3)


@pytest.mark.parametrize("by", FILTERS, ids=IDS)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_short_curves_keep_their_length(by: Filter, count: int) -> None:
    values = noisy(count)
    filtered = by(values, 30.0)
    assert filtered.shape == values.shape
    assert np.isfinite(filtered).all()


@pytest.mark.parametrize("by", [Butterworth(6.0), RauchTungStriebel(6.0)], ids=["BW", "RTS"])
def test_too_low_a_frame_rate_leaves_the_values_and_says_so(by: Filter) -> None:
    values = noisy(50)
    assert by.cutoff_at(12.0) is None
    np.testing.assert_array_equal(by(values, 12.0), values)
    assert by.cutoff_at(12.5) == 6.0
