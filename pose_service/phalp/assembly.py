"""PHALP's parts from their official files, as the tracker takes them."""

from dataclasses import dataclass
from pathlib import Path

import torch

from pose_service.core.arrays import IntArray
from pose_service.phalp.appearance.looks import TextureLooks
from pose_service.phalp.checkpoint_appearance import load_appearance_encoder
from pose_service.phalp.checkpoint_arrays import (
    open_normalisation,
    open_texel_faces,
    open_texel_weights,
)
from pose_service.phalp.checkpoint_pose import load_pose_predictor
from pose_service.phalp.pose.config import PredictorSettings
from pose_service.phalp.pose.predictor import TransformerPredictor
from pose_service.phalp.pose.settings import read_settings
from pose_service.phalp.records import Compat
from pose_service.phalp.texture.maps import TextureMaps
from pose_service.runtime.opening.content import WantedFile


@dataclass(frozen=True)
class PredictorFiles:
    """`pose_predictor.pth`, `mean_std.npy`, and `pose_predictor.yaml` if it is here."""

    weights: Path
    normalisation: Path
    settings: Path | None = None


def load_predictor(
    files: PredictorFiles, *, device: torch.device, compat: Compat = "fixed", remedy: str
) -> TransformerPredictor:
    """What foretells poses, on `device`, in float32: it is asked for a few tracks at a time.

    `EngineError` with `remedy` if a file is missing, damaged or another; so of all of these.
    """
    mean, std = open_normalisation(files.normalisation, remedy)
    settings = PredictorSettings()
    if files.settings is not None:
        settings = read_settings(files.settings, remedy)
    network = load_pose_predictor(files.weights, settings, device=device, remedy=remedy)
    network.normalise_by(torch.from_numpy(mean), torch.from_numpy(std))
    return TransformerPredictor(network, compat)


def load_looks(
    path: Path, *, device: torch.device, half: torch.dtype | None = None, remedy: str
) -> TextureLooks:
    """What compares textures, on `device`, from `hmar_v2_weights.pth`."""
    return TextureLooks(load_appearance_encoder(path, device=device, half=half, remedy=remedy))


def load_texture_maps(
    bmap: Path, fmap: Path, faces: IntArray, *, device: torch.device, remedy: str
) -> TextureMaps:
    """What lays the surface of the body with `faces` (n, 3) out flat, on `device`."""
    weights, texels = open_texel_weights(bmap, remedy), open_texel_faces(fmap, remedy)
    try:
        return TextureMaps.of(weights, texels, faces, device)
    except ValueError as error:
        wanted = WantedFile("the layout of the body's surface", remedy)
        raise wanted.error(fmap, str(error)) from error
