"""GET /health and the other routes that tell how the service is."""

import threading
from pathlib import Path

import pytest
from contract_kit import Caller, check, person_base64, running
from toy_engine import toy_engine

from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.engines.seam import Engine


def _settings(folder: Path) -> Settings:
    return Settings(state_dir=folder, media_roots=(folder,), ready_wait_s=0.05)


def _broken(settings: Settings) -> tuple[Engine, str]:
    raise EngineError("the networks are not here", hint="Run fetch-weights.")


def test_health_is_ready_with_every_net_of_the_engine_in_use(caller: Caller) -> None:
    caller.frame()
    answer = caller.get("/health")
    check("HealthResponse", answer.body)
    assert (answer.status, answer.body["status"], answer.body["ready"]) == (200, "ready", True)
    assert answer.body["models"] == {
        "hmr2": "not_loaded", "phalp": "not_loaded", "vitdet": "not_loaded", "toy": "loaded"
    }  # fmt: skip
    assert answer.body["engine"] == "toy"
    assert answer.body["engine_reason"] == "a test asked for it"
    assert answer.body["device"] == "cpu"


def test_healthz_has_the_blocks_of_the_2d_service(caller: Caller) -> None:
    caller.frame()
    answer = caller.get("/healthz")
    assert (answer.status, answer.body["status"]) == (200, "healthy")
    service, models, system = (answer.body[block] for block in ("service", "models", "system"))
    assert (service["service"], service["config_loaded"]) == ("pose-service", True)
    assert service["version"]
    assert models["rtmpose_loaded"] is models["hrnet_loaded"] is models["hrnet_available"] is False
    assert (models["engine"], models["engine_loaded"], models["toy_loaded"]) == ("toy", True, True)
    assert models["model_info"] == {"name": "toy", "source": "engine", "config": None}
    assert isinstance(system["cuda_available"], bool)
    assert system["gpu_device"] is None
    assert system["versions"]["numpy"]


def test_while_loading_health_is_200_and_frames_are_503(tmp_path: Path) -> None:
    go_on = threading.Event()

    def slow(settings: Settings) -> tuple[Engine, str]:
        go_on.wait(20)
        return toy_engine(), "at last"

    with running(_settings(tmp_path), slow) as caller:
        health, healthz = caller.get("/health"), caller.get("/healthz")
        frame = caller.frame(frame_number=3)
        api, warmup = caller.get("/api/pose/health"), caller.get("/warmup")
        faces = caller.get("/debug/faces")
        go_on.set()
        check("HealthResponse", health.body)
        assert (health.status, health.body["status"]) == (200, "warming_up")
        assert (healthz.status, healthz.body["status"]) == (200, "loading")
        assert (frame.status, frame.body["frame_number"]) == (503, 3)
        assert int(frame.headers["Retry-After"]) >= 1
        assert frame.body["retry_after_seconds"] > 0
        assert (api.status, api.body["status"]) == (503, "initializing")
        assert (warmup.status, warmup.body["message"]) == (200, "warming up")
        assert (faces.status, faces.body["status"]) == (200, "not_loaded")


def test_when_loading_failed_health_is_200_and_says_why(tmp_path: Path) -> None:
    with running(_settings(tmp_path), _broken) as caller:
        frame = caller.frame()
        health, warmup = caller.get("/health"), caller.post("/warmup")
        healthz = caller.get("/healthz")
        clip = caller.post("/pose/video", json={"video_path": str(tmp_path / "a.mp4")})
    check("HealthResponse", health.body)
    assert (health.status, health.body["status"]) == (200, "not_ready")
    assert health.body["error"] == "the networks are not here Run fetch-weights."
    assert (healthz.status, healthz.body["status"]) == (200, "unhealthy")
    assert healthz.body["error"] == health.body["error"]
    assert frame.status == 503
    assert "the networks are not here" in frame.body["error"]
    assert (warmup.status, warmup.body["status"]) == (500, "error")
    assert clip.status == 400, "a missing file is the nearer reason"


def test_warmup_answers_to_get_and_post(caller: Caller) -> None:
    caller.frame()
    for answer in (caller.get("/warmup"), caller.post("/warmup")):
        assert (answer.status, answer.body["status"]) == (200, "ready")
        assert answer.body["hmr2"] == {"status": "not_loaded", "load_time_seconds": None}


def test_api_health_has_booleans(caller: Caller) -> None:
    caller.frame()
    body = caller.get("/api/pose/health").body
    assert (body["status"], body["models_loaded"], body["gpu_available"]) == (
        "healthy",
        True,
        False,
    )
    assert body["models"]["hmr2"] is False
    assert set(body["pool"]) == {"gpu_busy", "queue_length", "active_jobs"}


def test_pool_status_has_one_worker(caller: Caller) -> None:
    body = caller.get("/api/pose/pool-status").body
    assert body["pool"]["max_workers"] == 1
    assert body["pool"]["active_workers"] + body["pool"]["available_workers"] == 1
    assert body["queue"]["length"] == 0
    assert set(body["jobs"]) >= {"total", "queued", "processing", "completed"}


def test_debug_faces_tells_the_triangles_of_the_body(caller: Caller) -> None:
    caller.frame()
    body = caller.get("/debug/faces").body
    assert body == {
        "status": "loaded", "total_faces": 16, "shape": [16, 3], "first_face": [8, 0, 1]
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/health", "/pose/hybrid", "/pose/video", "/nowhere"])
def test_a_page_of_any_origin_may_ask(caller: Caller, path: str) -> None:
    answer = caller.client.options(
        path, headers={"Access-Control-Request-Headers": "content-type,x-mine"}
    )
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type,x-mine"


def test_reload_is_gone(caller: Caller) -> None:
    assert caller.post("/reload").status == 410
    assert caller.post("/pose/hybrid", json={"image_base64": person_base64()}).status == 200
