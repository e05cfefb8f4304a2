"""People drawn over the picture they were seen in."""

import base64
from collections.abc import Sequence

from pose_service.core.arrays import ImageArray, IntArray
from pose_service.core.records import Camera, Provenance
from pose_service.legacy.views import BodyView
from pose_service.media.images import encode_jpeg
from pose_service.rendering.overlay import DrawnPerson, OverlayStyle, draw_people


def draw_views(
    image: ImageArray, views: Sequence[BodyView], camera: Camera, faces: IntArray
) -> ImageArray:
    """(height, width, 3) RGB: `image` with `views` over it; who cannot be answered is not drawn."""
    people = [_drawn(view, faces) for view in views if not view.flaw]
    return draw_people(image, people, camera, OverlayStyle())


def data_uri(image: ImageArray) -> str:
    """`image` as a JPEG in a `data:` address, which the back end forwards as it is."""
    return "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(image)).decode("ascii")


def _drawn(view: BodyView, faces: IntArray) -> DrawnPerson:
    person, mesh_m = view.person, view.vertices_m
    return DrawnPerson(
        track_id=person.track_id,
        observed=person.provenance is Provenance.OBSERVED,
        confidence=person.confidence,
        box_xyxy_px=person.box_xyxy_px,
        joints_px=view.joints.points_px,
        joint_confidence=person.joint_confidence,
        vertices_cam_m=None if mesh_m is None else mesh_m + view.translation_m,
        faces=faces,
    )
