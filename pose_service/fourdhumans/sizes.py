"""How large the nets are, and their files: the official ones, or small ones of the same build."""

from dataclasses import dataclass
from typing import Final

from pose_service.blazepose.files import FACES
from pose_service.core.files import FileSource
from pose_service.hmr2.config import FULL, Hmr2Config
from pose_service.hmr2.files import ARCHIVE
from pose_service.phalp.files import PHALP_EXTRA_SOURCES, PHALP_SOURCES
from pose_service.vitdet.config import VitDetConfig
from pose_service.vitdet.files import DETECTOR_SOURCE


@dataclass(frozen=True)
class Sizes:
    """Detector and regressor, the word for both in an answer's `model_version`, and all files.

    `detector_source` holds the detector's checkpoint, `regressor_source` that of HMR 2.0 and the
    matrix of its further joints, in this order. `phalp_sources` hold PHALP's files, all of which
    are needed for its nets to be used; `phalp_extra_sources` those that may be missing even then.
    `face_sources` hold the networks that look for a face before an avatar is made.
    """

    word: str
    detector: VitDetConfig
    regressor: Hmr2Config
    detector_source: FileSource = DETECTOR_SOURCE
    regressor_source: FileSource = ARCHIVE
    phalp_sources: tuple[FileSource, ...] = PHALP_SOURCES
    phalp_extra_sources: tuple[FileSource, ...] = PHALP_EXTRA_SOURCES
    face_sources: tuple[FileSource, ...] = (FACES,)


OFFICIAL: Final = Sizes("vitdet-h+hmr2.0b", VitDetConfig(), FULL)
"""What the official checkpoints hold."""
