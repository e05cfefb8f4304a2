"""Stand-in weights, poses and textures for PHALP: every number follows from a name and a shape.

The official weights may not be shipped. The goldens in `data/phalp` were computed by the official
code holding exactly these values.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from standin import plain_weight, uniform
from torch import Tensor

from pose_service.core.arrays import FloatArray, IntArray

DATA = Path(__file__).parent / "data" / "phalp"
IDENTITIES = np.tile(np.eye(3).ravel(), 24)

Shapes = dict[str, tuple[int, ...]]


def golden(name: str) -> dict[str, NDArray[Any]]:
    """The arrays of `golden_<name>.npz`."""
    with np.load(DATA / f"golden_{name}.npz") as arrays:
        return dict(arrays)


def golden_scene(name: str) -> dict[str, Any]:
    """The events of `golden_<name>.json`."""
    content: dict[str, Any] = json.loads((DATA / f"golden_{name}.json").read_text())
    return content


def manifest(name: str) -> dict[str, Any]:
    """What `manifest_<name>.json` says: shape and type by official name, mostly."""
    content: dict[str, Any] = json.loads((DATA / f"manifest_{name}.json").read_text())
    return content


ENCODER_CHANNELS = {
    "conv1x": (4, 16),
    "conv2": (16, 64),
    "conv3": (64, 128),
    "conv4": (128, 256),
    "conv5": (256, 256),
    "conv5_1": (256, 16),
}


def encoder_state(prefix: str = "hmar.") -> dict[str, Tensor]:
    """What is used of `hmar_v2_weights.pth`; official names begin with five letters or so."""
    shapes: Shapes = {}
    for layer, (inputs, outputs) in ENCODER_CHANNELS.items():
        shapes[f"encoding_head.{layer}.weight"] = (outputs, inputs, 3, 3)
        shapes[f"encoding_head.{layer}.bias"] = (outputs,)
    return {
        prefix + name: torch.from_numpy(plain_weight(name, shape)) for name, shape in shapes.items()
    }


@dataclass(frozen=True)
class Build:
    """Sizes of a pose predictor; as they stand, those of the goldens `f256`."""

    width: int = 256
    frames: int = 125
    blocks: int = 16
    inner: int = 1024
    mlp: int = 512
    pose_width: int = 229
    body_width: int = 1024
    kernel: int = 7


TINY = Build(width=16, frames=25, blocks=2, inner=128, mlp=24, pose_width=20, body_width=32)


def predictor_shapes(build: Build, *, dead: bool = False) -> Shapes:
    """Official names and shapes; `dead`: with all that is in the file and answers nothing."""
    wide = build.width
    shapes: Shapes = {
        "mask_token": (wide,),
        "pos_embedding_learned1": (1, build.frames, wide),
        "pos_embedding_learned2": (1, build.frames, wide),
        **_layers("transformer1", build, build.blocks),
        **_layers("transformer2", build, 1),
        "conv_en.weight": (wide, wide, build.kernel),
        "conv_en.bias": (wide,),
        "conv_de.weight": (wide, wide, build.kernel),
        "conv_de.bias": (wide,),
        **_linear("pose_shape_encoder.0", 229, build.pose_width),
        **_linear("pose_shape_encoder.2", build.pose_width, wide),
        "smpl_head.0.init_body_pose": (1, 144),
        "smpl_head.0.init_betas": (1, 10),
        "smpl_head.0.init_cam": (1, 3),
        **_linear("smpl_head.0.fc1", wide + 157, build.body_width),
        **_linear("smpl_head.0.fc2", build.body_width, build.body_width),
        **_linear("smpl_head.0.decpose", build.body_width, 144),
        **_linear("smpl_head.0.decshape", build.body_width, 10),
        **_linear("smpl_head.0.deccam", build.body_width, 3),
        **_linear("loca_head.0.0", wide, wide),
        **_linear("loca_head.0.2", wide, wide),
        **_linear("loca_head.0.4", wide, 3),
    }
    if dead:
        shapes |= {
            "class_token": (1, 1, wide),
            "pos_embedding": (10000, wide),
            "pe": (10000, wide),
            **_layers("transformer", build, build.blocks),
            **_linear("action_head_ava.0.0", wide, 60),
        }
    return {f"encoder.{name}": shape for name, shape in shapes.items()}


def predictor_state(build: Build, *, dead: bool = False) -> dict[str, Tensor]:
    """What an official checkpoint's `state_dict` would hold."""
    mean = golden("pose_predictor")
    means = {"init_body_pose": "pose", "init_betas": "shape", "init_cam": "cam"}
    state: dict[str, Tensor] = {}
    for name, shape in predictor_shapes(build, dead=dead).items():
        leaf = name.rpartition(".")[2]
        values = mean[f"smpl_mean.{means[leaf]}"] if leaf in means else plain_weight(name, shape)
        state[name] = torch.from_numpy(values.reshape(shape).astype(np.float32))
    return state


