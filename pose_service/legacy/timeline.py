"""`pose_timeline`: the older clip format that the phone app reads, one entry per frame."""

from pose_service.core.records import TrackedFrame
from pose_service.legacy.frame import Fields


def timeline_entry(frame: TrackedFrame, answer: Fields) -> Fields:
    """The 3.2 `answer` to `frame` under the timeline's names.

    `imageBase64` is null: the pictures are at `/frame/<job id>/<frame number>`.
    """
    joints_m = answer["joints_3d_raw"]
    return {
        "frameNumber": frame.index,
        "originalFrameNumber": frame.index,
        "timestamp": round(frame.time_s, 6),
        "confidence": answer["tracking_confidence"],
        "provenance": answer["provenance"],
        "keypoints": answer["keypoints"],
        "joints3D": [] if joints_m is None else joints_m,
        "jointAngles": answer["joint_angles_3d"],
        "has3D": answer["has_3d"],
        "meshRendered": answer["has_3d"],
        "vertices": answer["mesh_vertices_data"],
        "faces": answer["mesh_faces_data"],
        "imageBase64": None,
    }
