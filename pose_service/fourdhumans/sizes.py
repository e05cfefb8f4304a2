"""How large the nets are, and their files: the official ones, or small ones of the same build."""

from dataclasses import dataclass
from typing import Final

from pose_service.core.files import FileSource
from pose_service.hmr2.config import FULL, Hmr2Config
from pose_service.hmr2.files import ARCHIVE
from pose_service.vitdet.config import VitDetConfig
from pose_service.vitdet.files import DETECTOR_SOURCE


@dataclass(frozen=True)
class Sizes:
    """Both nets, the word for them in an answer's `model_version`, and where their files are from.

    `detector_source` holds the detector's checkpoint, `regressor_source` that of HMR 2.0 and the
    matrix of its further joints, in this order.
    """

    word: str
    detector: VitDetConfig
    regressor: Hmr2Config
    detector_source: FileSource = DETECTOR_SOURCE
    regressor_source: FileSource = ARCHIVE


OFFICIAL: Final = Sizes("vitdet-h+hmr2.0b", VitDetConfig(), FULL)
"""What the official checkpoints hold."""
