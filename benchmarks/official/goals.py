"""The goals for an H200, by the names of the figures that are held against them."""

from benchmarks.figures import Figure, Goal

FRAME = "detect: ViTDet-H, a frame"
CROP = "regress: HMR 2.0, a crop"
EVERY_FRAME = "detector every frame"
EVERY_FIFTH = "detector every 5th frame"
GPU_MEMORY = "most GPU memory"

ON_CARD = {
    FRAME: ("ms", Goal(28)),
    CROP: ("ms", Goal(1)),
    EVERY_FRAME: ("frames/s", Goal(30, at_least=True)),
    EVERY_FIFTH: ("frames/s", Goal(75, at_least=True)),
    GPU_MEMORY: ("GB", Goal(6)),
}
"""In bfloat16; a frame has 1280 x 720 pixels and one person, crops come 16 at a time."""

# Of the time that a plain matrix product of the same size takes, in both backbones.
MATMUL_PERCENT = Goal(80, at_least=True)


def not_measured() -> list[Figure]:
    """Every goal for a card, where there is none."""
    bound = "no CUDA device"
    return [Figure(name, unit, [], goal, bound) for name, (unit, goal) in ON_CARD.items()]
