"""Sees people in regions of a picture with the BlazePose landmark network."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from pose_service.blazepose.files import LANDMARK_FILE
from pose_service.blazepose.interpreter import Network
from pose_service.blazepose.landmarks import LIMBS, LandmarkResult, decode
from pose_service.blazepose.roi import Roi, crop, wrapped
from pose_service.blazepose.same_body import same_body, same_square
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.records import NEW_TRACK, Observation, Regions
from pose_service.core.skeletons import BLAZEPOSE33, smpl24_confidence

_WORKERS = 2

_FRESH_PASSES = 3
_HOPELESS_FLAG, _HOPELESS_HQ = 0.3, 0.25
_STILL_MOVE, _STILL_SIZE, _STILL_ANGLE_RAD = 0.02, 0.04, 0.05

# Faces are placed well without a peak, seen from behind for example.
BELOW_HEAD = slice(BLAZEPOSE33.index("left_shoulder"), None)

_MIN_FLAG = 0.5
_MIN_HQ_FRESH = 0.5
_MIN_HQ_CARRIED = 0.35
_RETRY_FLAG = 0.3
_MAX_MOVE = 0.6


class BlazePosePeople:
    """The seeing half of the seam's `Regressor`. `folder` holds the network file."""

    def __init__(self, folder: Path) -> None:
        self._network = Network(folder, LANDMARK_FILE, copies=_WORKERS)
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="blazepose-landmarks")

    def observe(
        self, image: ImageArray, regions: Regions, *, masks: bool = False
    ) -> list[Observation]:
        """What is seen in `regions` of the (height, width, 3) uint8 RGB picture; with the person's
        pixels where `masks` are wanted.

        A track's own region is looked at once or twice and is easily believed; a find gets up to
        three looks and must convince. Where both show one body, the track's is kept. Two tracks
        on one body are both answered: only the tracker knows which is the older.
        """
        rois = [Roi(*row) for row in regions.rois.tolist()]
        known = [i for i in range(len(rois)) if regions.track_ids[i] != NEW_TRACK]
        fresh = [rois[i] for i in range(len(rois)) if regions.track_ids[i] == NEW_TRACK]
        looks = self._workers.map(lambda i: self._follow(image, rois[i]), known)
        carried = {
            int(regions.track_ids[i]): look
            for i, look in zip(known, looks, strict=True)
            if look is not None
        }
        new = self._find(image, fresh, list(carried.values()))
        seen = [*carried.items(), *((NEW_TRACK, look) for look in new)]
        limits = np.tile(image.shape[1::-1], 2)
        return list(_observations(seen, limits, masks))

    def look(self, image: ImageArray, roi: Roi) -> LandmarkResult:
        """One pass of the network on one square."""
        return decode(self._network.run(crop(image, roi) / np.float32(255)), roi)

    def _follow(self, image: ImageArray, roi: Roi) -> LandmarkResult | None:
        """The person of a track whose square is expected to be `roi`."""
        look = self.look(image, roi)
        if not _is_followed(look, roi) and look.flag > _RETRY_FLAG:
            look = self.look(image, look.roi)
        return look if _is_followed(look, roi) else None

    def _find(
        self, image: ImageArray, rois: Sequence[Roi], known: Sequence[LandmarkResult]
    ) -> list[LandmarkResult]:
        """People that are none of `known`, from a detector's `rois`, the likeliest first."""
        found: list[LandmarkResult] = []
        for start in range(0, len(rois), _WORKERS):
            taken = [look.roi for look in (*known, *found)]
            looks = self._workers.map(
                lambda roi, taken=taken: self._settle(image, roi, taken),
                rois[start : start + _WORKERS],
            )
            found += [look for look in looks if look is not None]
        return _distinct(found, known)

    def _settle(self, image: ImageArray, roi: Roi, taken: Sequence[Roi]) -> LandmarkResult | None:
        """The person found by looking until the square rests, None for a ghost or a known one."""
        for attempt in range(_FRESH_PASSES):
            if any(same_square(known, roi) for known in taken):
                return None
            look = self.look(image, roi)
            if attempt == 0 and look.flag < _HOPELESS_FLAG and look.hq < _HOPELESS_HQ:
                return None
            if _rests(roi, look.roi):
                break
            roi = look.roi
        return look if look.flag >= _MIN_FLAG and look.hq >= _MIN_HQ_FRESH else None


def _is_followed(look: LandmarkResult, roi: Roi) -> bool:
    sure = look.flag >= _MIN_FLAG and look.hq >= _MIN_HQ_CARRIED
    return sure and roi.distance(look.roi) < _MAX_MOVE


def _rests(roi: Roi, after: Roi) -> bool:
    turn = abs(wrapped(after.angle - roi.angle))
    return (
        roi.distance(after) < _STILL_MOVE
        and abs(roi.size_ratio(after) - 1) < _STILL_SIZE
        and turn < _STILL_ANGLE_RAD
    )


def _distinct(
    found: Sequence[LandmarkResult], known: Sequence[LandmarkResult]
) -> list[LandmarkResult]:
    """`found` by falling confidence, without those that show a body of `known` or a surer one."""
    kept: list[LandmarkResult] = []
    for look in sorted(found, key=lambda look: -look.hq):
        if not any(same_body(other, look) for other in (*known, *kept)):
            kept.append(look)
    return kept


def _observations(
    seen: Sequence[tuple[int, LandmarkResult]], limits: FloatArray, masks: bool
) -> Iterator[Observation]:
    """Records of what was `seen`, boxes cut to the picture; a body outside of it is left out."""
    for track_id, look in seen:
        box = np.clip(look.box_xyxy_px, 0, limits)
        if np.all(box[2:] - box[:2] >= 1):
            seen_one = _observation(track_id, look, box)
            if masks and look.mask is not None:
                mask = look.mask.in_picture(int(limits[0]), int(limits[1]))
                seen_one = replace(seen_one, mask=mask)
            yield seen_one


def _observation(track_id: int, look: LandmarkResult, box_xyxy_px: FloatArray) -> Observation:
    # visibility is a guess from context; a limb joint's own peak says whether it was seen
    confidence = look.visibility.copy()
    confidence[list(LIMBS)] = look.heat[list(LIMBS)]
    # a foot that the net puts between two guesses has no peak, and yet a visibility of 0.99
    believed = look.visibility.copy()
    believed[BELOW_HEAD] = np.minimum(believed, look.heat)[BELOW_HEAD]
    return Observation(
        track_id=track_id,
        box_xyxy_px=box_xyxy_px,
        confidence=look.hq,
        roi=np.array(look.roi),
        landmarks_px=look.landmarks_px,
        landmarks_m=look.landmarks_m,
        landmark_confidence=believed,
        joint_confidence=smpl24_confidence(confidence),
    )
