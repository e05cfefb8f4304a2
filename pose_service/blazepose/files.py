"""The BlazePose and BlazeFace networks, and the one wheel on the package index that carries them.

The wheel is fetched as data: nothing of it is installed or imported.
"""

from dataclasses import replace
from functools import partial

from pose_service.core.files import FileSource, OfficialFile, Packing, fetch_remedy

_file = partial(
    OfficialFile,
    licence="Apache-2.0 (the wheel mediapipe 0.10.21)",
    remedy=fetch_remedy("embedded"),
    folder="networks",
)

DETECTOR_FILE = _file(
    name="pose_detection.tflite",
    size_bytes=2_959_046,
    sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    purpose="finds people (BlazePose detector)",
)
LANDMARK_FILE = _file(
    name="pose_landmark_full.tflite",
    size_bytes=6_440_512,
    sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    purpose="33 body landmarks in the picture and in metres (BlazePose full)",
)
SHORT_RANGE_FACE_FILE = _file(
    name="face_detection_short_range.tflite",
    size_bytes=229_714,
    sha256="bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    purpose="finds near faces (BlazeFace), for avatars only",
    only_for="avatars",
)
FULL_RANGE_FACE_FILE = _file(
    name="face_detection_full_range_sparse.tflite",
    size_bytes=676_746,
    sha256="2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    purpose="finds small faces (BlazeFace), for avatars only",
    only_for="avatars",
)
WHEEL = FileSource(
    name="mediapipe-0.10.21-cp312-cp312-manylinux_2_28_x86_64.whl",
    packing=Packing.ZIP,
    urls=(
        "https://files.pythonhosted.org/packages/9f/99/"
        "5da7ae7f7e25847383bc2fe5a9adc7ce150dd371682f486c0666b407cad7/"
        "mediapipe-0.10.21-cp312-cp312-manylinux_2_28_x86_64.whl",
    ),
    size_bytes=35_627_340,
    sha256="956eb1ebc275c629e61b085b2cab89c3a5b9e93bad1bb107348d98dafb5a4bb5",
    members=(
        ("mediapipe/modules/pose_detection/pose_detection.tflite", DETECTOR_FILE),
        ("mediapipe/modules/pose_landmark/pose_landmark_full.tflite", LANDMARK_FILE),
        *(
            (f"mediapipe/modules/face_detection/{file.name}", file)
            for file in (SHORT_RANGE_FACE_FILE, FULL_RANGE_FACE_FILE)
        ),
    ),
)
FACES = replace(WHEEL, members=WHEEL.members[2:])
"""The same for an engine that finds people by itself."""
