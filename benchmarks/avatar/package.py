"""Our measures beside those that the free body's own package defines (needs it: development)."""

from typing import Any

import numpy as np

from benchmarks.avatar.people import people
from pose_service.avatar.free.body_maker import mass_kg
from pose_service.avatar.people import DENSITY_KG_M3
from pose_service.bodies.shapes import PHENOTYPES, BodyShapes
from pose_service.core.arrays import FloatArray

_COUNT = 100


def package_chapter(seed: int) -> dict[str, Any]:
    """Stature, waist and volume of random adults by both, means and differences."""
    import anny
    import torch

    model = anny.Anny(skinning_method="lbs")
    theirs = anny.anthropometry.Anthropometry(model)
    pairs: dict[str, list[tuple[float, float]]] = {
        "height, cm": [], "waist, cm": [], "volume, litres": [],
    }  # fmt: skip
    for person in people(BodyShapes.load(), _COUNT, np.random.default_rng(seed)):
        numbers = dict(zip(PHENOTYPES, person.phenotypes.tolist(), strict=True))
        with torch.no_grad():
            vertices = model(phenotype_kwargs=numbers)["rest_vertices"]
        told = {name: float(value) for name, value in theirs(vertices).items()}
        litres = 1000 * mass_kg(person.body) / DENSITY_KG_M3
        pairs["height, cm"].append((100 * told["height"], person.values_cm["height"]))
        pairs["waist, cm"].append((100 * told["waist_circumference"], person.values_cm["waist"]))
        pairs["volume, litres"].append((1000 * told["volume"], litres))
    return {"people": _COUNT, "rows": {name: _row(np.array(rows)) for name, rows in pairs.items()}}


def _row(pairs: FloatArray) -> dict[str, float]:
    theirs, ours = pairs.T
    return {
        "package": round(float(theirs.mean()), 1),
        "ours": round(float(ours.mean()), 1),
        "difference": round(float((ours - theirs).mean()), 2),
        "sd_of_difference": round(float((ours - theirs).std()), 2),
        "correlation": round(float(np.corrcoef(theirs, ours)[0, 1]), 3),
    }
