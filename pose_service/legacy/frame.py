"""The answer to one picture: CONTRACT 3.2, every documented field every time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from pose_service.core.joint_angles import joint_angles_deg
from pose_service.core.records import Provenance, TrackedFrame
from pose_service.core.skeletons import SMPL24
from pose_service.engines.seam import BodyModel, Engine
from pose_service.legacy.encode import encode, mesh_json
from pose_service.legacy.options import AnswerOptions, Faces
from pose_service.legacy.person import confidence, person_entry
from pose_service.legacy.views import BodyView

NOBODY = "No person detected in image"

Fields = dict[str, Any]


@dataclass(frozen=True)
class Maker:
    """Who answers: the same for every frame. `faces`: the triangles, encoded once for all."""

    body: BodyModel
    faces: orjson.Fragment
    model_version: str
    vitdet_used: bool
    phalp_available: bool

    @classmethod
    def of(cls, engine: Engine) -> Self:
        return cls.of_body(engine.body, engine.model_version, engine.models)

    @classmethod
    def of_body(
        cls, body: BodyModel, model_version: str, models: Mapping[str, str] | None = None
    ) -> Self:
        """Without an engine: its nets are elsewhere, or were there before.

        What is not known of `models` is told by the version, which names its nets.
        """

        def used(net: str) -> bool:
            return net in model_version if models is None else models.get(net) == "loaded"

        return cls(
            body=body,
            faces=orjson.Fragment(encode(body.faces)),
            model_version=model_version,
            vitdet_used=used("vitdet"),
            phalp_available=used("phalp"),
        )


def frame_answer(
    maker: Maker, frame: TrackedFrame, views: Sequence[BodyView], options: AnswerOptions
) -> Fields:
    """The body of a 3.2 answer, ready to be encoded.

    `views` are the people of `frame`, the primary first, made with a mesh if `options.mesh`.
    `has_3d` is true exactly when the mesh is present. A primary that is not finite is answered as
    nobody, with the reason; anybody else who is not finite is left out.
    """
    error = views[0].flaw if views else NOBODY
    if error:
        return _without_person(maker, frame, error, options)
    primary, mesh = views[0], _mesh(views[0], options)
    with_faces = options.mesh and options.faces is not Faces.NONE
    fields = {
        **_frame_fields(maker, frame),
        **_pose_fields(primary),
        "has_3d": mesh is not None,
        "mesh_vertices": 0 if mesh is None else maker.body.vertex_count,
        "mesh_vertices_data": mesh,
        "mesh_faces_data": maker.faces if with_faces else None,
        "detection": _detection(maker, frame),
        "error": None,
    }
    if options.everybody:
        others = [(view, _mesh(view, options)) for view in views[1:] if not view.flaw]
        fields["persons"] = [
            person_entry(view, maker.body, part, options)
            for view, part in [(primary, mesh), *others]
        ]
    return fields


def unreadable_answer(model_version: str, frame_number: int, error: str) -> Fields:
    """Stands in a list of answers for a picture that could not be read: its size is unknown.

    Width and height are 1, since readers refuse 0.
    """
    return {
        "frame_number": frame_number,
        "frame_width": 1,
        "frame_height": 1,
        "processing_time_ms": 0.0,
        "model_version": model_version,
        **_nobody(error),
    }


def _frame_fields(maker: Maker, frame: TrackedFrame) -> Fields:
    return {
        "frame_number": frame.index,
        "frame_width": frame.camera.width_px,
        "frame_height": frame.camera.height_px,
        "processing_time_ms": round(frame.processing_ms, 2),
        "model_version": maker.model_version,
        "phalp_available": maker.phalp_available,
    }


def _pose_fields(view: BodyView) -> Fields:
    scale, shift_x, shift_y = (round(value, 6) for value in view.crop_camera)
    tx, ty, tz = view.translation_m.tolist()
    camera = view.camera
    return {
        "keypoints": keypoints(view),
        "keypoint_count": len(SMPL24),
        "joints_3d_raw": view.joints.points_m,
        "joint_angles_3d": joint_angles_deg(view.joints.points_m),
        "camera_translation": view.translation_m,
        "camera_params": {
            "scale": scale, "tx": shift_x, "ty": shift_y, "type": "weak_perspective"
        },
        "camera_full": {
            "tx": tx, "ty": ty, "tz": tz,
            "focal_length": float(camera.focal_px),
            "img_width": camera.width_px, "img_height": camera.height_px,
            "type": "perspective",
        },
        "tracking_confidence": confidence(view.person.tracking_confidence),
        "provenance": view.person.provenance.value,
    }  # fmt: skip


def keypoints(view: BodyView) -> list[Fields]:
    """The 24 SMPL joints by name: pixels in x, y; metres in z and x_3d, y_3d, z_3d."""
    rows = zip(
        SMPL24.joints,
        view.joints.points_px.tolist(),
        view.joints.points_m.tolist(),
        view.person.joint_confidence.tolist(),
        strict=True,
    )
    return [
        {
            "name": name, "index": index, "x": u, "y": v, "z": z,
            "x_3d": x, "y_3d": y, "z_3d": z, "confidence": confidence(sure),
        }
        for index, (name, (u, v), (x, y, z), sure) in enumerate(rows)
    ]  # fmt: skip


def _mesh(view: BodyView, options: AnswerOptions) -> orjson.Fragment | None:
    if view.vertices_m is None:
        return None
    return mesh_json(view.vertices_m, options.precision)


def _detection(maker: Maker, frame: TrackedFrame) -> Fields | None:
    """What the detector found; null when this frame's pose was not seen but predicted."""
    primary = frame.primary
    if primary is None or primary.provenance is not Provenance.OBSERVED:
        return None
    x1, y1, x2, y2 = primary.box_xyxy_px.tolist()
    return {
        "box_center": [round((x1 + x2) / 2, 2), round((y1 + y2) / 2, 2)],
        "box_size": round(max(x2 - x1, y2 - y1), 2),
        "score": confidence(primary.confidence),
        **_found(maker, frame),
    }


def _found(maker: Maker, frame: TrackedFrame) -> Fields:
    observed = sum(person.provenance is Provenance.OBSERVED for person in frame.people)
    return {"num_persons_detected": observed, "vitdet_used": maker.vitdet_used}


def _without_person(
    maker: Maker, frame: TrackedFrame, error: str, options: AnswerOptions
) -> Fields:
    people: Fields = {"persons": []} if options.everybody else {}
    return {
        **_frame_fields(maker, frame),
        **_nobody(error),
        "detection": _found(maker, frame),
        **people,
    }


def _nobody(error: str) -> Fields:
    """Right without `error` too, which clients do not read on a 200."""
    return {
        "keypoints": [],
        "keypoint_count": 0,
        "joints_3d_raw": None,
        "joint_angles_3d": {},
        "has_3d": False,
        "mesh_vertices": 0,
        "mesh_vertices_data": None,
        "mesh_faces_data": None,
        "camera_translation": None,
        "camera_params": None,
        "camera_full": None,
        "detection": None,
        "tracking_confidence": 0,
        "provenance": None,
        "error": error,
    }
