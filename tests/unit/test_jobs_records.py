import pytest

from pose_service.jobs.records import JobOptions, JobState


def test_states_are_the_words_that_polling_clients_wait_for() -> None:
    assert [str(state) for state in JobState] == [
        "queued", "processing", "complete", "error", "cancelled",
    ]  # fmt: skip


def test_options_come_back_from_json_as_they_went() -> None:
    options = JobOptions(
        max_frames=12, smooth=False, faces="none", mesh=False, precision=3, joint_sets=("a", "b"),
        start_s=1.5, end_s=3.0, every=2,
    )  # fmt: skip
    assert JobOptions.from_json(options.to_json()) == options


def test_options_of_an_older_version_get_the_defaults_of_what_they_lack() -> None:
    assert JobOptions.from_json('{"precision": 2}') == JobOptions(precision=2)


def test_options_of_a_later_version_are_passed_over() -> None:
    assert JobOptions.from_json('{"precision": 2, "colour": "blue"}') == JobOptions(precision=2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_frames": 0}, "max_frames: expected 1 or more, got 0"),
        ({"faces": "all"}, "faces: expected one of .* got 'all'"),
        ({"precision": -1}, "precision: expected 0 or more, got -1"),
    ],
)
def test_options_out_of_range_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        JobOptions(**values)  # type: ignore[arg-type]
