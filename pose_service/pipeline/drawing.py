"""People drawn over the pictures they were seen in."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from pose_service.core.arrays import ImageArray
from pose_service.core.records import Camera, Person, Provenance, TrackedFrame
from pose_service.engines.seam import BodyModel
from pose_service.media.decode import Clip
from pose_service.media.encode import ClipWriter
from pose_service.pipeline.results import StoredClip
from pose_service.rendering.overlay import DrawnPerson, OverlayStyle, draw_people

Progress = Callable[[str, int, int | None], None]


def draw_frame(body: BodyModel, image: ImageArray, tracked: TrackedFrame) -> ImageArray:
    """A copy of `image` (height, width, 3) RGB with everybody of `tracked` drawn over it.

    Whoever has no finite place in the picture is left out.
    """
    people = [_drawn(body, person, tracked.camera) for person in tracked.people]
    shown = [person for person in people if person is not None]
    return draw_people(image, shown, tracked.camera, OverlayStyle())


def write_overlay(
    path: Path,
    source: Clip,
    clip: StoredClip,
    body: BodyModel,
    progress: Progress = lambda stage, done, total: None,
) -> None:
    """`source`, tracked as `clip`, as an mp4 at `path` with its people drawn over it."""
    info = clip.head.info
    pictures = source.frames(info.frame_count)
    first_s: float | None = None
    with ClipWriter(path, info.width_px, info.height_px, info.fps) as film:
        for picture, tracked in zip(pictures, clip.frames(), strict=False):
            # the film of a part begins with the part
            first_s = tracked.time_s if first_s is None else first_s
            film.write(draw_frame(body, picture.image, tracked), tracked.time_s - first_s)
            progress("drawing", tracked.index + 1, info.frame_count)


def _drawn(body: BodyModel, person: Person, camera: Camera) -> DrawnPerson | None:
    posed = body.pose(person.pose)
    place_m = person.pose.translations_m[0]
    joints_px = camera.project(posed.joints_m[0] + place_m)
    if posed.vertices_m is None:
        return None
    parts = (joints_px, person.box_xyxy_px, person.joint_confidence, posed.vertices_m)
    if not all(np.isfinite(part).all() for part in parts):
        return None
    return DrawnPerson(
        track_id=person.track_id,
        observed=person.provenance is Provenance.OBSERVED,
        confidence=person.confidence,
        box_xyxy_px=person.box_xyxy_px,
        joints_px=joints_px,
        joint_confidence=person.joint_confidence,
        vertices_cam_m=posed.vertices_m[0] + place_m,
        faces=body.faces,
    )
