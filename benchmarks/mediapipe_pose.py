"""The yardstick: mediapipe's own Pose on whole pictures, run by a Python that has mediapipe.

`python mediapipe_pose.py PICTURE...` prints a JSON object: for each picture the list of people,
each 33 landmarks [x, y] in pixels. It is a script of its own because mediapipe brings packages
that do not go with the project's.
"""

import json
import sys

import cv2
import mediapipe


def main(paths: list[str]) -> None:
    options = {"static_image_mode": True, "model_complexity": 1}
    with mediapipe.solutions.pose.Pose(**options) as net:
        people = {path: _look(net, path) for path in paths}
    print(json.dumps(people))


def _look(net: object, path: str) -> list[list[list[float]]]:
    image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    height, width = image.shape[:2]
    found = net.process(image).pose_landmarks  # type: ignore[attr-defined]
    return [[[p.x * width, p.y * height] for p in found.landmark]] if found else []


if __name__ == "__main__":
    main(sys.argv[1:])
