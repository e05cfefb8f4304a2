"""People who mill about in one picture, each with a texture of their own."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scenes.people import Actor, Place, walk
from scenes.stage import scene
from torch import Tensor

from pose_service.phalp.records import TEXTURE_PX, Detection

# of a texture, what a frame shows: blocks of so many texels, so large a share of them
_BLOCK, _SHOWN = 16, 0.4
_COLUMNS, _COLUMN_PX, _ROW_PX = 10, 110, 100
_HEIGHT_PX = 240.0
# what colours differ by between people, and from frame to frame
_COLOUR, _NOISE = 0.3, 0.02
_SEED = 4


@dataclass(frozen=True)
class CrowdFrame:
    """`textures`: (4, 256, 256) each, one for each of `detections`."""

    index: int
    detections: tuple[Detection, ...]
    textures: list[Tensor]


def crowd(people: int, frames: int, device: torch.device) -> Iterator[CrowdFrame]:
    """So many people in each of so many frames; always the same ones."""
    rng = np.random.default_rng(_SEED)
    actors = [_passer_by(who, rng) for who in range(people)]
    owners = {actor.look: _colours(actor.look) for actor in actors}
    for frame in scene(actors, range(frames), _SEED).frames:
        shown = [owners[who - 1] for who in frame.seen]
        textures = [_seen(colours, rng).to(device) for colours in shown]
        yield CrowdFrame(frame.index, frame.detections, textures)


def _passer_by(who: int, rng: np.random.Generator) -> Actor:
    """Nobody is larger than another, so nobody hides another."""
    x, y = 120 + _COLUMN_PX * (who % _COLUMNS), 200 + _ROW_PX * (who // _COLUMNS)
    speed = rng.uniform(-1.5, 1.5)
    path = walk(Place(x + rng.uniform(-20, 20), y, _HEIGHT_PX), speed)
    return Actor(path, range(10_000), look=who, phase_rad=rng.uniform(0, 6))


def _colours(look: int) -> Tensor:
    """(3, 256, 256)"""
    drawn = np.random.default_rng(look).uniform(-_COLOUR, _COLOUR, (3, TEXTURE_PX, TEXTURE_PX))
    return torch.from_numpy(drawn.astype(np.float32))


def _seen(colours: Tensor, rng: np.random.Generator) -> Tensor:
    """(4, 256, 256): what one frame shows of them."""
    blocks = rng.random((TEXTURE_PX // _BLOCK,) * 2) < _SHOWN
    shown = torch.from_numpy(np.kron(blocks, np.ones((_BLOCK, _BLOCK)))).float()
    noise = torch.from_numpy(rng.normal(0, _NOISE, colours.shape)).float()
    return torch.cat([(colours + noise) * shown, 2 * shown[None] - 1])
