"""Joints out of SimCC curves and heat maps whose peaks are known."""

import numpy as np
import pytest

from pose_service.core.arrays import FloatArray
from pose_service.pose2d.heatmaps import decode_heatmaps
from pose_service.pose2d.simcc import decode_simcc

JOINTS = 17
WIDTH, HEIGHT = 192, 256
RNG = np.random.default_rng(17)


def curves(places: FloatArray, length: int, height: float = 0.9) -> FloatArray:
    """Bell curves (..., 2 length) that peak at `places` (...) in pixels, as RTMPose is trained."""
    bins = np.arange(2 * length)
    return height * np.exp(-((bins - 2 * places[..., None]) ** 2) / (2 * 5.0**2))


def gaussians(x: FloatArray, y: FloatArray, sigma: float = 2.0, height: float = 0.8) -> FloatArray:
    """Heat maps (..., 64, 48) that peak at x, y in cells."""
    rows, columns = np.mgrid[: HEIGHT // 4, : WIDTH // 4]
    squares = (columns - x[..., None, None]) ** 2 + (rows - y[..., None, None]) ** 2
    return height * np.exp(-squares / (2 * sigma**2))


def quarter_step(heatmaps: FloatArray) -> FloatArray:
    """The other way from heat map to point: a quarter of a cell towards the higher neighbour."""
    points = np.zeros((*heatmaps.shape[:2], 2))
    for index in np.ndindex(heatmaps.shape[:2]):
        one = heatmaps[index]
        y, x = np.unravel_index(one.argmax(), one.shape)
        step = np.sign([one[y, x + 1] - one[y, x - 1], one[y + 1, x] - one[y - 1, x]])
        points[index] = np.array([x, y]) + step / 4
    return 4 * points


def test_simcc_finds_peaks_to_half_a_pixel() -> None:
    x = RNG.integers(0, 2 * WIDTH, (3, JOINTS)) / 2
    y = RNG.integers(0, 2 * HEIGHT, (3, JOINTS)) / 2
    points, confidence = decode_simcc(curves(x, WIDTH), curves(y, HEIGHT))
    np.testing.assert_array_equal(points, np.stack([x, y], axis=-1))
    np.testing.assert_allclose(confidence, 0.9)
    # a peak between two places is a quarter of a pixel off at most
    points, _ = decode_simcc(curves(x + 0.2, WIDTH), curves(np.maximum(y - 0.2, 0), HEIGHT))
    assert np.abs(points - np.stack([x + 0.2, y - 0.2], axis=-1)).max() <= 0.25 + 1e-9


def test_simcc_mirrored_is_the_mirrored_point() -> None:
    x, y = RNG.uniform(0, WIDTH - 0.5, (2, JOINTS)), RNG.uniform(0, HEIGHT - 0.5, (2, JOINTS))
    ahead, sure = decode_simcc(curves(x, WIDTH), curves(y, HEIGHT))
    back, mirrored = decode_simcc(curves(x, WIDTH)[..., ::-1], curves(y, HEIGHT))
    np.testing.assert_allclose(back[..., 0], WIDTH - 0.5 - ahead[..., 0])
    np.testing.assert_array_equal(back[..., 1], ahead[..., 1])
    np.testing.assert_array_equal(sure, mirrored)


def test_simcc_confidence_is_the_lower_peak_from_0_to_1() -> None:
    x = curves(np.full((1, 5), 50.0), WIDTH) / 0.9
    y = curves(np.full((1, 5), 60.0), HEIGHT) / 0.9
    scale = np.array([[0.7, 0.2, 1.3, 0.0, 0.4]])[..., None]
    other = np.array([[0.3, 0.9, 1.2, 0.5, -0.4]])[..., None]
    _, confidence = decode_simcc(x * scale, y * other - 1e-9 * (other < 0))
    np.testing.assert_allclose(confidence[0, :4], [0.3, 0.2, 1.0, 0.0])
    assert confidence[0, 4] == 0.0


def test_what_is_no_number_is_not_seen() -> None:
    x, y = curves(np.full((1, 1), 9.0), WIDTH), curves(np.full((1, 1), 9.0), HEIGHT)
    x[..., 5] = np.nan
    points, confidence = decode_simcc(x, y)
    assert confidence.tolist() == [[0.0]]
    assert np.isfinite(points).all()
    heat = gaussians(np.full((1, 1), 20.0), np.full((1, 1), 20.0))
    heat[..., 20, 21] = np.nan
    points, confidence = decode_heatmaps(heat)
    assert confidence.tolist() == [[0.0]]
    assert np.isfinite(points).all()


def test_nobody_is_decoded_to_nobody() -> None:
    points, confidence = decode_simcc(np.zeros((0, 17, 384)), np.zeros((0, 17, 512)))
    assert (points.shape, confidence.shape) == ((0, 17, 2), (0, 17))
    points, confidence = decode_heatmaps(np.zeros((0, 17, 64, 48)))
    assert (points.shape, confidence.shape) == ((0, 17, 2), (0, 17))


@pytest.mark.parametrize("sigma", [1.5, 2.0, 2.5])
def test_dark_finds_peaks_between_cells(sigma: float) -> None:
    x, y = RNG.uniform(9, 38, (4, JOINTS)), RNG.uniform(9, 54, (4, JOINTS))
    points, confidence = decode_heatmaps(gaussians(x, y, sigma))
    # a smoothed Gaussian is one again: what is left is the kernel's end, in thousandths of a cell
    np.testing.assert_allclose(points / 4, np.stack([x, y], axis=-1), atol=5e-3)
    # the highest cell is at most 0.71 cells from the peak
    assert (confidence <= 0.8).all() and (confidence >= 0.8 * np.exp(-0.25 / sigma**2)).all()


def smoothed(heatmap: FloatArray) -> FloatArray:
    """A heat map under a Gaussian of two cells that ends five cells out, with nothing around it."""
    kernel = np.exp(-(np.arange(-5, 6) ** 2) / 8)
    kernel /= kernel.sum()
    for axis in (0, 1):
        heatmap = np.apply_along_axis(np.convolve, axis, heatmap, kernel, "same")
    return heatmap


def test_dark_is_newtons_step_on_the_logarithm_of_the_whole_smoothed_map() -> None:
    x, y = RNG.uniform(2, 45, (1, JOINTS)), RNG.uniform(2, 61, (1, JOINTS))
    heat = gaussians(x, y) + RNG.uniform(0, 0.02, (1, JOINTS, 64, 48))
    points, _ = decode_heatmaps(heat)
    for one, point in zip(heat[0], points[0] / 4, strict=True):
        row, column = np.unravel_index(one.argmax(), one.shape)
        if not (2 <= row <= 61 and 2 <= column <= 45):
            continue
        log = np.log(smoothed(one))
        rows, columns = np.mgrid[-2:3, -2:3]
        around = log[row - 2 : row + 3, column - 2 : column + 3]
        # derivatives by sums with weights: first over one cell, second over two
        slope = np.array([0, -1, 0, 1, 0]) / 2
        gradient = np.array([around[2] @ slope, around[:, 2] @ slope])
        bends = np.array([1, 0, -2, 0, 1]) / 4
        cross = (around * rows * columns * (abs(rows * columns) == 1)).sum() / 4
        hessian = np.array([[around[2] @ bends, cross], [cross, around[:, 2] @ bends]])
        step = -np.linalg.solve(hessian, gradient)
        # ours is in float32, and the Hessian is small far from the peak's middle
        np.testing.assert_allclose(point - [column, row], step, atol=2e-3)


def test_dark_and_the_quarter_step_agree_to_their_roughness() -> None:
    x, y = RNG.uniform(9, 38, (2, JOINTS)), RNG.uniform(9, 54, (2, JOINTS))
    heat = gaussians(x, y)
    # the quarter step is off by a quarter of a cell at most, which is one pixel
    assert np.abs(decode_heatmaps(heat)[0] - quarter_step(heat)).max() < 1.05


def test_dark_mirrored_is_the_mirrored_point() -> None:
    x, y = RNG.uniform(3, 44, (2, JOINTS)), RNG.uniform(3, 60, (2, JOINTS))
    heat = gaussians(x, y) + RNG.uniform(0, 0.02, (2, JOINTS, 64, 48))
    ahead, back = decode_heatmaps(heat)[0], decode_heatmaps(heat[..., ::-1])[0]
    # float32 sums in another order
    np.testing.assert_allclose(back[..., 0], 4 * 47 - ahead[..., 0], atol=1e-3)
    np.testing.assert_allclose(back[..., 1], ahead[..., 1], atol=1e-3)


def test_peaks_at_the_border_stay_at_their_cell() -> None:
    x, y = np.array([[0.0, 47.0, 1.0, 46.0, 20.0]]), np.array([[0.0, 63.0, 30.0, 62.0, 1.0]])
    points, confidence = decode_heatmaps(gaussians(x, y))
    np.testing.assert_array_equal(points[0] / 4, np.stack([x, y], axis=-1)[0])
    np.testing.assert_allclose(confidence, 0.8)


def test_a_flat_or_negative_heat_map_has_no_joint() -> None:
    heat = np.stack([np.zeros((64, 48)), np.full((64, 48), -0.3)])[None]
    points, confidence = decode_heatmaps(heat)
    assert confidence.tolist() == [[0.0, 0.0]]
    assert np.isfinite(points).all()


def test_a_lone_cell_and_a_ridge_are_not_thrown_far() -> None:
    lone = np.zeros((64, 48))
    lone[30, 20] = 0.6
    ridge = np.zeros((64, 48))
    ridge[:, 20] = 0.6
    points, _ = decode_heatmaps(np.stack([lone, ridge])[None])
    np.testing.assert_allclose(points[0, 0] / 4, [20, 30], atol=1e-3)
    assert points[0, 1, 0] / 4 == pytest.approx(20, abs=0.5)


def test_curves_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="simcc_y"):
        decode_simcc(np.zeros((2, 17, 384)), np.zeros((1, 17, 512)))
    with pytest.raises(ValueError, match="heatmaps"):
        decode_heatmaps(np.zeros((17, 64, 48)))
