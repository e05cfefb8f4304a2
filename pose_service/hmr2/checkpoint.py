"""Official HMR 2.0 weights by their official names, and what they become here.

A checkpoint is taken whole or not at all: a tensor too few, too many or of another shape is an
error that lists it. The training discriminator and the body model that official files carry are
passed over; the body always comes from the user's own SMPL file.
"""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from pose_service.core.errors import EngineError
from pose_service.hmr2.config import TOKENS, Hmr2Config
from pose_service.hmr2.network import Hmr2

Shapes = dict[str, tuple[int, ...]]

_PASSED_OVER: Final = ("discriminator.", "smpl.", "initialized")
_SHOWN: Final = 8

# part of a name here, the same part of the official name
_OFFICIAL_PARTS: Final = (
    ("backbone.patches.", "backbone.patch_embed.proj."),
    ("backbone.norm.", "backbone.last_norm."),
    (".attention.norm.", ".norm1."),
    (".attention.qkv.", ".attn.qkv."),
    (".attention.out.", ".attn.proj."),
    (".mlp.norm.", ".norm2."),
    (".mlp.widen.", ".mlp.fc1."),
    (".mlp.narrow.", ".mlp.fc2."),
    ("decoder.layers.", "smpl_head.transformer.transformer.layers."),
    (".own.norm.", ".0.norm."),
    (".own.out.", ".0.fn.to_out.0."),
    (".cross.norm.", ".1.norm."),
    (".cross.query.", ".1.fn.to_q."),
    (".cross.out.", ".1.fn.to_out.0."),
    (".feed.norm.", ".2.norm."),
    (".feed.widen.", ".2.fn.net.0."),
    (".feed.narrow.", ".2.fn.net.3."),
    ("decoder.pose.", "smpl_head.decpose."),
    ("decoder.betas.", "smpl_head.decshape."),
    ("decoder.camera.", "smpl_head.deccam."),
    ("decoder.mean_pose", "smpl_head.init_body_pose"),
    ("decoder.mean_betas", "smpl_head.init_betas"),
    ("decoder.mean_camera", "smpl_head.init_cam"),
)

# names here whose values are made of official tensors instead of being one
_MADE: Final = (
    "backbone.positions", "decoder.start", ".own.value.weight", ".cross.key.weight",
    ".cross.value.weight",
)  # fmt: skip

_POSITIONS: Final = "backbone.pos_embed"
_TOKEN: Final = "smpl_head.transformer.to_token_embedding"
_TOKEN_POSITION: Final = "smpl_head.transformer.pos_embedding"
_SELF_QKV: Final = "smpl_head.transformer.transformer.layers.{}.0.fn.to_qkv.weight"
_CROSS_KV: Final = "smpl_head.transformer.transformer.layers.{}.1.fn.to_kv.weight"


def load_network(official: Mapping[str, Tensor], config: Hmr2Config) -> Hmr2:
    """The network with the weights of `official`, ready to run on the CPU in float32.

    `official`: a checkpoint's `state_dict`. Tensors that are kept as they are stay shared with
    it: nothing is copied, and no layer ever holds a made-up value. Raises `EngineError` where the
    names or shapes are not those of `official_shapes(config)`.
    """
    check_official(official, config)
    network = _hollow(config)
    network.load_state_dict(_weights(official, network, config), strict=True, assign=True)
    return network.requires_grad_(False).eval()


def official_shapes(config: Hmr2Config) -> Shapes:
    """Official name and shape of every tensor that is loaded."""
    plain = {
        official_name(name): tuple(tensor.shape)
        for name, tensor in _hollow(config).state_dict().items()
        if not name.endswith(_MADE)
    }
    return {**plain, **_ingredient_shapes(config)}


def official_name(name: str) -> str:
    """Official name of a tensor that is here called `name`."""
    for here, there in _OFFICIAL_PARTS:
        name = name.replace(here, there)
    return name


def check_official(official: Mapping[str, Tensor], config: Hmr2Config) -> None:
    """Raise `EngineError` unless names and shapes are those of `official_shapes(config)`."""
    wanted = official_shapes(config)
    given = {name: each for name, each in official.items() if not name.startswith(_PASSED_OVER)}
    faults = {
        "missing": sorted(wanted.keys() - given.keys()),
        "not known": sorted(given.keys() - wanted.keys()),
        "of another shape or kind": [
            f"{name} (expected {shape} float, got {tuple(given[name].shape)} {given[name].dtype})"
            for name, shape in wanted.items()
            if name in given and not _fits(given[name], shape)
        ],
    }
    if any(faults.values()):
        raise EngineError(
            "The checkpoint is not one of HMR 2.0: "
            + "; ".join(f"{what}: {_listed(names)}" for what, names in faults.items() if names),
            hint="Use the official HMR2.0b checkpoint as it was published.",
        )


def _hollow(config: Hmr2Config) -> Hmr2:
    """The network with shapes but without memory."""
    with torch.device("meta"):
        return Hmr2(config)


def _fits(tensor: Tensor, shape: tuple[int, ...]) -> bool:
    return tuple(tensor.shape) == shape and tensor.is_floating_point()


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest


def _ingredient_shapes(config: Hmr2Config) -> Shapes:
    """Official tensors that are not kept as they are."""
    dim, inner = config.decoder.dim, config.decoder.inner_dim
    shapes: Shapes = {
        _POSITIONS: (1, 1 + TOKENS, config.backbone.dim),
        f"{_TOKEN}.weight": (dim, 1),
        f"{_TOKEN}.bias": (dim,),
        _TOKEN_POSITION: (1, 1, dim),
    }
    for layer in range(config.decoder.layers):
        shapes[_SELF_QKV.format(layer)] = (3 * inner, dim)
        shapes[_CROSS_KV.format(layer)] = (2 * inner, config.backbone.dim)
    return shapes


def _weights(
    official: Mapping[str, Tensor], network: Hmr2, config: Hmr2Config
) -> dict[str, Tensor]:
    plain = {
        name: official[official_name(name)]
        for name in network.state_dict()
        if not name.endswith(_MADE)
    }
    weights = {**plain, **_made(official, config.decoder.layers)}
    return {name: weight.to(torch.float32) for name, weight in weights.items()}


def _made(official: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    positions = official[_POSITIONS]
    made = {
        # the class token's position is added to every patch, though there is no class token
        "backbone.positions": positions[:, 1:] + positions[:, :1],
        # the token's input is always 0, so its weight never counts
        "decoder.start": official[f"{_TOKEN}.bias"] + official[_TOKEN_POSITION][0],
    }
    for layer in range(layers):
        value = official[_SELF_QKV.format(layer)].chunk(3)[2]
        cross_key, cross_value = official[_CROSS_KV.format(layer)].chunk(2)
        # a copy, so that the unused queries and keys need not stay in memory
        made[f"decoder.layers.{layer}.own.value.weight"] = value.clone()
        made[f"decoder.layers.{layer}.cross.key.weight"] = cross_key
        made[f"decoder.layers.{layer}.cross.value.weight"] = cross_value
    return made
