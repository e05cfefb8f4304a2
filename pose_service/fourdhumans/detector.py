"""ViTDet behind the seam: pictures to regions where people are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.masks import Mask
from pose_service.core.records import NEW_TRACK, Look, Regions
from pose_service.runtime.memory import MemoryGuard
from pose_service.vitdet.config import PERSON
from pose_service.vitdet.detector import Detections, detect
from pose_service.vitdet.model import VitDet

# the threshold that official code gives the detector itself; `demo.py` and the tracker then keep
# less of what it finds
_THOROUGH_SCORE = 0.25
# where people are followed from one picture to the next, which asks for their masks
_FOLLOWED = (Look.SESSION, Look.CLIP)


@dataclass(frozen=True)
class VitDetDetector:
    """The seam's `Detector`. People score above a threshold that depends on the look."""

    net: VitDet
    guard: MemoryGuard
    settings: Settings

    def detect(self, images: Sequence[ImageArray], look: Look = Look.PICTURE) -> list[Regions]:
        """One `Regions` per picture, the surest first.

        With masks where an outline is asked for, and in clips and sessions unless PHALP is off,
        which is who looks at them there.
        """
        score_over = self._score_over(look)
        followed = look in _FOLLOWED and self.settings.phalp != "off"
        masks = followed or look is Look.OUTLINE

        def work(part: Sequence[ImageArray]) -> list[Regions]:
            found = detect(self.net, part, only_class=PERSON, score_over=score_over, masks=masks)
            return [_regions(each) for each in found]

        return self.guard.run(images, work)

    def _score_over(self, look: Look) -> float:
        return {
            Look.PICTURE: self.settings.picture_score,
            Look.SESSION: self.settings.picture_score,
            Look.OUTLINE: self.settings.picture_score,
            Look.CLIP: self.settings.clip_score,
            Look.THOROUGH: _THOROUGH_SCORE,
        }[look]


def _regions(found: Detections) -> Regions:
    return replace(
        Regions.of_boxes(found.boxes_xyxy_px.astype(np.float64)),
        scores=found.scores,
        track_ids=np.full(len(found.scores), NEW_TRACK),
        masks=None if found.masks is None else tuple(map(Mask.of, found.masks)),
    )
