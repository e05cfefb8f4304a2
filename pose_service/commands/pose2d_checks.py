"""What the 2D nets of `/pose` need. Nothing of it is a problem: the engine's joints stand in."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from pose_service.commands.engine_checks import ROOT, look_at, packages
from pose_service.commands.findings import Finding, State
from pose_service.core.config import Settings, SettingsError
from pose_service.core.errors import EngineError
from pose_service.pose2d.config import ModelConfig, NetConfig, read_model_config
from pose_service.pose2d.files import HRNET, MODES, RTMDETS, Net
from pose_service.pose2d.layouts import Kind

_FOR_CARDS = "onnxruntime-gpu"
REQUIREMENTS = ROOT / "requirements-onnx.txt"
_ENGINE = "the engine's joints"
_HRNET_ELSE = f"HRNet-W48, else {_ENGINE}"


def nets_2d(settings: Settings, *, full: bool = False) -> Iterator[Finding]:
    """The file of settings, onnxruntime, and each net of the mode that is not switched off."""
    try:
        config = read_model_config(settings)
    except SettingsError as error:
        yield Finding("2D nets", State.PROBLEM, str(error), error.hint)
        return
    yield from _file_of_settings(config)
    yield from _runtime()
    mode = MODES[settings.keypoint_mode]
    for net, asked in ((mode.rtmpose, config.rtmpose), (HRNET, config.hrnet)):
        if (named := config.checkpoint_of(asked)) and asked.enabled:
            yield _named(net, named)
        else:
            yield _net(net, asked, settings, full=full)
    if config.rtmpose.enabled or config.hrnet.enabled:
        yield _detector(mode.detector, settings, full=full)


def _file_of_settings(config: ModelConfig) -> Iterator[Finding]:
    found = str(config.source) if config.source else "no file, everything at its default"
    yield Finding("2D nets", State.OK, found)
    if config.unknown:
        names = ", ".join(config.unknown)
        yield Finding(
            "2D nets", State.NOTE, f"fields that mean nothing to this version: {names}",
            "Look them up in docs/pose2d.md.",
        )  # fmt: skip
    for net in (config.rtmpose, config.hrnet):
        if net.checkpoint and config.checkpoint_of(net) is None:
            yield Finding(
                "2D nets", State.NOTE, f"checkpoint {net.checkpoint!r} is no ONNX file, not used",
                "Name an .onnx file, or take the field out: the usual file is looked for then.",
            )  # fmt: skip


def _runtime() -> Iterator[Finding]:
    """onnxruntime under the name that it was installed by."""
    try:
        version = metadata.version(_FOR_CARDS)
    except metadata.PackageNotFoundError:
        yield from packages(REQUIREMENTS, State.NOTE)
    else:
        yield Finding(_FOR_CARDS, State.OK, version)


def _named(net: Net, path: Path) -> Finding:
    """A file that the file of settings names."""
    try:
        net.opened_as.check(path)
    except EngineError as error:
        hint = "Correct or take out its `checkpoint` in the file of POSE_MODEL_CONFIG."
        return _told(net, Finding(net.title, State.NOTE, str(error), hint))
    return Finding(net.title, State.OK, f"{path} (named in `checkpoint`)")


def _net(net: Net, asked: NetConfig, settings: Settings, *, full: bool) -> Finding:
    if not asked.enabled:
        return Finding(net.title, State.OK, "switched off")
    return _told(net, look_at(net.file, settings, State.NOTE, full=full))


def _detector(own: Net, settings: Settings, *, full: bool) -> Finding:
    """The mode's own, or a stand-in that is there."""
    found = [look_at(net.file, settings, State.NOTE, full=full) for net in (own, *RTMDETS)]
    return _told(own, next((each for each in found if each.state is State.OK), found[0]))


def _told(net: Net, finding: Finding) -> Finding:
    if finding.state is State.OK:
        return Finding(net.title, State.OK, finding.detail)
    instead = _ENGINE if net is HRNET or Kind.BOXES in net.opened_as.kinds else _HRNET_ELSE
    detail = f"{finding.detail}. Without it /pose takes {instead}"
    return Finding(net.title, finding.state, detail, finding.remedy)
