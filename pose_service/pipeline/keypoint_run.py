"""A clip to keypoints, by whichever nets there are: those of the picture's plane, or the engine."""

from dataclasses import replace
from pathlib import Path

from pose_service.pipeline.keypoint_bodies import keypoint_frames, model_of
from pose_service.pipeline.keypoint_nets import KeypointNets, keypoints_by_nets
from pose_service.pipeline.keypoint_results import KeypointRun
from pose_service.pipeline.keypoint_wish import Angles
from pose_service.pipeline.sights import Elsewhere
from pose_service.pipeline.video import ClipOptions, ClipWatch, NetRunner, process_clip


class KeypointMaker:
    """`nets` see keypoints; where there are none, `why_not` says so and the engine's joints serve.

    Joints in space are the engine's alone, so that it serves too where they are asked for.
    """

    def __init__(self, hub: NetRunner, nets: KeypointNets | None, why_not: str) -> None:
        self._hub = hub
        self._nets = nets
        self._why_not = why_not

    def run(
        self,
        source: Path,
        options: ClipOptions,
        angles: Angles,
        scratch: Path,
        watch: ClipWatch,
        *,
        kept: Path | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> KeypointRun:
        """See `pipeline.video.process_clip`; `kept` and `elsewhere` are for the engine."""
        if self._nets is not None and angles is not Angles.SPACE:
            return keypoints_by_nets(source, self._nets, options, scratch, watch)
        wanted = replace(options, landmarks=True)
        run = process_clip(
            source, self._hub, wanted, scratch, watch, kept=kept, elsewhere=elsewhere
        )
        engine = self._hub.wait(0)
        why = self._why_not if self._nets is None else ""
        return KeypointRun(
            info=run.info,
            primary_id=run.primary_id,
            model=model_of(engine, why),
            frames=keypoint_frames(run.frames, engine.body),
            close=run.close,
        )
