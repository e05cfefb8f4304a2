"""A clip to keypoints, by whichever nets there are: those of the picture's plane, or the engine."""

from dataclasses import dataclass, replace
from pathlib import Path

from pose_service.pipeline.keypoint_bodies import keypoint_frames, model_of
from pose_service.pipeline.keypoint_nets import keypoints_by_nets
from pose_service.pipeline.keypoint_results import KeypointRun
from pose_service.pipeline.keypoint_wish import Angles
from pose_service.pipeline.sights import Elsewhere
from pose_service.pipeline.video import ClipOptions, ClipWatch, NetRunner, process_clip
from pose_service.pose2d.seam import NotChosen, Pose2D


@dataclass(frozen=True)
class KeypointJob:
    """The clip `source`, where `angles` are wanted, and a folder for what is of use meanwhile.

    `kept`, `elsewhere`: see `pipeline.video.process_clip`; they are for the engine.
    """

    source: Path
    angles: Angles
    scratch: Path
    kept: Path | None = None
    elsewhere: Elsewhere | None = None


@dataclass(frozen=True)
class KeypointMaker:
    """`nets` see keypoints in the picture; where there are none the engine's joints serve.

    Joints in space are the engine's alone, so that it serves too where they are asked for.
    """

    hub: NetRunner
    nets: Pose2D | NotChosen

    def run(self, job: KeypointJob, options: ClipOptions, watch: ClipWatch) -> KeypointRun:
        """Raises as `pipeline.video.process_clip` does."""
        if isinstance(self.nets, Pose2D) and job.angles is not Angles.SPACE:
            return keypoints_by_nets(job.source, self.nets, options, job.scratch, watch)
        run = process_clip(
            job.source,
            self.hub,
            replace(options, keypoints=True),
            job.scratch,
            watch,
            kept=job.kept,
            elsewhere=job.elsewhere,
        )
        engine = self.hub.wait(0)
        why = _brief(self.nets.reason) if isinstance(self.nets, NotChosen) else ""
        return KeypointRun(
            info=run.info,
            primary_id=run.primary_id,
            model=model_of(engine, why),
            frames=keypoint_frames(run.frames, engine.body),
            close=run.close,
        )


def _brief(reason: str) -> str:
    """What is missing, for callers; where it was looked for is the doctor's to say.

    >>> _brief("A: a.onnx is missing: sees joints. Looked in: /home/me; B is switched off")
    'A: a.onnx is missing; B is switched off'
    """
    sentences = (part.partition(". ")[0] for part in reason.split("; "))
    return "; ".join(": ".join(sentence.split(": ")[:2]) for sentence in sentences)
