"""HMR 2.0b's official files: where they are handed out and how the right ones are known."""

import logging
import zipfile
import zlib
from pathlib import Path

from pose_service.core.files import (
    FileSource,
    OfficialFile,
    Packing,
    UpstreamFolder,
    fetch_remedy,
)
from pose_service.runtime.opening.content import Content, WantedFile, require
from pose_service.runtime.opening.numpy_pickles import NUMPY_GLOBALS
from pose_service.runtime.opening.pickles import Globals, open_pickle

_log = logging.getLogger(__name__)

_LICENCE = "handed out by 4D-Humans, whose code is MIT; the weights state no terms of their own"
_REMEDY = fetch_remedy("4dhumans")
_WANTED_CHECKPOINT = WantedFile("the checkpoint of HMR 2.0b", _REMEDY)
_WANTED_MATRIX = WantedFile("the matrix of HMR 2.0's further joints", _REMEDY)
_RUN = "logs/train/multiruns/hmr2/0/checkpoints"
_UPSTREAM = "~/.cache/4DHumans"


def _glance_at_checkpoint(path: Path) -> None:
    require(path, _WANTED_CHECKPOINT, Content.CHECKPOINT)


def _check_checkpoint(path: Path) -> None:
    """Its checksums, then the names and shapes of its tensors."""
    _check_sums(path)
    try:
        from pose_service.hmr2.checkpoint import check_official
        from pose_service.hmr2.config import FULL
        from pose_service.runtime.opening.lightning import open_lightning
    except ModuleNotFoundError as error:
        _log.warning("%s: %s is missing, its tensors will be looked at later", path, error.name)
        return
    check_official(open_lightning(path, _REMEDY), FULL)


def _check_sums(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _WANTED_CHECKPOINT.error(path, f"it is damaged ({error})") from error
    if damaged:
        raise _WANTED_CHECKPOINT.error(path, f"it is damaged (checksum of {damaged})")


def _glance_at_matrix(path: Path) -> None:
    require(path, _WANTED_MATRIX, Content.PICKLE)


def _check_matrix(path: Path) -> None:
    open_pickle(path, _WANTED_MATRIX, Globals(NUMPY_GLOBALS))


CHECKPOINT = OfficialFile(
    name="epoch=35-step=1000000.ckpt",
    purpose="a person's picture to body parameters (HMR 2.0b)",
    licence=_LICENCE,
    remedy=_REMEDY,
    folder="4dhumans",
    least_bytes=2_681_836_776,  # the numbers of the tensors that are used
    glance=_glance_at_checkpoint,
    check=_check_checkpoint,
    elsewhere=(UpstreamFolder(_UPSTREAM, _RUN),),
    setting="hmr2_checkpoint",
)
EXTRA_JOINTS = OfficialFile(
    name="SMPL_to_J19.pkl",
    purpose="19 of HMR 2.0's 44 joints, from the body's surface",
    licence=_LICENCE,
    remedy=_REMEDY,
    folder="4dhumans",
    least_bytes=4 * 19 * 6890,
    glance=_glance_at_matrix,
    check=_check_matrix,
    elsewhere=(UpstreamFolder(_UPSTREAM, "data"), UpstreamFolder("~/.cache/phalp/3D")),
)
ARCHIVE = FileSource(
    name="hmr2_data.tar.gz",
    members=((f"{_RUN}/{CHECKPOINT.name}", CHECKPOINT), ("data/SMPL_to_J19.pkl", EXTRA_JOINTS)),
    packing=Packing.TAR,
    urls=(
        "https://www.cs.utexas.edu/~pavlakos/4dhumans/hmr2_data.tar.gz",
        "https://people.eecs.berkeley.edu/~jathushan/projects/4dhumans/hmr2_data.tar.gz",
    ),
    # of both only one report is known: the members' own checks may overrule them
    size_bytes=2_710_589_440,
    sha256="0fdf9e66ec97503fe1b995f4942e021a6df748f4ccbc5574718742d975a6e19b",
    elsewhere=(UpstreamFolder(_UPSTREAM),),
)
