"""PHALP's nets from their official files to parts that serve."""

import logging
from copy import deepcopy
from pathlib import Path

from pose_service.bodies.smpl import SmplBody
from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.fourdhumans.files import WITHOUT_PHALP, located_all, opened
from pose_service.fourdhumans.phalp_nets import (
    GuardedLooks,
    GuardedPredictor,
    PhalpNets,
    guarded,
)
from pose_service.fourdhumans.sizes import Sizes
from pose_service.fourdhumans.textures import SeenTextures
from pose_service.phalp.assembly import (
    PredictorFiles,
    load_looks,
    load_predictor,
    load_texture_maps,
)
from pose_service.phalp.files import (
    APPEARANCE,
    BMAP,
    FMAP,
    MEAN_STD,
    POSE_PREDICTOR,
    POSE_SETTINGS,
)
from pose_service.runtime.device import Compute
from pose_service.runtime.weights import located, remedy

log = logging.getLogger(__name__)


def load_phalp(
    settings: Settings, sizes: Sizes, compute: Compute, body: SmplBody
) -> PhalpNets | None:
    """PHALP's nets; without, people are told apart by place and pose alone, and the log says why.

    A file that looks right and cannot be used is an `EngineError`, as any other.
    """
    if settings.phalp == "off":
        return None
    try:
        located_all(sizes.phalp_sources, settings)
    except EngineError as error:
        log.warning("[INIT] %s: %s. %s", WITHOUT_PHALP, error, error.hint)
        return None
    try:
        return PhalpNets(
            textures=_textures(settings, compute, body),
            looks=_looks(settings, compute),
            predict_poses=_predictor(settings, compute),
        )
    except EngineError as error:
        hint = f"{error.hint} POSE_PHALP=off serves without PHALP's files."
        raise EngineError(str(error), hint=hint) from error


def _textures(settings: Settings, compute: Compute, body: SmplBody) -> SeenTextures:
    device = compute.device
    with opened(BMAP, settings) as bmap, opened(FMAP, settings) as fmap:
        hint = remedy(FMAP, settings)
        maps = load_texture_maps(bmap, fmap, body.faces, device=device, remedy=hint)
    # a copy where answers are not posed
    net = body.net if device.type == "cpu" else deepcopy(body.net).to(device)
    return SeenTextures(net, maps, guarded(net, device, cpu_fallback=settings.cpu_fallback))


def _looks(settings: Settings, compute: Compute) -> GuardedLooks:
    device, hint = compute.device, remedy(APPEARANCE, settings)
    with opened(APPEARANCE, settings) as path:
        looks = load_looks(path, device=device, half=compute.half, remedy=hint)
    guard = guarded(looks.encoder, device, cpu_fallback=settings.cpu_fallback)
    return GuardedLooks(looks, guard)


def _predictor(settings: Settings, compute: Compute) -> GuardedPredictor:
    device, hint = compute.device, remedy(POSE_PREDICTOR, settings)
    with opened(POSE_PREDICTOR, settings) as weights, opened(MEAN_STD, settings) as mean_std:
        files = PredictorFiles(weights, mean_std, _settings_file(settings))
        predictor = load_predictor(files, device=device, remedy=hint)
    guard = guarded(predictor.network, device, cpu_fallback=settings.cpu_fallback)
    return GuardedPredictor(predictor, guard)


def _settings_file(settings: Settings) -> Path | None:
    """The pose predictor's, which it does without."""
    try:
        return located(POSE_SETTINGS, settings)
    except EngineError as error:
        log.info("[INIT] the pose predictor's sizes follow from its tensors: %s", error)
        return None
