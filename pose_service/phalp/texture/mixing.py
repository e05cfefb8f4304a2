"""What a track remembers of a person's look: new texels replace old ones, slowly where both are.

After `Track.update` of PHALP (`phalp/trackers/track.py`).
"""

import torch
from torch import Tensor

from pose_service.core.arrays import FloatArray, expect_shape

_NEWNESS = 0.1


def mixed(old: Tensor, new: Tensor, scores: FloatArray) -> Tensor:
    """(n, 4, 256, 256) float32: remembered textures `old` after the detections' `new` ones.

    `scores`: (n,) of the detections; where both show a texel the new colour counts 0.1 score².
    Upstream keeps float64, but rounds it whenever it compares.
    """
    expect_shape("scores", scores, (len(new),))
    weight = torch.as_tensor(_NEWNESS * scores**2, dtype=torch.float32, device=new.device)
    old_seen, new_seen = old[:, 3:] == 1, new[:, 3:] == 1
    share = torch.where(old_seen, weight.view(-1, 1, 1, 1), 1.0) * new_seen
    # the mask's 1 and -1 come out right, too: where neither shows anything both are -1
    return torch.lerp(old, new, share)