def _linear(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _layers(name: str, build: Build, count: int) -> Shapes:
    shapes: Shapes = {}
    for layer in range(count):
        attention, mlp = f"{name}.layers.{layer}.0", f"{name}.layers.{layer}.1"
        shapes |= {
            f"{attention}.norm.weight": (build.width,),
            f"{attention}.norm.bias": (build.width,),
            f"{attention}.fn.to_qkv.weight": (3 * build.inner, build.width),
            **_linear(f"{attention}.fn.to_out.0", build.inner, build.width),
            f"{mlp}.norm.weight": (build.width,),
            f"{mlp}.norm.bias": (build.width,),
            **_linear(f"{mlp}.fn.net.0", build.width, build.mlp),
            **_linear(f"{mlp}.fn.net.3", build.mlp, build.width),
        }
    return shapes


def write_appearance(path: Path, **changed: object) -> Path:
    """`hmar_v2_weights.pth`, with a little of the body network that comes with it."""
    rest = {"hmar.backbone.conv1.weight": torch.full((64, 3, 7, 7), 7.0)}
    torch.save({"model": {**rest, **encoder_state()}, "epoch": 3} | changed, path)
    return path


def write_predictor(path: Path, build: Build = TINY, **changed: object) -> Path:
    """`pose_predictor.pth`, a Lightning checkpoint."""
    state = predictor_state(build, dead=True)
    torch.save({"state_dict": state, "pytorch-lightning_version": "1.8.1"} | changed, path)
    return path


def write_settings(path: Path, heads: int = 2) -> Path:
    """`pose_predictor.yaml`, with an interpolation and a list as the official one has."""
    path.write_text(
        "task_name: train\nconfigs:\n  frame_length: ${frames}\n  mask_type_test: zero\n"
        f"  transformer:\n    heads: {heads}\n    conv:\n      pad: 1\n      stride: 5\n"
        "  loss_type:\n    - smpl\n",
        encoding="utf-8",
    )
    return path


def write_arrays(folder: Path, faces: int) -> None:
    """`bmap_256.npy`, `fmap_256.npy` of a body with so many `faces`, and `mean_std.npy`."""
    bmap, fmap = texel_maps(faces)
    mean_std = golden("pose_predictor")
    np.save(folder / "bmap_256.npy", bmap)
    np.save(folder / "fmap_256.npy", fmap)
    np.save(folder / "mean_std.npy", np.stack([mean_std["mean"], mean_std["std"]]))


def texel_maps(faces: int) -> tuple[FloatArray, IntArray]:
    """(256, 256, 3) weights and (256, 256) faces: squares of 8 texels, every fifth on none."""
    weights = uniform("uvs.bmap", (256, 256, 3)) + np.float32(1.05)
    rows, columns = np.indices((256, 256)) // 8
    face = (rows * 32 + columns) % (faces * 5 // 4)
    return weights / weights.sum(axis=2, keepdims=True), np.where(face < faces, face, -1)


def pose(track: int, frame: int) -> FloatArray:
    """(229,): the pose of a track of the predictor's goldens in a frame."""
    values = 0.2 * uniform(f"pose.t{track}.f{frame}", (229,)).astype(np.float64)
    values[:216] += IDENTITIES
    values[228] = 0.2 + 0.01 * values[228]
    return values


def texture(name: str, rgb: str, mask: str, over: float) -> FloatArray:
    """(4, 256, 256): colours of `name` + `rgb` where `name` + `mask` is `over` in squares of 8."""
    shown = np.kron(uniform(name + mask, (32, 32)) > over, np.ones((8, 8)))
    colours = np.float32(0.4) * uniform(name + rgb, (3, 256, 256)) * shown
    return np.concatenate([colours, 2 * shown[None] - 1]).astype(np.float32)


def encoder_texture(index: int) -> FloatArray:
    """One of the two that the encoder's goldens are of."""
    return texture(f"phalp.uv{index}", ".rgb", ".mask", -0.2)


def mixing_texture(index: int) -> FloatArray:
    """One of the four that are mixed in `golden_uv_mixing`."""
    return texture(f"mix.{index}", ".rgb", ".m", -0.2 + 0.1 * index)
