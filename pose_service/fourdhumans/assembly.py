"""Both nets and the body from their files to parts that serve: one after the other, then tried."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from pose_service.bodies.smpl import SmplBody
from pose_service.bodies.smpl_file import read_extra_joints, read_smpl
from pose_service.bodies.smpl_files import NEUTRAL_BODY
from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.core.records import Regions
from pose_service.fourdhumans.compiling import compiled, expect_possible, fixed_sizes
from pose_service.fourdhumans.detector import VitDetDetector
from pose_service.fourdhumans.files import opened
from pose_service.fourdhumans.phalp_assembly import load_phalp
from pose_service.fourdhumans.phalp_nets import PhalpNets
from pose_service.fourdhumans.regressor import Hmr2Regressor
from pose_service.fourdhumans.sizes import Sizes
from pose_service.hmr2 import checkpoint as hmr2_checkpoint
from pose_service.runtime.device import Compute
from pose_service.runtime.memory import MemoryGuard
from pose_service.runtime.weights import remedy
from pose_service.vitdet import checkpoint as vitdet_checkpoint
from pose_service.vitdet.ops import available_ops

log = logging.getLogger(__name__)

# a net's share of a card's time is evened out by more people than pictures
_PEOPLE_PER_PICTURE = 2
_GREY_PX = 480, 640
_IN_IT = (200.0, 80.0, 440.0, 400.0)


@dataclass(frozen=True)
class Parts:
    """What the engine is made of; `phalp` where all of its files are here and it is wanted."""

    detector: VitDetDetector
    regressor: Hmr2Regressor
    body: SmplBody
    phalp: PhalpNets | None


def assemble(settings: Settings, sizes: Sizes, compute: Compute) -> Parts:
    """Load everything, straight to the device, and run it once.

    `EngineError` where a file is missing or not what it should be, or memory is not enough.
    """
    expect_possible(settings.compile, compute.device)
    with _enough_memory():
        body = _body(settings, sizes)
        detector = _detector(settings, sizes, compute)
        regressor = _regressor(settings, sizes, compute, body)
        phalp = load_phalp(settings, sizes, compute, body)
        _warm_up(detector, regressor, settings.compile)
        if phalp is not None:
            phalp.run_once()
    return Parts(detector, regressor, body, phalp)


def _body(settings: Settings, sizes: Sizes) -> SmplBody:
    _, extra_joints = sizes.regressor_source.files
    with opened(NEUTRAL_BODY, settings) as path:
        log.info("[INIT] the body is %s", path)
        body = read_smpl(path)
    with opened(extra_joints, settings) as path:
        # answers are posed by the threads of the requests, which never touch the card
        return SmplBody(body, read_extra_joints(path))


def _detector(settings: Settings, sizes: Sizes, compute: Compute) -> VitDetDetector:
    ops, words = available_ops()
    log.info("[INIT] %s", words)
    (file,) = sizes.detector_source.files
    with opened(file, settings) as path:
        net = vitdet_checkpoint.load_file(
            path,
            sizes.detector,
            ops,
            device=compute.device,
            half=compute.half,
            remedy=remedy(file, settings),
        )
    most = settings.batch
    net.dense = compiled(net.dense, settings.compile, most, compute.device)  # type: ignore[method-assign, assignment]
    guard = MemoryGuard(net, compute.device, most, cpu_fallback=settings.cpu_fallback)
    return VitDetDetector(net, guard, settings)


def _regressor(settings: Settings, sizes: Sizes, compute: Compute, body: SmplBody) -> Hmr2Regressor:
    file, _ = sizes.regressor_source.files
    with opened(file, settings) as path:
        net = hmr2_checkpoint.load_file(
            path,
            sizes.regressor,
            device=compute.device,
            half=compute.half,
            remedy=remedy(file, settings),
        )
    most = _PEOPLE_PER_PICTURE * settings.batch
    forward = compiled(net.__call__, settings.compile, most, compute.device)
    guard = MemoryGuard(net, compute.device, most, cpu_fallback=settings.cpu_fallback)
    return Hmr2Regressor(net, forward, body, guard)


def _warm_up(detector: VitDetDetector, regressor: Hmr2Regressor, how: str) -> None:
    """Run both nets, so that the first caller does not wait for kernels to be chosen or made.

    That is for the sizes of batch that are made beforehand, for a full batch on a card, and for
    one person on the CPU, where there is nothing to choose.
    """
    grey = np.full((*_GREY_PX, 3), 128, np.uint8)
    for size in _warm_sizes(detector.guard, how):
        detector.detect([grey] * size)
    for size in _warm_sizes(regressor.guard, how):
        regressor.observe([grey], [Regions.of_boxes(np.tile(_IN_IT, (size, 1)))])


def _warm_sizes(guard: MemoryGuard, how: str) -> Sequence[int]:
    if how != "off":
        return list(fixed_sizes(guard.most))
    return [guard.most if guard.device.type == "cuda" else 1]


@contextmanager
def _enough_memory() -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise EngineError(
            f"memory is not enough for the nets: {str(error) or 'out of memory'}",
            hint="Both need about 6 GB in float32 and 3 GB in a half type, and room to work. End "
            "other programs, set POSE_PRECISION=bf16 or fp16, or POSE_BATCH=1.",
        ) from error
