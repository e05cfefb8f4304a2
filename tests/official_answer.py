"""A picture of which official code's answer is known: the request, and that answer.

Official code ran on `standin_hmr2.picture()` with three boxes, a tiny HMR 2.0 with stand-in weights
and the stand-in body. Whoever serves these sees the same bodies at the same places.
"""

import base64
from pathlib import Path
from typing import Any

import numpy as np
from makers import picture_file
from numpy.typing import NDArray
from standin_hmr2 import BOXES_XYXY_PX, golden, picture

from pose_service.bodies.smpl_joints import BODY25_SOURCES
from pose_service.core.skeletons import SMPL24

PEOPLE = 3

# What the reference's authors allow for another order of the same sums, and half of the last
# decimal that is sent. Places are 46 to 134 m away: float32 steps of what is that large.
_VERTEX_LIMIT_M = 2e-5 + 5e-7
_ROTATION_LIMIT = 1e-5 + 5e-7
_SHAPE_LIMIT = 1e-5 + 5e-6
_PLACE_LIMIT_M = 1e-3
# places and metres are rounded before they are projected, with f = 25000 px at 46 m
_PIXEL_LIMIT = 2e-3 + 1e-3

_GOLDEN_BODIES = Path(__file__).parent / "data" / "smpl" / "golden.npz"


def request() -> dict[str, Any]:
    """The fields of a `/pose/hybrid` request."""
    return {
        "image_base64": base64.b64encode(picture_file(picture(), "PNG")).decode(),
        "boxes": BOXES_XYXY_PX[:PEOPLE].tolist(),
        "persons": True,
        "joint_sets": ["hmr44"],
        "precision": 6,
    }


def assert_official(answer: dict[str, Any]) -> None:
    """Every number of `answer` that official code gives too is the one it gave."""
    assert answer["error"] is None
    people = answer["persons"]
    assert [person["track_id"] for person in people] == [1, 2, 3]
    wanted = golden("golden_tiny")
    _assert_bodies(people, wanted)
    _assert_joints(people, wanted)
    _assert_primary(answer, wanted)


def _assert_bodies(people: list[dict[str, Any]], wanted: dict[str, NDArray[Any]]) -> None:
    with np.load(_GOLDEN_BODIES) as bodies:
        vertices_m = bodies["tiny/vertices"]
    smpl = [person["smpl"] for person in people]
    _near([person["mesh_vertices"] for person in people], vertices_m, _VERTEX_LIMIT_M)
    _near([each["betas"] for each in smpl], wanted["out/betas"], _SHAPE_LIMIT)
    rotations = [[each["global_orient"], *each["body_pose"]] for each in smpl]
    _near(rotations, wanted["out/pred_rotmat"], _ROTATION_LIMIT)
    places = [[person["camera"][axis] for axis in ("tx", "ty", "tz")] for person in people]
    _near(places, wanted["out/pred_cam_t_full"], _PLACE_LIMIT_M)
    assert {person["camera"]["focal_length"] for person in people} == {
        float(wanted["out/scaled_focal_length"])
    }


def _assert_joints(people: list[dict[str, Any]], wanted: dict[str, NDArray[Any]]) -> None:
    pixels, metres = wanted["out/full_image_keypoints_2d"], wanted["out/pred_keypoints_3d"]
    sets = [person["joint_sets"]["hmr44"] for person in people]
    _near([each["points_px"] for each in sets], pixels, _PIXEL_LIMIT)
    _near([each["points_m"] for each in sets], metres, _VERTEX_LIMIT_M)
    # SMPL's own joints, of which official code gives those that are among the first 25 of the 44
    own = [place for place, source in enumerate(BODY25_SOURCES) if source < len(SMPL24)]
    sources = [BODY25_SOURCES[place] for place in own]
    assert len(own) == 14
    for field, of_all, limit in (
        ("keypoints_2d", pixels, _PIXEL_LIMIT),
        ("keypoints_3d", metres, _VERTEX_LIMIT_M),
    ):
        sent = np.array([person[field] for person in people])
        _near(sent[:, sources], of_all[:, own], limit)


def _assert_primary(answer: dict[str, Any], wanted: dict[str, NDArray[Any]]) -> None:
    """The first person once more, in the fields of its own and by HMR 2.0's raw camera."""
    first = answer["persons"][0]
    assert answer["mesh_vertices_data"] == first["mesh_vertices"]
    assert answer["joints_3d_raw"] == first["keypoints_3d"]
    camera = answer["camera_params"]
    raw = [camera[name] for name in ("scale", "tx", "ty")]
    # a crop camera moves by its part of the place's limit: 1e-3 m of 134 m
    _near(raw, wanted["out/pred_cam"][0], 1e-5)
    assert answer["detection"]["box_size"] == wanted["in/box_size"][0]


def _near(came: object, wanted: NDArray[Any], limit: float) -> None:
    np.testing.assert_allclose(np.array(came, np.float64), wanted, rtol=0, atol=limit)
