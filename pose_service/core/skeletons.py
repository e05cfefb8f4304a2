"""Joint sets: names in their published order, parents, and how one set is read from another."""

from dataclasses import dataclass

import numpy as np

from pose_service.core.arrays import FloatArray, expect_shape


@dataclass(frozen=True)
class Skeleton:
    """A named list of joints. `parents[i]` is the index of joint i's parent, -1 for a root."""

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.joints) != len(self.parents):
            raise ValueError(
                f"{self.name}: {len(self.joints)} joints but {len(self.parents)} parents"
            )

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """Place of `joint` in the list; `ValueError` if there is none of this name."""
        return self.joints.index(joint)

    @property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) pairs, for drawing."""
        return tuple((parent, child) for child, parent in enumerate(self.parents) if parent >= 0)


def _skeleton(name: str, text: str) -> Skeleton:
    """`text` is one `joint:parent` word per joint, the parent left out for a root."""
    words = [word.partition(":") for word in text.split()]
    joints = tuple(joint for joint, _, _ in words)
    parents = tuple(joints.index(parent) if parent else -1 for _, _, parent in words)
    return Skeleton(name, joints, parents)


# Names and order of SMPL (Loper et al. 2015); the back end looks joints up by these names.
SMPL24 = _skeleton(
    "smpl24",
    """
    pelvis left_hip:pelvis right_hip:pelvis spine1:pelvis left_knee:left_hip right_knee:right_hip
    spine2:spine1 left_ankle:left_knee right_ankle:right_knee spine3:spine2 left_foot:left_ankle
    right_foot:right_ankle neck:spine3 left_collar:spine3 right_collar:spine3 head:neck
    left_shoulder:left_collar right_shoulder:right_collar left_elbow:left_shoulder
    right_elbow:right_shoulder left_wrist:left_elbow right_wrist:right_elbow left_hand:left_wrist
    right_hand:right_wrist
    """,
)

# COCO keypoints (Lin et al. 2014).
COCO17 = _skeleton(
    "coco17",
    """
    nose left_eye:nose right_eye:nose left_ear:left_eye right_ear:right_eye left_shoulder
    right_shoulder:left_shoulder left_elbow:left_shoulder right_elbow:right_shoulder
    left_wrist:left_elbow right_wrist:right_elbow left_hip:left_shoulder
    right_hip:right_shoulder left_knee:left_hip right_knee:right_hip left_ankle:left_knee
    right_ankle:right_knee
    """,
)

# The 33 body landmarks of BlazePose (Bazarevsky et al. 2020).
BLAZEPOSE33 = _skeleton(
    "blazepose33",
    """
    nose left_eye_inner:nose left_eye:left_eye_inner left_eye_outer:left_eye right_eye_inner:nose
    right_eye:right_eye_inner right_eye_outer:right_eye left_ear:left_eye_outer
    right_ear:right_eye_outer mouth_left mouth_right:mouth_left left_shoulder
    right_shoulder:left_shoulder left_elbow:left_shoulder right_elbow:right_shoulder
    left_wrist:left_elbow right_wrist:right_elbow left_pinky:left_wrist right_pinky:right_wrist
    left_index:left_wrist right_index:right_wrist left_thumb:left_wrist right_thumb:right_wrist
    left_hip:left_shoulder right_hip:right_shoulder left_knee:left_hip right_knee:right_hip
    left_ankle:left_knee right_ankle:right_knee left_heel:left_ankle right_heel:right_ankle
    left_foot_index:left_heel right_foot_index:right_heel
    """,
)

# The joints that HMR 2.0 answers with (Goel et al. 2023): OpenPose's BODY_25, then the joints of
# the data sets LSP, MPII and Human3.6M, whose names end in the data set's, because a knee there is
# not quite the knee of the 25.
HMR44 = _skeleton(
    "hmr44",
    """
    nose:neck neck:mid_hip right_shoulder:neck right_elbow:right_shoulder right_wrist:right_elbow
    left_shoulder:neck left_elbow:left_shoulder left_wrist:left_elbow mid_hip right_hip:mid_hip
    right_knee:right_hip right_ankle:right_knee left_hip:mid_hip left_knee:left_hip
    left_ankle:left_knee right_eye:nose left_eye:nose right_ear:right_eye left_ear:left_eye
    left_big_toe:left_ankle left_small_toe:left_big_toe left_heel:left_ankle
    right_big_toe:right_ankle right_small_toe:right_big_toe right_heel:right_ankle
    right_ankle_lsp:right_knee_lsp right_knee_lsp:right_hip_lsp right_hip_lsp:pelvis_mpii
    left_hip_lsp:pelvis_mpii left_knee_lsp:left_hip_lsp left_ankle_lsp:left_knee_lsp
    right_wrist_lsp:right_elbow_lsp right_elbow_lsp:right_shoulder_lsp
    right_shoulder_lsp:thorax_mpii left_shoulder_lsp:thorax_mpii left_elbow_lsp:left_shoulder_lsp
    left_wrist_lsp:left_elbow_lsp neck_lsp:thorax_mpii head_top_lsp:neck_lsp pelvis_mpii
    thorax_mpii:spine_h36m spine_h36m:pelvis_mpii jaw_h36m:neck_lsp head_h36m:jaw_h36m
    """,
)

SKELETONS = {skeleton.name: skeleton for skeleton in (SMPL24, COCO17, BLAZEPOSE33, HMR44)}

# COCO-17 as places in BLAZEPOSE33.
COCO17_FROM_BLAZEPOSE33 = tuple(BLAZEPOSE33.index(joint) for joint in COCO17.joints)

# The landmarks that a SMPL joint's confidence is the mean of: the joint itself where there is a
# landmark of this name, else the landmarks around it.
_AROUND = {
    "pelvis": ("left_hip", "right_hip"),
    "spine1": ("left_hip", "right_hip"),
    "spine2": ("left_shoulder", "right_shoulder", "left_hip", "right_hip"),
    "spine3": ("left_shoulder", "right_shoulder"),
    "left_foot": ("left_foot_index",),
    "right_foot": ("right_foot_index",),
    "neck": ("left_shoulder", "right_shoulder"),
    "left_collar": ("left_shoulder",),
    "right_collar": ("right_shoulder",),
    "head": ("nose", "left_ear", "right_ear"),
    "left_hand": ("left_index", "left_pinky"),
    "right_hand": ("right_index", "right_pinky"),
}


def smpl24_confidence(landmark_confidence: FloatArray) -> FloatArray:
    """Confidence of the 24 SMPL joints, from that of the 33 landmarks.

    `landmark_confidence`: (33,), 0 to 1. Returns (24,), 0 to 1.
    """
    expect_shape("landmark_confidence", landmark_confidence, (len(BLAZEPOSE33),))
    return np.array(
        [
            np.mean([landmark_confidence[BLAZEPOSE33.index(near)] for near in _near(joint)])
            for joint in SMPL24.joints
        ]
    )


def _near(joint: str) -> tuple[str, ...]:
    return _AROUND.get(joint, (joint,))
