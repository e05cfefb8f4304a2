"""The yardstick: mediapipe's own Pose, run by a Python that has mediapipe.

`python mediapipe_pose.py pictures PICTURE...` prints a JSON object: for each picture the list of
people, each 33 landmarks [x, y] in pixels. `python mediapipe_pose.py clip CLIP` prints the number
of frames and the milliseconds that all of them took, decoding included. It is a script of its own
because mediapipe brings packages that do not go with the project's.
"""

import json
import sys
import time
from typing import Any

import cv2
import mediapipe  # type: ignore[import-not-found]

MODEL = {"model_complexity": 1}


def pictures(paths: list[str]) -> dict[str, list[list[list[float]]]]:
    with mediapipe.solutions.pose.Pose(static_image_mode=True, **MODEL) as net:
        return {path: _look(net, path) for path in paths}


def clip(paths: list[str]) -> dict[str, float]:
    (path,) = paths
    with mediapipe.solutions.pose.Pose(**MODEL) as net:
        film = cv2.VideoCapture(path)
        started, frames = time.perf_counter(), 0
        while (read := film.read())[0]:
            net.process(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
            frames += 1
        return {"frames": frames, "ms": 1000 * (time.perf_counter() - started)}


def _look(net: Any, path: str) -> list[list[list[float]]]:
    image = cv2.imread(path, cv2.IMREAD_COLOR_RGB)
    if image is None:
        sys.exit(f"{path} cannot be read")
    height, width = image.shape[:2]
    found = net.process(image).pose_landmarks
    return [[[p.x * width, p.y * height] for p in found.landmark]] if found else []


if __name__ == "__main__":
    print(json.dumps({"pictures": pictures, "clip": clip}[sys.argv[1]](sys.argv[2:])))
