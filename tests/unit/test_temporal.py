import numpy as np
import pytest

from pose_service.core.geometry import rotation_from_vector, vector_from_rotation
from pose_service.core.records import BodyPoses, Observation
from pose_service.temporal.filters import gaussian_smooth, rts_smooth
from pose_service.temporal.kinematic import DAMPING_S, KinematicModel

TIMES_S = np.arange(90) / 30


def smoothed_by_rts(values: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """(n, d) values, each as sure as the next."""
    sd = np.full((len(values), 1), 0.02)
    return rts_smooth(values[:, None], times_s, 10.0, sd)[:, 0]


def spinning(times_s: np.ndarray, rad_s: float = 2.0, speed_m_s: float = 1.0) -> BodyPoses:
    """One joint turning about y, the body walking along x at 4 m distance."""
    turns = rotation_from_vector(np.outer(times_s * rad_s, [0.0, 1.0, 0.0]))[:, None]
    places = np.stack([times_s * speed_m_s, 0 * times_s, 4 + 0 * times_s], axis=1)
    return BodyPoses(turns, places, np.ones((len(times_s), 1)))


@pytest.mark.parametrize("smooth", ["rts", "gaussian"])
def test_a_straight_line_is_left_as_it_is(smooth: str) -> None:
    line = np.stack([TIMES_S, 2 - 3 * TIMES_S], axis=1)
    if smooth == "rts":
        smoothed = smoothed_by_rts(line, TIMES_S)
    else:
        smoothed = gaussian_smooth(line, TIMES_S, 1 / 30)
    # a Gaussian is lopsided in its first and last three deviations
    np.testing.assert_allclose(smoothed[5:-5], line[5:-5], atol=2e-3)


def test_the_kalman_smoother_takes_noise_away_without_lag() -> None:
    random = np.random.default_rng(0)
    truth = np.sin(2 * np.pi * TIMES_S)[:, None]
    noisy = truth + random.normal(0, 0.02, truth.shape)
    smoothed = smoothed_by_rts(noisy, TIMES_S)
    assert np.std(smoothed - truth) < 0.6 * np.std(noisy - truth)
    # a lag of one frame would move the best fit to a neighbouring shift
    errors = {
        shift: np.mean((np.roll(smoothed, shift, axis=0) - truth)[5:-5] ** 2)
        for shift in (-1, 0, 1)
    }
    assert min(errors, key=errors.__getitem__) == 0


def test_the_smoother_uses_the_true_times() -> None:
    uneven = np.cumsum(np.where(np.arange(60) % 2, 0.01, 0.06))
    line = (3 * uneven)[:, None]
    np.testing.assert_allclose(smoothed_by_rts(line, uneven)[3:], line[3:], atol=2e-3)


def test_a_stretch_with_margins_equals_the_whole() -> None:
    random = np.random.default_rng(1)
    values = np.cumsum(random.normal(0, 0.03, (90, 3)), axis=0)
    whole = smoothed_by_rts(values, TIMES_S)
    part = smoothed_by_rts(values[30:80], TIMES_S[30:80])
    # the margin of half a second is 15 frames: the edge's influence has died away by then
    np.testing.assert_allclose(part[15:-15], whole[45:65], atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_values_to_smooth_come_back_as_they_are(count: int) -> None:
    values = np.arange(count * 2.0).reshape(count, 2)
    np.testing.assert_array_equal(smoothed_by_rts(values, TIMES_S[:count]), values)
    if count < 2:
        np.testing.assert_array_equal(gaussian_smooth(values, TIMES_S[:count], 0.03), values)


def test_smoothing_poses_quiets_depth_most() -> None:
    random = np.random.default_rng(2)
    still = spinning(TIMES_S, 0.0, 0.0)
    noisy = BodyPoses(
        still.rotations, still.translations_m + random.normal(0, 0.05, (90, 3)), still.shapes
    )
    smoothed = KinematicModel().smooth_poses(noisy, TIMES_S)
    left = np.std(np.diff(smoothed.translations_m, axis=0), axis=0)
    before = np.std(np.diff(noisy.translations_m, axis=0), axis=0)
    assert left[2] / before[2] < 0.2
    assert np.all(left < 0.5 * before)


def test_smoothing_a_steady_turn_keeps_its_angle() -> None:
    poses = spinning(TIMES_S)
    smoothed = KinematicModel().smooth_poses(poses, TIMES_S)
    error = vector_from_rotation(np.swapaxes(smoothed.rotations, -1, -2) @ poses.rotations)
    assert np.degrees(np.abs(error[5:-5])).max() < 0.1


def test_prediction_goes_on_as_before_and_comes_to_rest() -> None:
    poses = spinning(TIMES_S)
    soon, late = TIMES_S[-1] + 1 / 30, TIMES_S[-1] + 10.0
    ahead = KinematicModel().predict(poses, TIMES_S, np.array([soon, late]))
    # one frame: (1 - exp(-1/4.5)) of the damping time, a tenth less than undamped
    moved = ahead.translations_m[:, 0] - poses.translations_m[-1, 0]
    assert moved[0] == pytest.approx(1 / 30, rel=0.15)
    assert moved[1] == pytest.approx(DAMPING_S, rel=0.01)
    turned = vector_from_rotation(np.swapaxes(poses.rotations[-1], -1, -2) @ ahead.rotations[1])
    assert turned[0, 1] == pytest.approx(2.0 * DAMPING_S, rel=0.01)


def test_prediction_runs_backwards_too() -> None:
    poses = spinning(TIMES_S)
    back = KinematicModel().predict(poses, TIMES_S, np.array([-10.0, -1 / 30]))
    assert back.translations_m[1, 0] == pytest.approx(-1 / 30, rel=0.15)
    assert back.translations_m[0, 0] == pytest.approx(-DAMPING_S, rel=0.01)


def test_a_single_known_pose_stands_still() -> None:
    poses = spinning(TIMES_S).take(slice(5, 6))
    ahead = KinematicModel().predict(poses, TIMES_S[5:6], np.array([1.0, 2.0]))
    np.testing.assert_allclose(ahead.translations_m, np.repeat(poses.translations_m, 2, axis=0))
    np.testing.assert_allclose(ahead.rotations, np.repeat(poses.rotations, 2, axis=0), atol=1e-12)


def test_a_body_rushing_at_the_camera_is_never_predicted_behind_it() -> None:
    times_s = np.arange(10) / 30
    places = np.stack([0 * times_s, 0 * times_s, 2 - 6 * times_s], axis=1)
    poses = BodyPoses(np.tile(np.eye(3), (10, 1, 1, 1)), places, np.ones((10, 1)))
    ahead = KinematicModel().predict(poses, times_s, times_s[-1] + np.arange(1, 90) / 30)
    assert np.all(ahead.translations_m[:, 2] > 0)


def test_smoothing_observations_keeps_everything_but_the_landmarks() -> None:
    random = np.random.default_rng(3)
    seen = [
        Observation(
            track_id=4,
            box_xyxy_px=np.array([0.0, 0, 10, 20]),
            confidence=0.5 + i / 100,
            roi=np.zeros(4),
            landmarks_px=np.full((2, 2), 50.0) + random.normal(0, 3, (2, 2)),
            landmarks_m=np.zeros((2, 3)) + random.normal(0, 0.02, (2, 3)),
            landmark_confidence=np.ones(2),
            joint_confidence=np.ones(24),
        )
        for i in range(20)
    ]
    smoothed = KinematicModel().smooth_observations(seen, TIMES_S[:20])
    assert [one.confidence for one in smoothed] == [one.confidence for one in seen]
    jitter = [
        np.std(np.diff([one.landmarks_px for one in run], axis=0)) for run in (seen, smoothed)
    ]
    assert jitter[1] < 0.5 * jitter[0]


def test_a_foot_that_the_net_is_not_sure_of_is_taken_from_the_frames_around() -> None:
    lost = slice(9, 11)

    def seen(i: int, *, sure: bool) -> Observation:
        # the foot goes along x; in the lost frames the net puts it half a metre aside
        aside = 0.5 if lost.start <= i < lost.stop else 0.0
        confidence = 0.01 if aside and not sure else 0.8
        return Observation(
            track_id=1,
            box_xyxy_px=np.array([0.0, 0, 10, 20]),
            confidence=0.8,
            roi=np.zeros(4),
            landmarks_px=np.array([[100.0 * i, 200 * aside]]),
            landmarks_m=np.array([[0.05 * i, aside, 0.0]]),
            landmark_confidence=np.array([confidence]),
            joint_confidence=np.ones(24),
        )

    for sure, at_most_m in ((False, 0.01), (True, 0.5)):
        run = [seen(i, sure=sure) for i in range(20)]
        smoothed = KinematicModel().smooth_observations(run, TIMES_S[:20])
        offsets_m = [one.landmarks_m[0, 1] for one in smoothed[lost]]
        offsets_px = [one.landmarks_px[0, 1] for one in smoothed[lost]]
        assert max(offsets_m) < at_most_m
        assert max(offsets_px) < 200 * at_most_m
        # the same frames are believed where the net is sure: a kick is no mistake
        assert (min(offsets_m) > 0.2) == sure
