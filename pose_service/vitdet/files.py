"""The detector's official checkpoint: where it is handed out and how the right one is known."""

import hashlib
from pathlib import Path

from pose_service.core.errors import EngineError
from pose_service.core.files import FileSource, OfficialFile, UpstreamFolder, fetch_remedy
from pose_service.runtime.opening.content import Content, WantedFile, require

_ADDRESS = "ViTDet/COCO/cascade_mask_rcnn_vitdet_h/f328730692"
_NAME = "model_final_f05665.pkl"
_MD5_BEGINS = "f05665"
_SHA256 = "8601bc52000c8a87960f3db6a9672596c5e06ce33bc30a3b8f96a96efe42ae60"
_REMEDY = fetch_remedy("4dhumans")
_WANTED = WantedFile("the detector's checkpoint", _REMEDY)


def _glance(path: Path) -> None:
    require(path, _WANTED, Content.PICKLE)


def _check_md5(path: Path) -> None:
    """detectron2 puts the beginning of a model's MD5 into its name (`MODEL_ZOO.md`)."""
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))
    if not found.hexdigest().startswith(_MD5_BEGINS):
        raise EngineError(
            f"{path} is not {_NAME}, or is damaged: its SHA-256 is not {_SHA256}, and its MD5 "
            f"{found.hexdigest()} does not begin with {_MD5_BEGINS}",
            hint=f"Delete it. {_REMEDY}",
        )


DETECTOR = OfficialFile(
    name=_NAME,
    purpose="finds people (ViTDet-H, Cascade Mask R-CNN, trained on COCO)",
    licence="handed out by detectron2, whose code is Apache-2.0 and whose model zoo is "
    "CC BY-SA 3.0; of this model it says nothing of its own",
    remedy=_REMEDY,
    folder="4dhumans",
    sha256=_SHA256,
    least_bytes=4 * 691_468_958,  # its float32 numbers alone
    glance=_glance,
    check=_check_md5,
    elsewhere=(UpstreamFolder("~/.torch/iopath_cache", f"detectron2/{_ADDRESS}", "FVCORE_CACHE"),),
)
DETECTOR_SOURCE = FileSource(
    name=_NAME,
    members=((_NAME, DETECTOR),),
    urls=(f"https://dl.fbaipublicfiles.com/detectron2/{_ADDRESS}/{_NAME}",),
    sha256=_SHA256,
)
