"""One crowd tracked in both ways, timed frame by frame."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from benchmarks.official.clock import seconds
from benchmarks.phalp.crowd import CrowdFrame, crowd
from benchmarks.phalp.encoders import CountedEncoder, SinglePasses, stand_in_encoder
from benchmarks.phalp.upstream_order import UpstreamOrder
from pose_service.phalp.appearance.looks import TextureLooks
from pose_service.phalp.parts import newest_poses
from pose_service.phalp.tracker import PhalpTracker

WARM_UP = 8
"""Frames before the timed ones: by then every track has seven sights and is believed."""

TrackIds = tuple[int, ...]
Step = Callable[[CrowdFrame], TrackIds]


@dataclass(frozen=True)
class Run:
    """`ms` of each timed frame; `encoded`: textures that went through the encoder in all of them.

    `track_ids` of every frame's detections, of the warm-up's too.
    """

    ms: list[float]
    encoded: int
    track_ids: list[TrackIds]


@dataclass(frozen=True)
class Bed:
    """`people`: sizes of crowds, of which upstream's order is run on those up to `compared`.

    `frames`: how many are timed where nets run, and `light_frames` where none does.
    """

    device: torch.device
    people: tuple[int, ...] = (1, 4, 10, 40)
    compared: int = 10
    frames: int = 3
    light_frames: int = 50

    def without_looks(self, people: int) -> Run:
        """The tracker as it is, told nothing of looks."""
        tracker: PhalpTracker[Tensor] = PhalpTracker()

        def step(frame: CrowdFrame) -> TrackIds:
            return tracker.step(frame.index, frame.detections).track_ids

        return self._run(people, self.light_frames, step)

    def with_textures(self, people: int) -> Run:
        """The same with textures cut and mixed; the encoder sleeps."""
        return self._run(people, self.light_frames, _ours(stand_in_encoder(self.device)))

    def with_looks(self, people: int) -> Run:
        """Ours with its encoder, deciding as upstream does."""
        encoder = stand_in_encoder(self.device)
        return self._run(people, self.frames, _ours(encoder), encoder)

    def in_upstreams_order(self, people: int) -> Run:
        encoder = stand_in_encoder(self.device)
        tracker = UpstreamOrder(SinglePasses(encoder), newest_poses)

        def step(frame: CrowdFrame) -> TrackIds:
            return tracker.step(frame.index, frame.detections, frame.textures)

        return self._run(people, self.frames, step, encoder)

    def _run(
        self, people: int, frames: int, step: Step, encoder: CountedEncoder | None = None
    ) -> Run:
        """`encoder` is woken for the timed frames, after one pass that nobody counts."""
        track_ids: list[TrackIds] = []
        ms = []
        for frame in crowd(people, WARM_UP + frames, self.device):
            if frame.index == WARM_UP and encoder is not None:
                encoder.wake(frame.textures[0])
            work = partial(_keep, track_ids, step, frame)
            ms.append(1000 * seconds(work, self.device))
        return Run(ms[WARM_UP:], encoder.encoded if encoder else 0, track_ids)


def _ours(encoder: CountedEncoder) -> Step:
    tracker = PhalpTracker(newest_poses, TextureLooks(encoder), compat="upstream")

    def step(frame: CrowdFrame) -> TrackIds:
        return tracker.step(frame.index, frame.detections, frame.textures).track_ids

    return step


def _keep(track_ids: list[TrackIds], step: Step, frame: CrowdFrame) -> None:
    track_ids.append(step(frame))
