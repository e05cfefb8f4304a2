"""Stand-in weights and pictures for HMR 2.0: every number follows from a name and a shape.

The official weights may not be shipped. The goldens in `data/hmr2` were computed by the official
code holding exactly these values.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from standin import plain_weight, uniform

from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.hmr2.checkpoint import official_shapes
from pose_service.hmr2.config import Hmr2Config

# readouts are shrunk, so that poses and cameras stay plausible
READOUT_FACTORS = {
    "smpl_head.decpose.weight": 0.10,
    "smpl_head.decshape.weight": 0.20,
    "smpl_head.deccam.weight": 0.03,
}

BOXES_XYXY_PX = np.array(
    [
        [310.25, 120.5, 470.75, 560.0],
        [720.0, 400.0, 1130.5, 620.25],
        [-220.5, -60.0, 520.0, 1120.75],
        [400.0, 200.0, 460.0, 300.0],
        [100.0, 90.0, 196.0, 218.0],
        [10.5, 20.25, 1250.0, 880.0],
        [1020.0, -30.0, 1330.0, 260.0],
    ],
    np.float32,
)
"""Seven people in the 1280 x 900 picture; the first three are those of the small network's run."""


def parameter(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The stand-in of one tensor of HMR 2.0."""
    return plain_weight(name, shape) * np.float32(READOUT_FACTORS.get(name, 1.0))


def mean_parameters() -> dict[str, FloatArray]:
    """The three `init_*` buffers: a mean pose near rest, in the model's own 6D layout."""
    rest = np.tile([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], 24)
    values = {
        "init_body_pose": rest + 0.05 * uniform("standin.mean.pose", (144,)).astype(np.float64),
        "init_betas": 0.1 * uniform("standin.mean.shape", (10,)).astype(np.float64),
        "init_cam": np.array([0.9, 0.0, 0.0]),
    }
    return {f"smpl_head.{name}": value[None].astype(np.float32) for name, value in values.items()}


def official_state(config: Hmr2Config) -> dict[str, torch.Tensor]:
    """What an official checkpoint's `state_dict` would hold, body model and discriminator apart."""
    mean = mean_parameters()
    return {
        name: torch.from_numpy(mean[name] if name in mean else parameter(name, shape))
        for name, shape in official_shapes(config).items()
    }


def picture(height_px: int = 900, width_px: int = 1280) -> ImageArray:
    """A sharp pattern without symmetry, (height, width, 3) uint8 RGB."""
    y, x = np.arange(height_px)[:, None], np.arange(width_px)
    blue_green_red = [
        x * (3 + c) // 4 + y * (5 - c) // 3 + x * y // (700 + 150 * c)
        + 60 * ((x // 48 + y // 36) % 2) + 17 * (x // 5 % 3) + 40 * c
        for c in range(3)
    ]  # fmt: skip
    return (np.stack(blue_green_red[::-1], axis=-1) % 256).astype(np.uint8)


def person_mask(height_px: int = 900, width_px: int = 1280) -> ImageArray:
    """0 and 255, (height, width)."""
    y, x = np.arange(height_px)[:, None], np.arange(width_px)
    return np.where((y // 40 + x // 40) % 3 == 0, 255, 0).astype(np.uint8)


KEPT = 8192
"""Values that a golden keeps of a larger array."""


def golden(name: str) -> dict[str, NDArray[Any]]:
    """The arrays of one file of `data/hmr2`."""
    with np.load(Path(__file__).parent / "data" / "hmr2" / f"{name}.npz") as arrays:
        return dict(arrays)


def thinned(array: NDArray[Any], count: int = KEPT) -> NDArray[Any]:
    """At most `count` values of `array`: every 7919th, round and round."""
    flat = array.reshape(-1)
    return flat[np.arange(count) * 7919 % flat.size] if flat.size > count else array


def assert_golden(actual: Any, wanted: NDArray[Any], limit: float) -> None:
    """`actual` (array or tensor), thinned as `wanted` is, is nowhere farther off than `limit`."""
    values = thinned(np.asarray(actual), max(wanted.size, 1)).reshape(wanted.shape)
    np.testing.assert_allclose(values, wanted, rtol=0, atol=limit)
