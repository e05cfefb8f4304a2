"""The 4dhumans engine in small: every step from official-format files to bodies, in seconds.

Its nets have the official build at a tiny size and stand-in weights; the body is a stand-in of full
size. `ENGINE` takes the place of the real engine where it is an entry point of the group
`pose_service.engines`, or where a test hands it in.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import standin_hmr2
import standin_smpl
import standin_vitdet
import torch

from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.files import FileSource
from pose_service.engines.fourdhumans import recipe
from pose_service.fourdhumans.sizes import Sizes
from pose_service.hmr2.config import TINY
from pose_service.hmr2.files import ARCHIVE
from pose_service.vitdet.files import DETECTOR_SOURCE

SCORE = 0.2762
"""Of the one region that the tiny detector takes for a person in `picture()`."""


def _of_any_size(source: FileSource) -> FileSource:
    """`source` with files that are known by their content alone."""
    members = tuple(
        (name, replace(file, size_bytes=None, sha256=None, least_bytes=0))
        for name, file in source.members
    )
    return replace(source, members=members, size_bytes=None, sha256=None)


SIZES = Sizes(
    word="tiny",
    detector=standin_vitdet.TINY,
    regressor=TINY,
    detector_source=_of_any_size(DETECTOR_SOURCE),
    regressor_source=_of_any_size(ARCHIVE),
)
ENGINE = recipe(SIZES)


def write_files(data_dir: Path) -> Path:
    """All four files in the forms that are handed out, where `POSE_DATA_DIR` has them."""
    folder = data_dir / "4dhumans"
    (folder / "smpl").mkdir(parents=True)
    checkpoint = {"model": standin_vitdet.weights("tiny"), "__author__": "a test"}
    standin_smpl.write_pickle(folder / "model_final_f05665.pkl", checkpoint)
    state = standin_hmr2.official_state(TINY)
    torch.save(
        {"state_dict": state, "pytorch-lightning_version": "1.8.1"},
        folder / "epoch=35-step=1000000.ckpt",
    )
    standin_smpl.write_pickle(folder / "SMPL_to_J19.pkl", standin_smpl.standin_extra_joints())
    standin_smpl.write_pickle(folder / "smpl" / "SMPL_NEUTRAL.pkl", standin_smpl.standin_body())
    return data_dir


def settings(data_dir: Path, **changed: object) -> Settings:
    """Settings under which `ENGINE` serves on the CPU, finding people in `picture()`."""
    usual = {
        "engine": "4dhumans", "device": "cpu", "batch": 2, "picture_score": 0.25,
        "clip_score": 0.26,
    }  # fmt: skip
    return Settings.model_validate({"data_dir": data_dir, **usual, **changed})


def picture() -> ImageArray:
    """(344, 480, 3) uint8 RGB, in which the tiny detector takes one region for a person."""
    return np.ascontiguousarray(standin_vitdet.picture_rgb(344, 480))
