"""The pose predictor from `pose_predictor.pth`.

Official names begin with `encoder.`. Upstream's program takes that word out wherever it stands,
so that what reads the poses in, `pose_shape_encoder`, is not found and stays random
(`phalp/models/predictors/pose_transformer_v2.py`); here it is taken off the beginning, once.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from pose_service.core.errors import EngineError
from pose_service.phalp.checkpoint import fill, ready
from pose_service.phalp.pose.config import PredictorSettings, sizes_of
from pose_service.phalp.pose.network import PosePredictorNet
from pose_service.runtime.opening.lightning import open_lightning

_PREFIX: Final = "encoder."
# beginnings and parts of names here, and of the official ones
_OFFICIAL_BEGINNINGS: Final = (
    ("read_in.", "pose_shape_encoder."),
    ("unseen", "mask_token"),
    ("first_positions", "pos_embedding_learned1"),
    ("second_positions", "pos_embedding_learned2"),
    ("blocks.", "transformer1.layers."),
    ("last.", "transformer2.layers.0."),
    ("shrink.", "conv_en."),
    ("stretch.", "conv_de."),
    ("body.mean_pose", "smpl_head.0.init_body_pose"),
    ("body.mean_betas", "smpl_head.0.init_betas"),
    ("body.mean_camera", "smpl_head.0.init_cam"),
    ("body.first.", "smpl_head.0.fc1."),
    ("body.second.", "smpl_head.0.fc2."),
    ("body.pose.", "smpl_head.0.decpose."),
    ("body.betas.", "smpl_head.0.decshape."),
    ("body.camera.", "smpl_head.0.deccam."),
    ("place.", "loca_head.0."),
)
_OFFICIAL_PARTS: Final = (
    (".attention.norm.", ".0.norm."),
    (".attention.qkv.", ".0.fn.to_qkv."),
    (".attention.out.", ".0.fn.to_out.0."),
    (".mlp.norm.", ".1.norm."),
    (".mlp.widen.", ".1.fn.net.0."),
    (".mlp.narrow.", ".1.fn.net.3."),
)


def load_pose_predictor(
    path: Path, settings: PredictorSettings, *, device: torch.device, remedy: str
) -> PosePredictorNet:
    """The network with the weights of the file `path`, on `device`, in float32.

    Its sizes follow from the tensors' shapes and from `settings`. Parts that answer nothing here
    (actions, a second transformer) are not read; how poses are normalised is in another file,
    see `PosePredictorNet.normalise_by`. `EngineError` with `remedy` if the file is missing,
    damaged or another.
    """
    official = open_lightning(path, remedy)
    try:
        network = network_of(official, settings, path)
    except EngineError as error:
        raise EngineError(str(error), hint=remedy) from error
    ready(network, device)
    return network


def network_of(
    official: Mapping[str, Tensor], settings: PredictorSettings, path: Path
) -> PosePredictorNet:
    """The network of tensors called `encoder.…`, on the CPU."""
    tensors = {
        name.removeprefix(_PREFIX): tensor
        for name, tensor in official.items()
        if name.startswith(_PREFIX)
    }
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    with torch.device("meta"):
        network = PosePredictorNet(sizes_of(shapes, settings))
    own = {name: official_name(name) for name in network.state_dict()}
    fill(network, tensors, own, path)
    return network


def official_name(name: str) -> str:
    """What the official file calls a tensor of the network, without `encoder.`.

    >>> official_name("blocks.3.mlp.widen.bias")
    'transformer1.layers.3.1.fn.net.0.bias'
    """
    for here, there in _OFFICIAL_BEGINNINGS:
        if name.startswith(here):
            name = there + name.removeprefix(here)
            break
    for here, there in _OFFICIAL_PARTS:
        name = name.replace(here, there)
    return name
