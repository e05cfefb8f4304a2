"""PHALP behind the seam: who is who among the bodies that HMR 2.0 sees."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from torch import Tensor

from pose_service.bodies.smpl import SmplBody
from pose_service.core.arrays import ImageArray
from pose_service.core.config import Settings
from pose_service.core.records import NEW_TRACK, Observation, Regions
from pose_service.core.skeletons import SMPL24
from pose_service.fourdhumans.phalp_nets import PhalpNets
from pose_service.fourdhumans.shots import ShotCuts
from pose_service.fourdhumans.sightings import detections_of, identity_risks
from pose_service.phalp.features import large_enough
from pose_service.phalp.parts import newest_poses
from pose_service.phalp.records import Compat
from pose_service.phalp.tracker import PhalpTracker
from pose_service.tracking.carrying import CarriedBoxes
from pose_service.tracking.colours import torso_colours

# upstream looks at nobody who is smaller, in width or height
_UPSTREAMS_SMALLEST_PX: Final = 50, 100
_TORSO: Final = [
    SMPL24.index(name) for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
]


class BodyTracker:
    """The seam's `Tracker` for one clip or session. It runs nets: on their owner's thread only.

    Without `nets` people are told apart by place and pose alone. People are given from their first
    frame on, under the id that their track keeps. In `upstream` (`POSE_PHALP`) it decides as the
    released code, which does not look for cuts or at small people.
    """

    def __init__(
        self, body: SmplBody, nets: PhalpNets | None, fps: float, settings: Settings
    ) -> None:
        compat: Compat = "upstream" if settings.phalp == "upstream" else "fixed"
        self._body = body
        self._nets = nets
        self._smallest_px = _UPSTREAMS_SMALLEST_PX if compat == "upstream" else None
        self._cuts = ShotCuts() if compat == "fixed" else None
        self._carried = CarriedBoxes(fps, settings.detect_every)
        self._tracker: PhalpTracker[Tensor] = PhalpTracker(
            newest_poses if nets is None else nets.predict_poses.in_compat(compat),
            None if nets is None else nets.looks,
            fps=fps,
            compat=compat,
        )

    @property
    def lookahead(self) -> int:
        return self._carried.lookahead

    def wants_detection(self, frame_index: int) -> bool:
        """See `CarriedBoxes`."""
        return self._carried.wants_detection(frame_index)

    def regions(self, frame_index: int, found: Regions) -> Regions:
        """See `CarriedBoxes`."""
        return self._carried.regions(frame_index, found)

    def update(
        self, frame_index: int, image: ImageArray, observations: Sequence[Observation]
    ) -> list[Observation]:
        """Everybody who is on a track, with its id, the risk that it is another's, and colours.

        A look at a track's own region begins no track: it shows somebody there in any case.
        """
        people = self._considered(observations)
        detections = detections_of(people, self._body, max(image.shape[:2]))
        textures = [] if self._nets is None else self._nets.textures.of(image, people)
        cut = self._cuts is not None and self._cuts.begins(frame_index, image)
        known = {track.track_id for track in self._tracker.tracks}
        tracked = self._tracker.step(frame_index, detections, textures, shot=cut)
        pairs = zip(people, tracked.track_ids, strict=True)
        on_tracks = [(seen, track_id) for seen, track_id in pairs if track_id != NEW_TRACK]
        own = {
            track_id: replace(seen, identity_risk=float(risk))
            for (seen, track_id), risk in zip(on_tracks, identity_risks(tracked), strict=True)
            if seen.track_id == NEW_TRACK or track_id in known
        }
        self._carry(frame_index, image, own)
        return [self._answered(image, track_id, seen) for track_id, seen in own.items()]

    def _considered(self, observations: Sequence[Observation]) -> list[Observation]:
        if self._smallest_px is None or not observations:
            return list(observations)
        boxes = np.stack([seen.box_xyxy_px for seen in observations])
        large = large_enough(boxes, self._smallest_px)
        return [seen for seen, kept in zip(observations, large, strict=True) if kept]

    def _carry(self, frame_index: int, image: ImageArray, own: dict[int, Observation]) -> None:
        """The boxes of tracks that live go on to the frames in which no detector looks."""
        living = {track.track_id for track in self._tracker.tracks}
        self._carried.see(frame_index, own)
        self._carried.settle(frame_index, image, own)
        self._carried.tracks = {
            key: box for key, box in self._carried.tracks.items() if key in living
        }

    def _answered(self, image: ImageArray, track_id: int, seen: Observation) -> Observation:
        carried = self._carried.tracks.get(track_id)
        return replace(
            seen,
            track_id=track_id,
            box_xyxy_px=seen.box_xyxy_px if carried is None else carried.box_xyxy_px,
            appearance=torso_colours(image, seen.landmarks_px[_TORSO]),
        )
