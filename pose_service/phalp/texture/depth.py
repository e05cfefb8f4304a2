"""How far away the nearest surface is in each pixel of a crop, for many bodies at once.

The conventions are those of the renderer that official textures were made with (neural mesh
renderer, Kato et al. 2018, in the form 4D-Humans uses): both sides of a face are drawn, edges
belong to it, depth is right in perspective, and where there is nothing it is `FAR_M`.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import torch
from torch import Tensor

from pose_service.phalp.records import TEXTURE_PX

FOCAL_PX: Final = 5000.0
"""Of the crop's camera; its axis goes through the crop's middle."""
NEAR_M: Final = 0.1
FAR_M: Final = 100.0

_PIXELS: Final = TEXTURE_PX * TEXTURE_PX
_MIDDLE_PX: Final = (TEXTURE_PX - 1) / 2
# pairs of a face and a pixel of its box that are looked at together
_TOGETHER: Final = 1 << 18
# so that neighbours never both refuse a pixel on their common edge
_EDGE: Final = 1e-9


def depth_maps(vertices_m: Tensor, faces: Tensor) -> Tensor:
    """(people, 256, 256) float32 metres along z; pixel centres lie at half numbers.

    `vertices_m`: (people, vertices, 3) before the crop's camera, x right, y down, z away.
    `faces`: (faces, 3). A face that is not wholly in front of the camera, or not finite, is left
    out. In which order faces come does not matter, not even to the last bit.
    """
    people = len(vertices_m)
    depths = torch.full((people * _PIXELS,), FAR_M, dtype=torch.float64, device=vertices_m.device)
    drawn = _visible(vertices_m, faces)
    for some in _portions(drawn.counts):
        pixels, depths_m = _covered(drawn.part(some))
        depths.scatter_reduce_(0, pixels, depths_m, "amin")
    return depths.view(people, TEXTURE_PX, TEXTURE_PX).float()


class _Faces(NamedTuple):
    """n faces of all people that may be seen.

    `corners`: (n, 3 corners, 3) column, row (pixel centres at whole numbers) and 1 / z, float64.
    `first`: (n,) place of the upper left pixel of its box among all people's pixels, `columns`
    (n,) how many are in a row of it, `counts` (n,) in all.
    """

    corners: Tensor
    first: Tensor
    columns: Tensor
    counts: Tensor

    def part(self, some: slice) -> "_Faces":
        return _Faces(*(each[some] for each in self))


def _visible(vertices_m: Tensor, faces: Tensor) -> _Faces:
    # in float32 the noise of a depth of 40 m is as large as what decides what is hidden
    x, y, z = vertices_m.double().unbind(-1)
    scale = FOCAL_PX / (z + 1e-9)
    vertices = torch.stack([x * scale + _MIDDLE_PX, y * scale + _MIDDLE_PX, 1 / z], dim=-1)
    # NaN fails every comparison
    usable = (z > NEAR_M) & vertices.isfinite().all(-1)
    person, face = usable[:, faces].all(-1).nonzero(as_tuple=True)
    corners = vertices[person[:, None], faces[face]]
    low = corners[..., :2].amin(1).ceil().clamp(min=0)
    high = corners[..., :2].amax(1).floor().clamp(max=TEXTURE_PX - 1)
    kept = (low <= high).all(-1)
    low, high = low[kept].long(), high[kept].long()
    columns, rows = (high - low + 1).unbind(-1)
    first = person[kept] * _PIXELS + low[:, 1] * TEXTURE_PX + low[:, 0]
    return _Faces(corners[kept], first, columns, columns * rows)


def _portions(counts: Tensor) -> Iterator[slice]:
    """Runs of faces that have about `_TOGETHER` pixels in their boxes, one face at least."""
    ends = torch.bincount(counts.cumsum(0) // _TOGETHER).cumsum(0).tolist()
    yield from (slice(first, end) for first, end in zip([0, *ends], ends, strict=False))


def _covered(faces: _Faces) -> tuple[Tensor, Tensor]:
    """Every pixel that a face covers, once for each: its place among all, and the depth there."""
    owner = torch.repeat_interleave(faces.counts)
    within = torch.arange(len(owner), device=owner.device)
    within -= (faces.counts.cumsum(0) - faces.counts)[owner]
    columns = faces.columns[owner]
    pixel = faces.first[owner] + within // columns * TEXTURE_PX + within % columns
    column, row = pixel % TEXTURE_PX, pixel // TEXTURE_PX % TEXTURE_PX
    of_column, of_row, constant = _planes(faces.corners)[owner].unbind(1)
    values = constant + of_column * column[:, None] + of_row * row[:, None]
    depths_m = 1 / values[:, 3]
    inside = (values[:, :3] >= -_EDGE).all(-1) & (depths_m > NEAR_M) & (depths_m < FAR_M)
    return pixel[inside], depths_m[inside]


def _planes(corners: Tensor) -> Tensor:
    """(n, 3, 4): what a column more, a row more and the first pixel give of four linear functions.

    The first three are the corners' weights in the picture, the last is 1 / z. Those of a face
    that is seen as a line are no numbers: it covers nothing.
    """
    a, b, c = corners.unbind(1)
    (ab_x, ab_y, ab_z), (ac_x, ac_y, ac_z) = (b - a).unbind(-1), (c - a).unbind(-1)
    doubled_area = ab_x * ac_y - ab_y * ac_x
    of_b = torch.stack([ac_y, -ac_x], 1) / doubled_area[:, None]
    of_c = torch.stack([-ab_y, ab_x], 1) / doubled_area[:, None]
    of_z = of_b * ab_z[:, None] + of_c * ac_z[:, None]
    steps = torch.stack([-of_b - of_c, of_b, of_c, of_z], -1)
    one, none = torch.ones_like(doubled_area), torch.zeros_like(doubled_area)
    at_a = torch.stack([one, none, none, a[:, 2]], -1)
    constant = at_a - (steps * a[:, :2, None]).sum(1)
    return torch.cat([steps, constant[:, None]], 1)
