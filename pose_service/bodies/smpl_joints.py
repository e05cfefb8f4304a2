"""The 44 joints that HMR 2.0 answers with, and where on SMPL each one lies.

25 joints in OpenPose's BODY_25 order, each a SMPL joint or a vertex of the face or foot, then 19
that a matrix of its own takes from the whole surface. The 19 are the joints of the data sets LSP,
MPII and Human3.6M; their names end in the data set's, because a knee there is not quite the knee
of the 25.
"""

from pose_service.core.skeletons import COCO17, SMPL24, Skeleton

# joint, parent for drawing, source: the name of a SMPL joint or the number of a vertex
_BODY25: tuple[tuple[str, str | None, str | int], ...] = (
    ("nose", "neck", 332),
    ("neck", "mid_hip", "neck"),
    ("right_shoulder", "neck", "right_shoulder"),
    ("right_elbow", "right_shoulder", "right_elbow"),
    ("right_wrist", "right_elbow", "right_wrist"),
    ("left_shoulder", "neck", "left_shoulder"),
    ("left_elbow", "left_shoulder", "left_elbow"),
    ("left_wrist", "left_elbow", "left_wrist"),
    ("mid_hip", None, "pelvis"),
    ("right_hip", "mid_hip", "right_hip"),
    ("right_knee", "right_hip", "right_knee"),
    ("right_ankle", "right_knee", "right_ankle"),
    ("left_hip", "mid_hip", "left_hip"),
    ("left_knee", "left_hip", "left_knee"),
    ("left_ankle", "left_knee", "left_ankle"),
    ("right_eye", "nose", 6260),
    ("left_eye", "nose", 2800),
    ("right_ear", "right_eye", 4071),
    ("left_ear", "left_eye", 583),
    ("left_big_toe", "left_ankle", 3216),
    ("left_small_toe", "left_big_toe", 3226),
    ("left_heel", "left_ankle", 3387),
    ("right_big_toe", "right_ankle", 6617),
    ("right_small_toe", "right_big_toe", 6624),
    ("right_heel", "right_ankle", 6787),
)

# joint, parent for drawing; in the order of the matrix' rows
_REGRESSED19: tuple[tuple[str, str | None], ...] = (
    ("right_ankle_lsp", "right_knee_lsp"),
    ("right_knee_lsp", "right_hip_lsp"),
    ("right_hip_lsp", "pelvis_mpii"),
    ("left_hip_lsp", "pelvis_mpii"),
    ("left_knee_lsp", "left_hip_lsp"),
    ("left_ankle_lsp", "left_knee_lsp"),
    ("right_wrist_lsp", "right_elbow_lsp"),
    ("right_elbow_lsp", "right_shoulder_lsp"),
    ("right_shoulder_lsp", "thorax_mpii"),
    ("left_shoulder_lsp", "thorax_mpii"),
    ("left_elbow_lsp", "left_shoulder_lsp"),
    ("left_wrist_lsp", "left_elbow_lsp"),
    ("neck_lsp", "thorax_mpii"),
    ("head_top_lsp", "neck_lsp"),
    ("pelvis_mpii", None),
    ("thorax_mpii", "spine_h36m"),
    ("spine_h36m", "pelvis_mpii"),
    ("jaw_h36m", "neck_lsp"),
    ("head_h36m", "jaw_h36m"),
)


def _hmr44() -> Skeleton:
    pairs = (*((joint, parent) for joint, parent, _ in _BODY25), *_REGRESSED19)
    joints = tuple(joint for joint, _ in pairs)
    parents = tuple(-1 if parent is None else joints.index(parent) for _, parent in pairs)
    return Skeleton("hmr44", joints, parents)


HMR44 = _hmr44()

REGRESSED_COUNT = len(_REGRESSED19)

SURFACE_VERTICES = tuple(source for _, _, source in _BODY25 if isinstance(source, int))
"""The vertices that stand for joints of the 25, in the order they appear there."""

BODY25_SOURCES = tuple(
    len(SMPL24) + SURFACE_VERTICES.index(source)
    if isinstance(source, int)
    else SMPL24.index(source)
    for _, _, source in _BODY25
)
"""The 25 as places in SMPL's 24 joints followed by `SURFACE_VERTICES`."""

COCO17_FROM_HMR44 = tuple(HMR44.index(joint) for joint in COCO17.joints)
"""COCO-17 as places in HMR44: the joints of the 25 that have the same names."""
