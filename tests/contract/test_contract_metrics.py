"""/metrics, read by Prometheus's own parser."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from contract_kit import CLIP_FRAMES, ROOT, Caller, running
from prometheus_client.parser import text_string_to_metric_families
from toy_engine import build_toy

from pose_service.core.config import Settings
from pose_service.core.errors import UnavailableError
from pose_service.engines.seam import Engine

Numbers = dict[str, dict[frozenset[tuple[str, str]], float]]


def scraped(caller: Caller) -> Numbers:
    """Values by name and labels."""
    answer = caller.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    numbers: Numbers = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation, family.name
        for sample in family.samples:
            numbers.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return numbers


def value(numbers: Numbers, name: str, **labels: str) -> float:
    return numbers.get(name, {}).get(frozenset(labels.items()), 0.0)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Caller]:
    """A service of its own, of which everything that was counted is known."""
    settings = Settings(state_dir=tmp_path / "state", media_roots=(tmp_path,), clip_wait_s=60)
    with running(settings) as caller:
        caller.client.application.extensions["pose_service"].hub.wait(20)
        yield caller


def test_requests_are_counted_by_route_method_and_status(fresh: Caller) -> None:
    for _ in range(3):
        fresh.frame()
    fresh.post("/pose/hybrid", json={"image_base64": "no picture"})
    numbers = scraped(fresh)
    here = {"route": "/pose/hybrid", "method": "POST"}
    assert value(numbers, "pose_requests_total", **here, status="200") == 3
    assert value(numbers, "pose_requests_total", **here, status="400") == 1
    assert value(numbers, "pose_request_seconds_count", **here) == 4
    assert 0 < value(numbers, "pose_request_seconds_sum", **here) < 60
    assert value(numbers, "pose_errors_total", origin="request", error_type="BAD_IMAGE") == 1


def test_routes_with_ids_and_paths_that_are_none_do_not_multiply(fresh: Caller) -> None:
    for number in range(20):
        fresh.get(f"/pose/video/status/00000000-0000-4000-8000-{number:012}")
        fresh.get(f"/nowhere/{number}")
        fresh.ask(f"WORD{number}", "/health")
    asked = {
        tuple(dict(labels)[name] for name in ("route", "method", "status"))
        for labels in scraped(fresh)["pose_requests_total"]
    }
    assert asked == {
        ("/pose/video/status/<job_id>", "GET", "404"),
        ("unknown", "GET", "404"),
        ("unknown", "unknown", "405"),
    }


def test_pictures_their_people_and_their_stages_are_counted(fresh: Caller) -> None:
    fresh.frame(visualize=True)
    fresh.frame()
    numbers = scraped(fresh)
    assert value(numbers, "pose_frames_total", work="picture") == 2
    assert value(numbers, "pose_people_per_frame_sum", work="picture") == 2
    for stage, count in (("decoding", 2), ("nets", 2), ("answer", 2), ("drawing", 1)):
        name = "pose_stage_seconds_count"
        assert value(numbers, name, work="picture", stage=stage) == count, stage


def test_a_clip_is_counted_frame_by_frame_with_its_stages_and_rate(
    fresh: Caller, clip: Path
) -> None:
    upload = {"video": (BytesIO(clip.read_bytes()), "walk.mp4")}
    job_id = fresh.post("/pose/video", data=upload).body["job_id"]
    with fresh.client.get(f"/pose/video/overlay/{job_id}") as overlay:
        assert overlay.status_code == 200
    numbers = scraped(fresh)
    assert value(numbers, "pose_frames_total", work="clip") == CLIP_FRAMES
    assert value(numbers, "pose_people_per_frame_count", work="clip") == CLIP_FRAMES
    for stage in ("tracking", "bodies", "drawing"):
        assert value(numbers, "pose_stage_seconds_count", work="clip", stage=stage) == 1
        assert value(numbers, "pose_clip_frames_per_second", stage=stage) > 1
    assert value(numbers, "pose_jobs", state="complete") == 1
    assert value(numbers, "pose_queue_clips") == 0


def test_the_engines_state_and_models_are_told(fresh: Caller) -> None:
    numbers = scraped(fresh)
    assert value(numbers, "pose_engine_state", state="ready") == 1
    assert value(numbers, "pose_engine_state", state="warming_up") == 0
    assert value(numbers, "pose_model_loaded", model="toy") == 1
    assert value(numbers, "pose_model_loaded", model="hmr2") == 0
    (info,) = numbers["pose_service_info"]
    assert dict(info)["engine"] == "toy"
    assert "pose_gpu_memory_bytes" not in numbers


def test_the_process_tells_its_memory(fresh: Caller) -> None:
    numbers = scraped(fresh)
    if sys.platform == "linux":
        assert value(numbers, "process_resident_memory_bytes") > 10_000_000


def test_a_card_tells_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for torch, since no card is here."""
    cuda = SimpleNamespace(
        mem_get_info=lambda device: (3_000, 8_000),
        memory_allocated=lambda device: 4_000,
        memory_reserved=lambda device: 4_500,
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    settings = Settings(state_dir=tmp_path, media_roots=(tmp_path,))

    def on_a_card(settings: Settings) -> tuple[Engine, str]:
        engine, reason = build_toy(settings)
        return replace(engine, device="cuda:0"), reason

    with running(settings, on_a_card) as caller:
        caller.client.application.extensions["pose_service"].hub.wait(20)
        numbers = scraped(caller)
    kinds = {dict(labels)["kind"]: n for labels, n in numbers["pose_gpu_memory_bytes"].items()}
    assert kinds == {"used": 5_000, "total": 8_000, "tensors": 4_000, "reserved": 4_500}


def test_two_services_in_one_process_count_apart(fresh: Caller, tmp_path: Path) -> None:
    fresh.get("/health")
    with running(Settings(state_dir=tmp_path / "other", media_roots=(tmp_path,))) as other:
        mine, theirs = scraped(fresh), scraped(other)
    health = {"route": "/health", "method": "GET", "status": "200"}
    assert value(mine, "pose_requests_total", **health) == 1
    assert value(theirs, "pose_requests_total", **health) == 0


def test_a_service_that_cannot_load_says_not_ready(tmp_path: Path) -> None:
    def broken(settings: Settings) -> tuple[Engine, str]:
        raise RuntimeError("no net")

    with running(Settings(state_dir=tmp_path), broken) as caller:
        hub = caller.client.application.extensions["pose_service"].hub
        with pytest.raises(UnavailableError, match="no net"):
            hub.wait(20)
        assert value(scraped(caller), "pose_engine_state", state="not_ready") == 1


def test_every_metric_is_explained(fresh: Caller) -> None:
    page = (ROOT / "docs" / "watching.md").read_text(encoding="utf-8")
    fresh.frame(visualize=True)
    fresh.get("/nowhere")
    families = text_string_to_metric_families(fresh.client.get("/metrics").text)
    names = {
        family.name.removesuffix("_created")
        for family in families
        if family.name.startswith("pose_")
    }
    assert len(names) > 10
    assert [name for name in names if f"`{name}" not in page] == []
