"""People drawn over the pictures they were seen in."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose_service.core.arrays import ImageArray
from pose_service.core.records import Camera, Person, TrackedFrame
from pose_service.engines.seam import BodyModel
from pose_service.media.decode import Clip
from pose_service.media.encode import ClipWriter
from pose_service.media.prefetch import prefetch
from pose_service.pipeline.results import StoredClip
from pose_service.rendering.overlay import draw_people
from pose_service.rendering.person import DrawnPerson
from pose_service.rendering.style import DEFAULT_STYLE, OverlayStyle

Progress = Callable[[str, int, int | None], None]


def draw_frame(
    body: BodyModel,
    image: ImageArray,
    tracked: TrackedFrame,
    style: OverlayStyle = DEFAULT_STYLE,
) -> ImageArray:
    """A copy of `image` (height, width, 3) RGB with everybody of `tracked` drawn over it.

    With a side view the copy is wider. Whoever has no finite place in the picture is left out.
    """
    people = [_drawn(body, person, tracked.camera) for person in tracked.people]
    shown = [person for person in people if person is not None]
    return draw_people(image, shown, tracked.camera, style)


@dataclass(frozen=True)
class Overlay:
    """A clip and what was tracked in it, to be drawn with the body it was tracked with."""

    source: Clip
    clip: StoredClip
    body: BodyModel
    style: OverlayStyle = DEFAULT_STYLE

    def frames(self) -> Generator[tuple[float, ImageArray], None, None]:
        """Time in seconds and picture, (height, width, 3) RGB, of every tracked frame."""
        count = self.clip.head.info.frame_count
        with closing(prefetch(self.source.frames(count))) as pictures:
            for picture, tracked in zip(pictures, self.clip.frames(), strict=False):
                yield tracked.time_s, draw_frame(self.body, picture.image, tracked, self.style)

    def write(self, path: Path, progress: Progress = lambda stage, done, total: None) -> None:
        """Every frame at its own time into an mp4 at `path`, without sound; one frame at a time.

        The film begins with the first frame, whatever that one's time.
        """
        info = self.clip.head.info
        width_px, height_px = self.style.size_px(info.width_px, info.height_px)
        with ClipWriter(path, width_px, height_px, info.fps) as film:
            first_s = None
            for number, (time_s, image) in enumerate(self.frames(), start=1):
                first_s = time_s if first_s is None else first_s
                film.write(image, time_s - first_s)
                progress("drawing", number, info.frame_count)


def _drawn(body: BodyModel, person: Person, camera: Camera) -> DrawnPerson | None:
    posed = body.pose(person.pose)
    place_m = person.pose.translations_m[0]
    if posed.vertices_m is None:
        return None
    joints_cam_m = posed.joints_m[0] + place_m
    with np.errstate(divide="ignore", invalid="ignore"):
        joints_px = camera.project(joints_cam_m)
    vertices_cam_m = posed.vertices_m[0] + place_m
    parts = (joints_cam_m, joints_px, vertices_cam_m, person.box_xyxy_px, person.joint_confidence)
    if not all(np.isfinite(part).all() for part in parts):
        return None
    return DrawnPerson(
        track_id=person.track_id,
        provenance=person.provenance,
        confidence=person.confidence,
        box_xyxy_px=person.box_xyxy_px,
        joints_cam_m=joints_cam_m,
        joint_confidence=person.joint_confidence,
        vertices_cam_m=vertices_cam_m,
        faces=body.faces,
    )
