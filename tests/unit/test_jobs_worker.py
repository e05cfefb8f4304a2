"""The worker command, and secrets that settings keep to themselves."""

from pathlib import Path

import pytest

from pose_service.commands import main
from pose_service.core.config import SettingsError, read_settings
from pose_service.core.secrets import without_secrets


def test_a_worker_that_cannot_have_nets_ends_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("ENGINE", "embedded"), ("DATA_DIR", tmp_path), ("STATE_DIR", tmp_path)):
        monkeypatch.setenv(f"POSE_{name}", str(value))
    assert main(["worker"]) == 2
    assert "fetch-weights" in capsys.readouterr().err
    assert not (tmp_path / "jobs.sqlite").exists(), "it has signed on nowhere"


@pytest.mark.parametrize("name", ["POSE_WEBHOOK_SECRET"])
def test_a_secret_that_does_not_fit_is_not_shown(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: .* got a value that is not shown"):
        read_settings({name: "geheim"})


def test_secrets_are_not_in_the_text_of_the_settings() -> None:
    settings = read_settings(
        {
            "POSE_DATABASE_URL": "postgresql://me:geheim@db/jobs",
            "POSE_QUEUE_URL": "redis://:geheim@host/0",
            "POSE_STORAGE_URL": "s3://me:geheim@bucket/x",
            "POSE_WEBHOOK_SECRET": "geheim-und-lang",
        }
    )
    assert "geheim" not in repr(settings) + str(settings.model_dump())


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://key:geheim@bucket/a?endpoint_url=http://x", "s3://…@bucket/a?…"),
        ("https://h/a.mp4?X-Amz-Signature=geheim", "https://h/a.mp4?…"),
        ("https://h/a.mp4#geheim", "https://h/a.mp4?…"),
        ("redis://:geheim@h:1/0", "redis://…@h:1/0"),
        ("https://geheim@h@h/", "https://…@h/"),
    ],
)
def test_an_address_is_shown_without_what_lets_somebody_in(url: str, shown: str) -> None:
    assert without_secrets(url) == shown
