"""Which 2D nets are taken here: RTMPose, else HRNet, else none, with the reason of each step."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.core.keypoints import KeypointModel
from pose_service.pose2d.config import ModelConfig, NetConfig
from pose_service.pose2d.detectors import RTMDET_COLOURS, YOLOX_COLOURS, BoxNet
from pose_service.pose2d.files import HRNET, MODES, RTMDETS, Net
from pose_service.pose2d.keypoint_nets import TopDownNet
from pose_service.pose2d.seam import NotChosen, Pose2D
from pose_service.pose2d.session import INSTALL, Seat, is_installed, seat_for
from pose_service.runtime.weights import lacking, located

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Candidate:
    """A net for keypoints that may be taken, what is asked of it, and a file that a user named."""

    net: Net
    asked: NetConfig
    named: Path | None
    setting: str


def choose(settings: Settings, config: ModelConfig) -> Pose2D | NotChosen:
    """The first of RTMPose and HRNet that is enabled, here and can be loaded, with a detector.

    The words of `POSE_KEYPOINT_MODE` choose RTMPose's size and the detector. Loads nets: seconds.
    What was passed over, and why, is in `model.fallback` or, where nothing is left, the reason.
    """
    if not is_installed():
        return NotChosen("onnxruntime is not installed", INSTALL)
    batch = settings.batch if config.performance.batch_processing else 1
    seat = seat_for(settings, batch=batch)
    passed_over: list[EngineError] = []
    for candidate in _candidates(settings, config):
        try:
            return _opened(candidate, settings, seat, passed_over)
        except EngineError as error:
            _log.info("%s is not taken: %s", candidate.net.title, error)
            passed_over.append(error)
    hints = [error.hint for error in passed_over if error.hint]
    remedies = dict.fromkeys([*_other_modes(settings), *hints])
    return NotChosen(_reasons(passed_over), " ".join(remedies))


def _other_modes(settings: Settings) -> Iterator[str]:
    """What to set where the files of another word are here."""
    for word, mode in MODES.items():
        if not (lacking(mode.detector.source, settings) or lacking(mode.rtmpose.source, settings)):
            yield f"The files of {word} are here: set POSE_KEYPOINT_MODE={word}."


def _candidates(settings: Settings, config: ModelConfig) -> Iterator[_Candidate]:
    rtmpose = MODES[settings.keypoint_mode].rtmpose
    named = config.checkpoint_of(config.rtmpose)
    yield _Candidate(rtmpose, config.rtmpose, named, "RTMPOSE_ENABLED")
    if config.rtmpose.hands_on:
        named = config.checkpoint_of(config.hrnet)
        yield _Candidate(HRNET, config.hrnet, named, "HRNET_ENABLED")


def _opened(
    candidate: _Candidate, settings: Settings, seat: Seat, passed_over: list[EngineError]
) -> Pose2D:
    net = candidate.net
    if not candidate.asked.enabled:
        raise EngineError(f"{net.title} is switched off", hint=f"Set {candidate.setting}=true.")
    path = candidate.named or _here(net, settings)
    detector, found_by = _detector(settings, seat)
    loaded, layout = net.opened_as.open(path, seat)
    model = KeypointModel(
        name=net.title,
        version=path.stem,
        precision=loaded.precision,
        axes=2,
        fallback="; ".join(filter(None, (_reasons(passed_over), found_by, loaded.without_card))),
    )
    _log.info("%s (%s) is taken, on %s", net.title, path, "a card" if loaded.on_card else "the CPU")
    return Pose2D(detector, TopDownNet(loaded, layout), model)


def _detector(settings: Settings, seat: Seat) -> tuple[BoxNet, str]:
    """The mode's own detector, else one of RTMDet's that somebody put there, and then which."""
    own = MODES[settings.keypoint_mode].detector
    # some files that say they take any number sort out the boxes of one
    seat = replace(seat, batch=1)
    failures: list[EngineError] = []
    for net in (own, *RTMDETS):
        try:
            loaded, layout = net.opened_as.open(_here(net, settings), seat)
        except EngineError as error:
            failures.append(error)
            continue
        if net is own:
            return BoxNet(loaded, layout, YOLOX_COLOURS), ""
        return BoxNet(loaded, layout, RTMDET_COLOURS), f"people are found by {net.title}"
    raise failures[0]


def _here(net: Net, settings: Settings) -> Path:
    try:
        return located(net.file, settings)
    except EngineError as error:
        raise EngineError(f"{net.title}: {error}", hint=error.hint) from error


def _reasons(errors: list[EngineError]) -> str:
    return "; ".join(dict.fromkeys(str(error).rstrip(".") for error in errors))
