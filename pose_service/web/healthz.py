"""GET /healthz: how the service is, in the words of the 2D service's callers."""

import platform
import time
from importlib import metadata
from typing import Any

from flask import Blueprint, Response

from pose_service import __version__
from pose_service.core.errors import EngineError
from pose_service.legacy.frame import Fields
from pose_service.pose2d.config import ModelConfig, NetConfig
from pose_service.pose2d.files import HRNET
from pose_service.runtime.device import nvidia_cards
from pose_service.runtime.hub import HubState
from pose_service.runtime.weights import located
from pose_service.web.answers import json_answer
from pose_service.web.health import engine_state
from pose_service.web.service import Service, service

blueprint = Blueprint("healthz", __name__)

_WORDS = {"ready": "healthy", "warming_up": "loading", "not_ready": "unhealthy"}
_RUNTIME = ("numpy", "opencv-python-headless", "av", "onnxruntime", "ai-edge-litert", "torch")


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 while the process lives, as /health; `status` tells more."""
    here = service()
    state, config = engine_state(here), here.nets_config
    return json_answer(
        {
            "status": _WORDS[state.status],
            "error": state.error,
            "timestamp": time.time(),
            "service": {
                "service": config.service,
                "version": config.version or __version__,
                "config_loaded": config.source is not None,
            },
            "models": _models(here, state),
            "system": _system(state),
        }
    )


def _models(here: Service, state: HubState) -> Fields:
    nets, config = here.hub.keypoints.loaded, here.nets_config
    name = None if nets is None else nets.model.name
    return {
        "rtmpose_loaded": name is not None and name != HRNET.title,
        "hrnet_loaded": name == HRNET.title,
        "hrnet_available": config.hrnet.enabled and _hrnet_is_here(here),
        "engine": state.engine,
        "engine_loaded": state.ready,
        **{f"{part}_loaded": word == "loaded" for part, word in state.models.items()},
        "model_info": _model_info(here, state, config),
    }


def _hrnet_is_here(here: Service) -> bool:
    named = here.nets_config.checkpoint_of(here.nets_config.hrnet)
    try:
        return (named or located(HRNET.file, here.settings)).is_file()
    except EngineError:
        return False


def _model_info(here: Service, state: HubState, config: ModelConfig) -> Fields:
    """What sees the keypoints of the next clip."""
    nets = here.hub.keypoints.loaded
    if nets is None:
        return {"name": state.engine, "source": "engine", "config": None}
    of_net: NetConfig = config.hrnet if nets.model.name == HRNET.title else config.rtmpose
    return {"name": nets.model.name, "source": nets.model.version, "config": of_net.config}


def _system(state: HubState) -> Fields:
    on_gpu = (state.device or "").startswith("cuda")
    versions: dict[str, Any] = {name: _version(name) for name in _RUNTIME}
    return {
        "cuda_available": nvidia_cards() > 0,
        "gpu_device": state.device if on_gpu else None,
        "python_version": platform.python_version(),
        "versions": versions,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
