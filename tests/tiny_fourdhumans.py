"""The 4dhumans engine in small: every step from official-format files to bodies, in seconds.

Its nets have the official build at a tiny size and stand-in weights; the body is a stand-in of full
size: `official_files` writes them. `ENGINE` takes the place of the real engine where a test hands
it in, or where `PLUG_IN` is on the path: a distribution that has it as an entry point.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import standin_vitdet

from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.files import Check, FileSource
from pose_service.engines.fourdhumans import recipe
from pose_service.fourdhumans.sizes import Sizes
from pose_service.hmr2 import files as hmr2_files
from pose_service.hmr2.checkpoint import check_official
from pose_service.hmr2.config import TINY
from pose_service.hmr2.files import ARCHIVE, CHECKPOINT
from pose_service.phalp.files import PHALP_EXTRA_SOURCES, PHALP_SOURCES
from pose_service.runtime.opening.detectron2 import open_detectron2
from pose_service.runtime.opening.lightning import open_lightning
from pose_service.vitdet import checkpoint as vitdet_checkpoint
from pose_service.vitdet.files import DETECTOR, DETECTOR_SOURCE

PLUG_IN = Path(__file__).parent / "tiny_4dhumans"

SCORE = 0.2762
"""Of the one region that the tiny detector takes for a person in `picture()`."""

# Of the float32 numbers alone. They and the checks, which would expect the official sizes, are
# all that differs from the official files.
_LEAST_BYTES = {DETECTOR.name: 3_236_024, CHECKPOINT.name: 1_310_056}


def _check_detector(path: Path) -> None:
    arrays = open_detectron2(path, DETECTOR.remedy)
    vitdet_checkpoint.build(standin_vitdet.TINY, arrays, standin_vitdet.OPS)


def _check_checkpoint(path: Path) -> None:
    hmr2_files._check_sums(path)
    check_official(open_lightning(path, CHECKPOINT.remedy), TINY)


_CHECKS: Mapping[str, Check] = {
    DETECTOR.name: _check_detector,
    CHECKPOINT.name: _check_checkpoint,
}


def _small(source: FileSource) -> FileSource:
    """`source` with tiny files, known by their content alone, and at no address of the world's."""
    members = tuple(
        (
            place,
            replace(
                file,
                size_bytes=None,
                sha256=None,
                least_bytes=_LEAST_BYTES.get(file.name, file.least_bytes),
                check=_CHECKS.get(file.name, file.check),
            ),
        )
        for place, file in source.members
    )
    nowhere = (f"http://127.0.0.1:9/{source.name}",)
    return replace(source, members=members, urls=nowhere, size_bytes=None, sha256=None)


SIZES = Sizes(
    word="tiny",
    detector=standin_vitdet.TINY,
    regressor=TINY,
    detector_source=_small(DETECTOR_SOURCE),
    regressor_source=_small(ARCHIVE),
    phalp_sources=tuple(map(_small, PHALP_SOURCES)),
    phalp_extra_sources=tuple(map(_small, PHALP_EXTRA_SOURCES)),
    face_sources=(),
)
ENGINE = recipe(SIZES)


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
