"""How HMR 2.0's tensors are called in official checkpoints, and what some become here."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from torch import Tensor

from pose_service.hmr2.config import TOKENS, Hmr2Config

Shapes = dict[str, tuple[int, ...]]

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

_MADE: Final = (
    "backbone.positions", "decoder.start", ".own.value.weight", ".cross.key.weight",
    ".cross.value.weight",
)  # fmt: skip

_POSITIONS: Final = "backbone.pos_embed"
_TOKEN: Final = "smpl_head.transformer.to_token_embedding"
_TOKEN_POSITION: Final = "smpl_head.transformer.pos_embedding"
_SELF_QKV: Final = "smpl_head.transformer.transformer.layers.{}.0.fn.to_qkv.weight"
_CROSS_KV: Final = "smpl_head.transformer.transformer.layers.{}.1.fn.to_kv.weight"


def official_name(name: str) -> str:
    """Official name of a tensor that is here called `name`."""
    for here, there in _OFFICIAL_PARTS:
        name = name.replace(here, there)
    return name


def is_made(name: str) -> bool:
    """Whether the tensor here called `name` is made of official ones instead of being one."""
    return name.endswith(_MADE)


def ingredient_shapes(config: Hmr2Config) -> Shapes:
    """Official names and shapes of the tensors that are not kept as they are."""
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


def translated(
    official: Mapping[str, Tensor], names: Iterable[str], layers: int
) -> Iterator[tuple[str, Tensor]]:
    """Each of `names` here with its official values; `layers`: of the decoder."""
    yield from _made(official, layers).items()
    for name in names:
        if not is_made(name):
            yield name, official[official_name(name)]


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
