"""PHALP's official arrays, opened without running anything of them, and checked."""

from pathlib import Path
from typing import Final

import numpy as np

from pose_service.core.arrays import FloatArray, IntArray, expect_shape
from pose_service.phalp.records import POSE_NUMBERS
from pose_service.phalp.texture.maps import TEXTURE_PX
