"""The rule that fills every tensor from its name and shape alone: stand-ins for official weights.

The reference tensors under `data/` were computed by upstream's code holding these values.
"""

import math
import zlib

import numpy as np
from numpy.typing import NDArray


def uniform(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """float32 from -1 to 1, the same for the same name and shape everywhere."""
    random = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    drawn: NDArray[np.float32] = random.random(size=shape, dtype=np.float32)
    return drawn * np.float32(2) - np.float32(1)


def plain_weight(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Matrices and kernels keep signals at about unit variance, norms scale by about 1."""
    values = uniform(name, shape)
    if not name.endswith("weight"):
        return np.float32(0.05) * values
    if len(shape) == 1:
        return np.float32(1) + np.float32(0.1) * values
    return np.asarray(values * np.sqrt(3 / math.prod(shape[1:])), np.float32)
