"""What is timed of a clip, by a clock that the test turns."""

import numpy as np
import pytest

from pose_service.core.errors import BadVideoError
from pose_service.core.records import Camera, TrackedFrame
from pose_service.runtime.metrics import Metrics


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def read(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_each_stage_of_a_clip_is_timed_from_its_first_word_to_the_next_stages() -> None:
    metrics, clock = Metrics(), Clock()
    with metrics.clip_stages(clock) as told:
        for now_s, stage, done in (
            (0.0, "tracking", 0), (1.0, "tracking", 40), (2.0, "tracking", 50), (2.5, "bodies", 50),
        ):  # fmt: skip
            clock.now_s = now_s
            told(stage, done, 50)
        clock.now_s = 3.0
    assert read(metrics, "pose_stage_seconds_sum", work="clip", stage="tracking") == 2.5
    assert read(metrics, "pose_stage_seconds_sum", work="clip", stage="bodies") == 0.5
    assert read(metrics, "pose_clip_frames_per_second", stage="tracking") == 20
    assert read(metrics, "pose_clip_frames_per_second", stage="bodies") == 100


@pytest.mark.parametrize(
    ("error", "error_type"), [(BadVideoError("no"), "BAD_VIDEO"), (ValueError("no"), "ValueError")]
)
def test_a_clip_that_fails_is_an_error_by_its_type_and_its_stage_is_not_timed(
    error: Exception, error_type: str
) -> None:
    metrics = Metrics()
    with pytest.raises(type(error)), metrics.clip_stages() as told:
        told("tracking", 3, 50)
        raise error
    assert read(metrics, "pose_errors_total", origin="clip", error_type=error_type) == 1
    assert read(metrics, "pose_stage_seconds_count", work="clip", stage="tracking") is None


def test_frames_are_counted_as_they_pass_and_not_before() -> None:
    metrics = Metrics()
    frames = [TrackedFrame(i, i / 30, Camera(1.0, 2, 2), (), 1.0) for i in range(3)]
    passing = metrics.passed(iter(frames))
    assert read(metrics, "pose_frames_total", work="clip") is None
    assert next(passing) is frames[0]
    assert read(metrics, "pose_frames_total", work="clip") == 1
    assert list(passing) == frames[1:]
    assert read(metrics, "pose_people_per_frame_count", work="clip") == 3
    assert np.isclose(read(metrics, "pose_people_per_frame_sum", work="clip") or 0.0, 0)


def test_a_block_that_fails_is_not_timed() -> None:
    metrics = Metrics()
    with pytest.raises(ValueError, match="no"), metrics.timed("picture", "answer"):
        raise ValueError("no")
    assert read(metrics, "pose_stage_seconds_count", work="picture", stage="answer") is None
