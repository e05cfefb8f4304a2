"""How the service is: answered at once, whatever else is going on."""

import time
from typing import Any

from flask import Blueprint, Response

from pose_service import __version__
from pose_service.core.errors import GoneError
from pose_service.jobs.records import JobState
from pose_service.runtime.hub import STATE_NAMES, HubState
from pose_service.web.answers import json_answer
from pose_service.web.service import Service, service

blueprint = Blueprint("health", __name__)

BUSY_QUEUE_LENGTH = 10
"""More frames waiting than this is reported as degraded."""

_BEST_FIRST = ("ready", "warming_up", "not_ready")

NO_WORKER = HubState(
    status="not_ready",
    engine_reason="no worker",
    error="this process has no nets (POSE_FRONT_ONLY) and no worker lives: clips wait."
    " Start one: `python -m pose_service worker`.",
)

_FRAME_S = 0.1
"""A rough cost of one frame, for the estimate of the waiting time."""


@blueprint.get("/health")
def health() -> Response:
    """200 while the process lives; callers take any other status for `offline`."""
    here = service()
    state = engine_state(here)
    return json_answer(
        {
            "status": state.status,
            "ready": state.ready,
            "models": dict(state.models),
            "device": state.device,
            "error": state.error,
            "engine": state.engine,
            "engine_reason": state.engine_reason,
            "load_seconds": state.load_seconds,
            "vitdet_available": _loaded(here, "vitdet"),
            "queue_length": here.hub.queue_length,
            "workers": here.worker_states(),
            "service": "pose-service",
            "version": __version__,
            "timestamp": time.time(),
        }
    )


@blueprint.route("/warmup", methods=["GET", "POST"])
def warmup() -> Response:
    """Loading began with the process: this only tells how far it is."""
    here = service()
    state = engine_state(here)
    words = {
        "ready": ("ready", f"the engine {state.engine} is ready"),
        "warming_up": ("partial", "warming up"),
        "not_ready": ("error", state.error or "the engine could not be loaded"),
    }
    status, message = words[state.status]
    answer: dict[str, Any] = {"status": status, "message": message, "engine": state.engine}
    for name in ("hmr2", "vitdet"):
        seconds = state.load_seconds if _loaded(here, name) else None
        answer[name] = {"status": state.models[name], "load_time_seconds": seconds}
    if status == "error":
        return json_answer({**answer, "error": message, "error_type": "NOT_READY"}, 500)
    return json_answer(answer)


@blueprint.get("/api/pose/health")
def api_health() -> Response:
    """The same in the words of the older API; 503 while loading."""
    here = service()
    state = engine_state(here)
    busy = here.hub.queue_length > BUSY_QUEUE_LENGTH
    ready = "degraded" if busy else "healthy"
    status = {"ready": ready, "warming_up": "initializing", "not_ready": "error"}[state.status]
    answer = {
        "status": status,
        "timestamp": time.time(),
        "models_loaded": state.ready,
        "gpu_available": _on_gpu(here),
        "device": state.device,
        "models": {name: _loaded(here, name) for name in state.models},
        "pool": {
            "gpu_busy": here.hub.busy,
            "queue_length": here.hub.queue_length,
            "active_jobs": here.jobs.counts()[JobState.PROCESSING],
        },
        "error": state.error or ("the engine is loading" if status == "initializing" else None),
    }
    response = json_answer(answer, 503 if status == "initializing" else 200)
    if status == "initializing":
        response.headers["Retry-After"] = "5"
    return response


@blueprint.get("/api/pose/pool-status")
def pool_status() -> Response:
    """The nets have one owner, so the pool has one worker."""
    here = service()
    state, counts = engine_state(here), here.jobs.counts()
    active = int(here.hub.busy)
    return json_answer(
        {
            "timestamp": time.time(),
            "pool": {
                "gpu_busy": here.hub.busy,
                "max_workers": 1,
                "active_workers": active,
                "available_workers": 1 - active,
            },
            "queue": {
                "length": here.hub.queue_length,
                "estimated_wait_time_seconds": here.hub.queue_length * _FRAME_S,
            },
            "jobs": {
                "total": sum(counts.values()),
                "queued": counts[JobState.QUEUED],
                "processing": counts[JobState.PROCESSING],
                "completed": counts[JobState.COMPLETE],
                "failed": counts[JobState.ERROR],
                "cancelled": counts[JobState.CANCELLED],
            },
            "system": {
                "device": state.device,
                "gpu_available": _on_gpu(here),
                "models_loaded": state.ready,
            },
        }
    )


@blueprint.get("/debug/faces")
def debug_faces() -> Response:
    """Whether there is a triangle list, and how long it is."""
    here = service()
    if not here.hub.state.ready:
        nothing = {"total_faces": 0, "shape": [0, 3], "first_face": None}
        return json_answer({"status": "not_loaded", **nothing})
    faces = here.maker().body.faces
    return json_answer(
        {
            "status": "loaded",
            "total_faces": len(faces),
            "shape": list(faces.shape),
            "first_face": faces[0].tolist(),
        }
    )


@blueprint.route("/reload", methods=["GET", "POST"])
def reload() -> Response:
    """The old service loaded its own code anew here; this one is restarted instead."""
    raise GoneError("/reload is gone: code is not loaded into a running service", hint="Restart.")


def engine_state(here: Service) -> HubState:
    """The engine here; for a process without nets the best that a living worker has."""
    if not here.settings.front_only:
        return here.hub.state
    states = [
        HubState(**{name: said[name] for name in STATE_NAMES if name in said})
        for said in here.worker_states()
    ]
    best_first = sorted(states, key=lambda state: _BEST_FIRST.index(state.status))
    return best_first[0] if best_first else NO_WORKER


def _loaded(here: Service, name: str) -> bool:
    return engine_state(here).models.get(name) == "loaded"


def _on_gpu(here: Service) -> bool:
    return (engine_state(here).device or "").startswith("cuda")
