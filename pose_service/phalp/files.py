"""PHALP's official files: where they are handed out and how the right ones are known.

Nobody has published their checksums: they are known by the names and shapes of what they hold.
"""

import logging
from functools import partial
from pathlib import Path
from typing import Final

from pose_service.core.files import FileSource, OfficialFile, UpstreamFolder, fetch_remedy
from pose_service.phalp.checkpoint_arrays import (
    open_normalisation,
    open_texel_faces,
    open_texel_weights,
)
from pose_service.phalp.pose.config import PredictorSettings
from pose_service.phalp.pose.settings import read_settings
from pose_service.runtime.opening.content import Content, WantedFile, require

_log = logging.getLogger(__name__)

_ADDRESSES: Final = (
    "https://www.cs.utexas.edu/~pavlakos/phalp",
    # since 2026 it has been reported not to answer
    "https://people.eecs.berkeley.edu/~jathushan/projects/phalp",
)
_LICENCE: Final = "handed out by PHALP, whose code is MIT; the weights state no terms of their own"
_REMEDY: Final = fetch_remedy("4dhumans")
_FOLDER: Final = "4dhumans"
_WEIGHTS: Final = (UpstreamFolder("~/.cache/phalp", "weights"),)
_ARRAYS: Final = (UpstreamFolder("~/.cache/phalp", "3D"),)


def _glance_at_checkpoint(path: Path) -> None:
    require(path, WantedFile("a checkpoint of PHALP", _REMEDY), Content.CHECKPOINT)


def _check_appearance(path: Path) -> None:
    """Names, shapes and values of the encoder's tensors."""
    try:
        import torch

        from pose_service.phalp.checkpoint_appearance import load_appearance_encoder
    except ModuleNotFoundError as error:
        return _later(path, error)
    load_appearance_encoder(path, device=torch.device("cpu"), half=None, remedy=_REMEDY)


def _check_predictor(path: Path) -> None:
    """Names, shapes and values of the tensors that are used."""
    try:
        import torch

        from pose_service.phalp.checkpoint_pose import load_pose_predictor
    except ModuleNotFoundError as error:
        return _later(path, error)
    load_pose_predictor(path, PredictorSettings(), device=torch.device("cpu"), remedy=_REMEDY)


def _later(path: Path, error: ModuleNotFoundError) -> None:
    _log.warning("%s: %s is missing, its tensors will be looked at later", path, error.name)


def _check_settings(path: Path) -> None:
    read_settings(path, _REMEDY)


def _check_normalisation(path: Path) -> None:
    open_normalisation(path, _REMEDY)


def _check_bmap(path: Path) -> None:
    open_texel_weights(path, _REMEDY)


def _check_fmap(path: Path) -> None:
    open_texel_faces(path, _REMEDY)


_official = partial(OfficialFile, licence=_LICENCE, remedy=_REMEDY, folder=_FOLDER)

APPEARANCE = _official(
    name="hmar_v2_weights.pth",
    purpose="how alike two people look (PHALP)",
    least_bytes=4 * 1_005_856,  # the float32 numbers that are used
    glance=_glance_at_checkpoint,
    check=_check_appearance,
    elsewhere=_WEIGHTS,
)
POSE_PREDICTOR = _official(
    name="pose_predictor.pth",
    purpose="a person's last poses to the next one (PHALP)",
    glance=_glance_at_checkpoint,
    check=_check_predictor,
    other_names=("pose_predictor_40006.ckpt",),
    elsewhere=_WEIGHTS,
)
POSE_SETTINGS = _official(
    name="pose_predictor.yaml",
    purpose="how the pose predictor is built, where its tensors do not tell (PHALP)",
    glance=_check_settings,
    check=_check_settings,
    other_names=("config_40006.yaml",),
    elsewhere=_WEIGHTS,
)
MEAN_STD = _official(
    name="mean_std.npy",
    purpose="mean and spread of the pose predictor's input (PHALP)",
    glance=_check_normalisation,
    check=_check_normalisation,
    elsewhere=_ARRAYS,
)
BMAP = _official(
    name="bmap_256.npy",
    purpose="where each texel lies on its face of the body (PHALP)",
    glance=_check_bmap,
    check=_check_bmap,
    elsewhere=_ARRAYS,
)
FMAP = _official(
    name="fmap_256.npy",
    purpose="on which face of the body each texel lies (PHALP)",
    glance=_check_fmap,
    check=_check_fmap,
    elsewhere=_ARRAYS,
)


def _source(file: OfficialFile, remote: str) -> FileSource:
    """One file by itself; `remote` is its path below each address."""
    urls = tuple(f"{address}/{remote}" for address in _ADDRESSES)
    return FileSource(name=file.name, members=((file.name, file),), urls=urls)


PHALP_SOURCES: Final = (
    _source(APPEARANCE, "weights/hmar_v2_weights.pth"),
    _source(POSE_PREDICTOR, "weights/pose_predictor_40006.ckpt"),
    _source(MEAN_STD, "3D/mean_std.npy"),
    _source(BMAP, "bmap_256.npy"),
    _source(FMAP, "fmap_256.npy"),
)
"""What PHALP's nets need."""
PHALP_EXTRA_SOURCES: Final = (_source(POSE_SETTINGS, "weights/config_40006.yaml"),)
"""What they do without: sizes then follow from the tensors alone, with 64 numbers to a head."""
