"""From the cascade's boxes and probabilities to detections."""

from dataclasses import dataclass

from torch import Tensor

from pose_service.vitdet.boxes import clip
from pose_service.vitdet.config import DetectionRules
from pose_service.vitdet.ops import Nms


@dataclass(frozen=True)
class Selected:
    """Detections of one picture, the surest first.

    `boxes`: (n, 4) pixels of the resized picture, clipped to it. `scores`: (n,). `classes`: (n,).
    `rows`: (n,) their places among the finite boxes that came in.
    """

    boxes: Tensor
    scores: Tensor
    classes: Tensor
    rows: Tensor

    def take(self, chosen: Tensor) -> "Selected":
        """Those at the places or under the mask `chosen`."""
        return Selected(
            self.boxes[chosen], self.scores[chosen], self.classes[chosen], self.rows[chosen]
        )


def select_detections(
    boxes: Tensor,
    probabilities: Tensor,
    size_hw: tuple[int, int],
    rules: DetectionRules,
    nms: Nms,
) -> Selected:
    """`boxes` (k, 4) and `probabilities` (k, classes + 1), background last, of one picture.

    One box may be several detections, of different classes, which do not suppress each other. The
    best `rules.keep` are counted over all classes together, so a crowd of other things can push a
    person out: that is what the official model does.
    """
    finite = boxes.isfinite().all(dim=1) & probabilities.isfinite().all(dim=1)
    boxes, scores = clip(boxes[finite], *size_hw), probabilities[finite][:, :-1]
    rows, classes = (scores > rules.score_over).nonzero().unbind(1)
    found = Selected(boxes[rows], scores[rows, classes], classes, rows)
    return found.take(nms(found.boxes, found.scores, classes, rules.nms_iou)[: rules.keep])
