"""Makes this folder's goldens from the project's reference pack: `thin.py PACK/hmr2 FOLDER`.

Arrays of more than 8192 values are kept as every 7919th value, round and round (see `thinned` in
`standin_hmr2.py`); what only a body model can answer, and OpenCV 5's crops, are left out.
"""

import sys
from pathlib import Path

import numpy as np
from standin_hmr2 import thinned

LEFT_OUT = ("smpl/", "out/pred_vertices", "pred_vertices", "patch_bgr_cv5_")


def thin(source: Path, target: Path) -> None:
    with np.load(source) as golden:
        kept = {
            name: thinned(golden[name]) for name in golden.files if not name.startswith(LEFT_OUT)
        }
    np.savez_compressed(target, allow_pickle=False, **kept)


if __name__ == "__main__":
    pack, folder = map(Path, sys.argv[1:])
    for name in ("golden_tiny.npz", "golden_crops.npz", "golden_full_sparse.npz"):
        thin(pack / name, folder / name)
