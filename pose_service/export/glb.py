"""GLB: every track as an animated body with skeleton and skin, for Blender, three.js and others.

glTF 2.0: y up, metres; x right and z towards the camera here. One animation moves all tracks; a
track is shown (its scale is 1, else 0) from its first frame to its last. The skin is linear blend
skinning with four joints per vertex, as glTF has it.
"""

import colorsys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_service.core.arrays import FloatArray
from pose_service.core.rig import Rig
from pose_service.export.glb_buffer import TRIANGLES, VERTICES, GlbBuffer
from pose_service.export.stored_motion import StoredMotion

JOINTS_PER_VERTEX = 4
_GOLDEN = 0.618034
_TINY = 1e-12


def glb_file(motions: Sequence[StoredMotion]) -> Iterator[bytes]:
    """The bytes of the file, a piece at a time."""
    scene = _Scene()
    for motion in motions:
        scene.add(motion)
    return scene.buffer.file(scene.document())


class _Scene:
    """Collects the nodes, meshes, skins and channels of all tracks."""

    def __init__(self) -> None:
        self.buffer = GlbBuffer()
        self._nodes: list[dict[str, Any]] = []
        self._tops: list[int] = []
        self._parts: dict[str, list[Any]] = {"materials": [], "meshes": [], "skins": []}
        self._samplers: list[dict[str, Any]] = []
        self._channels: list[dict[str, Any]] = []

    def document(self) -> dict[str, Any]:
        return {
            "asset": {"version": "2.0", "generator": "pose-service"},
            "scene": 0,
            "scenes": [{"nodes": self._tops}],
            "nodes": self._nodes,
            **self._parts,
            "animations": [
                {"name": "motion", "samplers": self._samplers, "channels": self._channels}
            ],
        }

    def add(self, motion: StoredMotion) -> None:
        rig, name = motion.rig, f"track {motion.track_id}"
        first = len(self._nodes)
        joints = [first + place for place in range(len(rig.joint_names))]
        self._nodes += _joint_nodes(rig, first)
        mesh = self._mesh(rig, name, motion.track_id)
        skin = self._skin(rig, joints)
        top = len(self._nodes)
        self._nodes.append({"name": name, "children": [joints[0]]})
        # at the top: a skinned mesh goes with its joints, not with its own node
        self._nodes.append({"name": f"{name} body", "mesh": mesh, "skin": skin})
        self._tops += [top, top + 1]
        self._animate(motion, joints)
        self._show(motion, top)

    def _mesh(self, rig: Rig, name: str, track_id: int) -> int:
        joints, weights = strongest(rig.weights)
        add = self.buffer.add
        primitive = {
            "attributes": {
                # the bounds of places are told, as glTF wants them
                "POSITION": add(rig.vertices_m.astype(np.float32), VERTICES, bounds=True),
                "NORMAL": add(normals(rig).astype(np.float32), VERTICES),
                "JOINTS_0": add(joints, VERTICES),
                "WEIGHTS_0": add(weights, VERTICES),
            },
            "indices": add(rig.faces.astype(np.uint32).reshape(-1), TRIANGLES),
            "material": self._placed("materials", _material(track_id)),
        }
        return self._placed("meshes", {"name": name, "primitives": [primitive]})

    def _skin(self, rig: Rig, joints: list[int]) -> int:
        # glTF stores matrices column by column
        inverse = np.tile(np.eye(4, dtype=np.float32), (len(joints), 1, 1))
        inverse[:, 3, :3] = -rig.joints_m
        bind = self.buffer.add(inverse)
        skin = {"joints": joints, "skeleton": joints[0], "inverseBindMatrices": bind}
        return self._placed("skins", skin)

    def _animate(self, motion: StoredMotion, joints: list[int]) -> None:
        times = self.buffer.add(motion.times_s, bounds=True)
        self._channel(joints[0], "translation", times, self.buffer.add(motion.roots_m))
        for joint, turns in zip(joints, motion.quaternions, strict=True):
            self._channel(joint, "rotation", times, self.buffer.add(turns))

    def _show(self, motion: StoredMotion, top: int) -> None:
        start_s = float(motion.times_s[0])
        keys = [(0.0, 0.0), (start_s, 1.0)] if start_s > 0 else [(0.0, 1.0)]
        if motion.until_s is not None:
            keys.append((motion.until_s, 0.0))
        times, sizes = np.array(keys, np.float32).T
        scales = np.repeat(sizes[:, None], 3, axis=1)
        times_place = self.buffer.add(np.ascontiguousarray(times), bounds=True)
        self._channel(top, "scale", times_place, self.buffer.add(scales), "STEP")

    def _channel(
        self, node: int, path: str, times: int, values: int, blend: str = "LINEAR"
    ) -> None:
        self._samplers.append({"input": times, "output": values, "interpolation": blend})
        target = {"node": node, "path": path}
        self._channels.append({"sampler": len(self._samplers) - 1, "target": target})

    def _placed(self, kind: str, part: dict[str, Any]) -> int:
        self._parts[kind].append(part)
        return len(self._parts[kind]) - 1


def _joint_nodes(rig: Rig, first: int) -> Iterator[dict[str, Any]]:
    for joint, name in enumerate(rig.joint_names):
        children = [first + c for c, parent in enumerate(rig.parents) if parent == joint]
        node = {"name": name, "translation": rig.offsets_m[joint].tolist()}
        yield {**node, "children": children} if children else node


def strongest(weights: FloatArray) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """(v, 4) joints that each vertex follows most, and their shares (v, 4), which add up to 1."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :JOINTS_PER_VERTEX]
    shares = np.take_along_axis(weights, order, axis=1).astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    # a joint without a share is told as joint 0, as glTF asks
    return np.where(shares > 0, order, 0).astype(np.uint8), shares.astype(np.float32)


def normals(rig: Rig) -> FloatArray:
    """(v, 3) unit normals of the rest surface, each face by its area."""
    corners = rig.vertices_m[rig.faces]
    of_faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    sums = np.zeros((len(rig.vertices_m), 3))
    for corner in range(3):
        np.add.at(sums, rig.faces[:, corner], of_faces)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    # a vertex of no face has no side; glTF wants a unit vector all the same
    return np.where(lengths > _TINY, sums / np.maximum(lengths, _TINY), [0.0, 1.0, 0.0])


def _material(track_id: int) -> dict[str, Any]:
    red, green, blue = colorsys.hsv_to_rgb(track_id * _GOLDEN % 1, 0.45, 0.85)
    surface = {
        "baseColorFactor": [red, green, blue, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.8
    }  # fmt: skip
    return {"name": f"track {track_id}", "pbrMetallicRoughness": surface}
