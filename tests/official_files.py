"""The files of the 4dhumans engine in the forms that are handed out, at a tiny size.

The nets have the official build with few and narrow layers, and stand-in weights; the body has
SMPL's full size and no number of the licensed one. `changed` takes the place of entries, for files
that shall be wrong in one place.
"""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import standin_hmr2
import standin_phalp
import standin_smpl
import standin_vitdet
import torch

from pose_service.bodies.smpl_files import NEUTRAL_BODY
from pose_service.hmr2.config import TINY
from pose_service.hmr2.files import ARCHIVE, CHECKPOINT, EXTRA_JOINTS
from pose_service.phalp.files import APPEARANCE, POSE_PREDICTOR, POSE_SETTINGS
from pose_service.vitdet.files import DETECTOR

HANDED_OUT_BODY = "basicModel_neutral_lbs_10_207_0_v1.0.0.pkl"
"""What the neutral body is called where SMPL is downloaded."""

_CHECKPOINT_PLACE, _EXTRA_JOINTS_PLACE = (place for place, _ in ARCHIVE.members)
_MANIFEST = Path(__file__).parent / "data" / "hmr2" / "manifest_tiny.json"


def write_detector(path: Path, **changed: object) -> Path:
    """A checkpoint of detectron2's model zoo."""
    content = {"model": standin_vitdet.weights("tiny"), "__author__": "a test", "iteration": 9}
    return standin_smpl.write_pickle(path, content | changed)


def write_checkpoint(path: Path, **changed: object) -> Path:
    """A checkpoint of PyTorch Lightning, with all that training leaves in it."""
    with pytest.MonkeyPatch.context() as patch:
        settings = standin_smpl.class_in(patch, "omegaconf.dictconfig", "DictConfig")()
        settings.__dict__ = {"_content": {"SMPL": {"NUM_BODY_JOINTS": 23}}, "_parent": None}
        content = {
            "epoch": 35,
            "global_step": 1_000_000,
            "pytorch-lightning_version": "1.8.1",
            "state_dict": {**_of_training(), **standin_hmr2.official_state(TINY)},
            "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.5)}},
            "optimizer_states": [],
            "hyper_parameters": {"cfg": settings},
        }
        torch.save(content | changed, path)
    return path


def _of_training() -> dict[str, torch.Tensor]:
    """The discriminator and the body model of official checkpoints: sevens, stored once each."""
    manifest = json.loads(_MANIFEST.read_text(encoding="utf-8"))
    return {
        name: torch.tensor(7).to(getattr(torch, dtype)).expand(shape)
        for name, (shape, dtype, role) in manifest.items()
        if role != "load"
    }


def write_extra_joints(path: Path) -> Path:
    """The matrix of HMR 2.0's 19 further joints, a pickle of Python 2."""
    standin_smpl.write_python2_pickle(path, standin_smpl.standin_extra_joints())
    return path


def write_mean_parameters(path: Path) -> Path:
    """The pose, shape and camera that training began with; a checkpoint carries them itself."""
    mean = standin_hmr2.mean_parameters()
    names = {"pose": "init_body_pose", "shape": "init_betas", "cam": "init_cam"}
    np.savez(path, **{name: mean[f"smpl_head.{official}"][0] for name, official in names.items()})
    return path


def write_body(path: Path, **changed: object) -> Path:
    """The neutral body: a pickle of Python 2 with chumpy's arrays and a sparse matrix."""
    with pytest.MonkeyPatch.context() as patch:
        content = standin_smpl.with_foreign_objects(patch, standin_smpl.standin_body())
        standin_smpl.write_python2_pickle(path, content | changed)
    return path


def write_tree(folder: Path) -> Path:
    """What HMR 2.0's archive unpacks to: everything but the body, whose folder is empty."""
    for place in (_CHECKPOINT_PLACE, "data/smpl/nothing"):
        (folder / place).parent.mkdir(parents=True)
    write_checkpoint(folder / _CHECKPOINT_PLACE)
    write_extra_joints(folder / _EXTRA_JOINTS_PLACE)
    write_mean_parameters(folder / "data" / "smpl_mean_params.npz")
    for name in ("model_config.yaml", "dataset_config.yaml"):
        (folder / _CHECKPOINT_PLACE).parent.with_name(name).write_text("{}\n")
    return folder


def write_phalp(folder: Path) -> None:
    """PHALP's five files and the settings, as they are handed out, in `folder`."""
    standin_phalp.write_appearance(folder / APPEARANCE.name)
    standin_phalp.write_predictor(folder / POSE_PREDICTOR.name)
    standin_phalp.write_settings(folder / POSE_SETTINGS.name)
    standin_phalp.write_arrays(folder, standin_smpl.FACES)


def pack(tree: Path, path: Path) -> Path:
    """`tree` as an archive: plain tar, as the official one is, whatever its name says."""
    with tarfile.open(path, "w") as archive:
        archive.add(tree, ".")
    return path


def write_mirror(folder: Path, tree: Path) -> Path:
    """What can be fetched: the detector, HMR 2.0's archive made of `tree`, and PHALP's files."""
    folder.mkdir(exist_ok=True)
    write_detector(folder / DETECTOR.name)
    pack(tree, folder / ARCHIVE.name)
    write_phalp(folder)
    return folder


def write_files(data_dir: Path) -> Path:
    """All files where `fetch-weights` puts them below `POSE_DATA_DIR`."""
    folder = data_dir / NEUTRAL_BODY.folder
    folder.mkdir(parents=True)
    write_body(folder / NEUTRAL_BODY.name)
    for file, write in (
        (DETECTOR, write_detector),
        (CHECKPOINT, write_checkpoint),
        (EXTRA_JOINTS, write_extra_joints),
    ):
        write(data_dir / file.folder / file.name)
    write_phalp(data_dir / APPEARANCE.folder)
    return data_dir
