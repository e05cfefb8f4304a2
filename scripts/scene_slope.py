"""A snow slope under mountains and sky, for make_readme_picture; everything is drawn, nothing read.

Colours are (height, width, 3) floats, 0 to 255.
"""

import cv2
import numpy as np

from pose_service.core.arrays import FloatArray

SKY_TOP, SKY_LOW, CLOUD = (64, 120, 190), (190, 214, 236), (250, 250, 252)
ROCK, FAR_SNOW, HAZE = (92, 102, 122), (226, 234, 244), (196, 214, 234)
SNOW_LIT, SNOW_SHADE = (246, 248, 252), (176, 196, 226)


def smooth_noise(
    height: int, width: int, cells: int, random: np.random.Generator, octaves: int = 5
) -> FloatArray:
    """(height, width), about -1 to 1: random grids, each twice as fine and half as loud."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        count = cells * 2**octave
        grid = random.uniform(-1, 1, (max(2, count * height // width), count)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    return total


def sky(height: int, width: int, random: np.random.Generator) -> FloatArray:
    down = np.linspace(0, 1, height)[:, None, None] ** 0.8
    blue = (1 - down) * SKY_TOP + down * np.array(SKY_LOW)
    stretched = cv2.resize(smooth_noise(height, width // 3, 3, random), (width, height))
    clouds = np.clip(stretched - 0.35, 0, 0.9)[..., None] * 0.7
    return (1 - clouds) * blue + clouds * np.array(CLOUD)


def add_ridge(
    picture: FloatArray, top: float, rough: float, haze: float, random: np.random.Generator
) -> FloatArray:
    """A range of mountains whose mean crest lies at `top`, a share of the height."""
    height, width = picture.shape[:2]
    folded = np.abs(smooth_noise(8, width, 7, random, octaves=7)[4])
    crest = height * (top + rough * (2 * folded - 1))
    rows = np.arange(height)[:, None]
    depth = (rows - crest) / height
    # folded noise has sharp ridges, as rock has
    texture = 1 - 2 * np.abs(smooth_noise(height, width, 9, random, octaves=7))
    light = np.gradient(texture, axis=1) - 0.5 * np.gradient(texture, axis=0)
    light = cv2.GaussianBlur(light, (0, 0), 2) * width / 14
    snowy = np.clip(0.5 + 4 * (0.35 * texture + 0.30 - 2.2 * depth), 0, 1)[..., None]
    colour = snowy * FAR_SNOW + (1 - snowy) * np.array(ROCK)
    colour = colour * np.clip(0.85 + 0.25 * light, 0.5, 1.12)[..., None]
    colour = (1 - haze) * colour + haze * np.array(HAZE)
    inside = np.clip(rows - crest, 0, 1)[..., None]
    return (1 - inside) * picture + inside * colour


def add_snow(
    picture: FloatArray, across_m: FloatArray, away_m: FloatArray, random: np.random.Generator
) -> FloatArray:
    """The slope, given where each pixel's ray meets it (NaN where it does not), in metres."""
    size = 1024
    bumps = cv2.GaussianBlur(smooth_noise(size, size, 6, random, octaves=8), (0, 0), 1.5)
    relief = np.gradient(bumps, axis=1) - 0.5 * np.gradient(bumps, axis=0)
    wide, fine = (
        cv2.remap(
            relief.astype(np.float32),
            (across_m * scale % size).astype(np.float32),
            (away_m * scale % size).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        )
        for scale in (9.0, 60.0)
    )
    fading = np.exp(-np.abs(away_m) / 10)
    lit = np.clip(0.70 + 9.0 * wide + 5.0 * fine * fading, 0, 1)[..., None]
    snow = lit * SNOW_LIT + (1 - lit) * np.array(SNOW_SHADE)
    mist = np.clip((away_m - 8) / 60, 0, 0.6)[..., None]
    snow = (1 - mist) * snow + mist * np.array(HAZE)
    return np.where(np.isnan(away_m)[..., None], picture, snow)
