"""The ONNX files of the 2D nets: where they are handed out and how the right ones are known.

OpenMMLab hands RTMPose and YOLOX out as archives, each with one `end2end.onnx`; rtmlib keeps them
unpacked. Neither publishes checksums: those below are what public projects have pinned for the
unpacked files, at least two of them independently for each but YOLOX-X. A file with another one is
taken where its shapes are right. HRNet-W48 is handed out as a PyTorch checkpoint only:
docs/pose2d.md says how to export it.
"""

from dataclasses import dataclass
from typing import Any, Final

from pose_service.core.files import FileSource, OfficialFile, Packing, UpstreamFolder
from pose_service.pose2d.layouts import Kind
from pose_service.pose2d.opening import NetFile
from pose_service.runtime.opening.content import WantedFile

FOLDER: Final = "pose2d"
_ADDRESS: Final = "https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/onnx_sdk"
_LICENCE: Final = "handed out by MMPose, whose code is Apache-2.0; the weights state no own terms"
_RTMLIB: Final = (UpstreamFolder("~/.cache/rtmlib", "hub/checkpoints", "TORCH_HOME"),)
_BY_HAND: Final = "Put it into {folder}: docs/pose2d.md says how it is made."


@dataclass(frozen=True)
class Net:
    """One network: what callers are told that it is, its file, and what must be in that."""

    title: str
    source: FileSource
    opened_as: NetFile

    @property
    def file(self) -> OfficialFile:
        return self.source.files[0]


@dataclass(frozen=True)
class Mode:
    """What one word of `POSE_KEYPOINT_MODE` takes, as the same word of rtmlib does."""

    detector: Net
    rtmpose: Net


def _official(title: str, stem: str, mode: str, sha256: str, opened_as: NetFile) -> Net:
    """A net out of OpenMMLab's archive `stem`, whatever the folders in it are called."""
    remedy = f"Run `python -m pose_service fetch-weights pose2d --mode {mode}`."
    file = _file(f"{stem}.onnx", opened_as, remedy, sha256=sha256, elsewhere=_RTMLIB)
    name = f"{stem}.zip"
    source = FileSource(name, (("*/end2end.onnx", file),), Packing.ZIP, (f"{_ADDRESS}/{name}",))
    return Net(title, source, opened_as)


def _by_hand(title: str, opened_as: NetFile, *names: str) -> Net:
    """A net that its user makes, under one of `names`."""
    file = _file(names[0], opened_as, _BY_HAND, other_names=names[1:])
    return Net(title, FileSource(names[0], ((names[0], file),)), opened_as)


def _file(name: str, opened_as: NetFile, remedy: str, **known: Any) -> OfficialFile:
    finds_people = Kind.BOXES in opened_as.kinds
    return OfficialFile(
        name=name,
        purpose="finds people" if finds_people else "finds 17 joints of a person",
        licence=_LICENCE,
        remedy=remedy,
        folder=FOLDER,
        glance=opened_as.check,
        check=opened_as.check,
        **known,
    )


def _keypoints(title: str, kind: Kind, size_px: tuple[int, int]) -> NetFile:
    return NetFile(WantedFile(title, "Give the file of this net."), (kind,), size_px)


def _boxes(title: str, side_px: int) -> NetFile:
    wanted = WantedFile(title, "Give the file of this net.")
    return NetFile(wanted, (Kind.BOXES, Kind.GRID), (side_px, side_px))


def _yolox(title: str, stem: str, mode: str, sha256: str) -> Net:
    side_px = 416 if mode == "lightweight" else 640
    return _official(title, stem, mode, sha256, _boxes(title, side_px))


def _rtmpose(title: str, stem: str, mode: str, sha256: str) -> Net:
    size_px = (288, 384) if mode == "performance" else (192, 256)
    return _official(title, stem, mode, sha256, _keypoints(title, Kind.SIMCC, size_px))


MODES: Final = {
    "performance": Mode(
        _yolox(
            "YOLOX-X", "yolox_x_8xb8-300e_humanart-a39d44ed", "performance",
            "8e9ea96a176bd48501eaaa77216e49ee30794d2f8ba80c7b9862beca4ea972da",
        ),
        _rtmpose(
            "RTMPose-XLarge", "rtmpose-x_simcc-body7_pt-body7_700e-384x288-71d7b7e9_20230629",
            "performance", "df0c0fa91e9870b1515dcaff741fd76cc753dcfb12786862f61b243bae81cd52",
        ),
    ),
    "balanced": Mode(
        _yolox(
            "YOLOX-M", "yolox_m_8xb8-300e_humanart-c2c7a14a", "balanced",
            "3dea6513388889f0fff4b77bf7a26013600321b9eb9ceb0e9a400a82572f5f23",
        ),
        _rtmpose(
            "RTMPose-Medium", "rtmpose-m_simcc-body7_pt-body7_420e-256x192-e48f03d0_20230504",
            "balanced", "5c0a4bf67953e6d2ac43ce15e77dc9d5d354ae18430a47d2c5963a7bc5683e3c",
        ),
    ),
    "lightweight": Mode(
        _yolox(
            "YOLOX-Tiny", "yolox_tiny_8xb8-300e_humanart-6f3252f9", "lightweight",
            "ceb11c07298f95c50d7c5abeb906d03340c85f23aa79e3e66966e7fb6c307250",
        ),
        _rtmpose(
            "RTMPose-Small", "rtmpose-s_simcc-body7_pt-body7_420e-256x192-acd4a1ef_20230504",
            "lightweight", "9aeb635b83f86aea45cf45d85798f7eba1a162de8e0d721c44e54fe5eebaf47d",
        ),
    ),
}  # fmt: skip

HRNET: Final = _by_hand(
    "HRNet-W48",
    _keypoints("HRNet-W48", Kind.HEATMAPS, (192, 256)),
    "td-hm_hrnet-w48_8xb32-210e_coco-256x192.onnx",
    "td-hm_hrnet-w48_8xb32-210e_coco-256x192-0e67c616_20220913.onnx",
)
RTMDETS: Final = (
    _by_hand("RTMDet-m", _boxes("RTMDet-m", 640), "rtmdet_m_640-8xb32_coco-person.onnx"),
    _by_hand("RTMDet-nano", _boxes("RTMDet-nano", 320), "rtmdet_nano_320-8xb32_coco-person.onnx"),
)
"""Detectors that stand in for YOLOX where one of them was put there."""
