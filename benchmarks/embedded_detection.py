"""People the embedded engine finds in real pictures, people it invents, and the time it takes.

    python benchmarks/embedded_detection.py --data-dir ~/.cache/pose-service

A hit is an annotated person with at least 5 labelled limb joints to whom a found body is similar
(object keypoint similarity over the 12 limb joints, Lin et al. 2014, at least 0.5). An extra is a
found body that hits nobody. With `--mediapipe-python` mediapipe's own Pose is measured beside it.
"""

import argparse
import json
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pose_service.blazepose.detector import BlazePoseDetector
from pose_service.blazepose.people import BlazePosePeople
from pose_service.core.arrays import FloatArray, ImageArray
from pose_service.core.config import read_settings
from pose_service.core.records import Regions
from pose_service.core.skeletons import COCO17_FROM_BLAZEPOSE33

ROOT = Path(__file__).resolve().parent.parent

See = Callable[[Path], list[FloatArray]]
"""Path of a picture to the bodies in it, (33, 2) landmarks in pixels each."""

_LIMBS = (5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)  # in COCO's order
_SIGMAS = np.array([79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
_MIN_LABELLED = 5
_MIN_OKS = 0.5


def measure(data_dir: Path, media: Path, mediapipe_python: Path | None = None) -> dict[str, Any]:
    """All figures of this benchmark, ready for JSON."""
    networks = data_dir / "networks"
    detector, people = BlazePoseDetector(networks), BlazePosePeople(networks)

    def see(path: Path, thorough: bool = False) -> list[FloatArray]:
        image = read_picture(path)
        regions = detector.detect([image], thorough=thorough)[0]
        return [seen.landmarks_px for seen in people.observe(image, regions)]

    result = {
        "coco": coco_hits(see, media),
        "people_where_nobody_is": count_people(see, sorted(media.glob("none_*.jpg"))),
        "bodies_in_skates_thorough": len(see(media / "skates.png", thorough=True)),
        "times_ms": times_ms(detector, people, media),
    }
    if mediapipe_python is not None:
        result["mediapipe_pose"] = {"coco": coco_hits(mediapipe_see(mediapipe_python), media)}
    return result


def coco_hits(see: See, media: Path) -> dict[str, int]:
    """Hits and extras over the annotated pictures."""
    truth = json.loads((media / "gt_coco.json").read_text(encoding="utf-8"))
    total = {"people": 0, "hits": 0, "extras": 0}
    for picture in truth["images"]:
        people = [p for p in truth["annotations"] if p["image_id"] == picture["id"]]
        bodies = see(media / f"coco_{picture['file_name']}")
        hits = count_hits([p for p in people if _labelled_limbs(p) >= _MIN_LABELLED], bodies)
        total["people"] += sum(_labelled_limbs(p) >= _MIN_LABELLED for p in people)
        total["hits"] += hits
        total["extras"] += len(bodies) - hits
    return total


def count_hits(people: Sequence[Mapping[str, Any]], bodies: Iterable[FloatArray]) -> int:
    """How many of the annotated `people` get a body of their own; best fits are given first."""
    scores = np.array([[similarity(person, body) for body in bodies] for person in people])
    hits = 0
    while scores.size and scores.max() >= _MIN_OKS:
        person, body = np.unravel_index(scores.argmax(), scores.shape)
        scores = np.delete(np.delete(scores, person, axis=0), body, axis=1)
        hits += 1
    return hits


def similarity(person: Mapping[str, Any], landmarks_px: FloatArray) -> float:
    """Object keypoint similarity, 0 to 1, of a COCO annotation and (33, 2) landmarks."""
    truth = np.array(person["keypoints"], float).reshape(-1, 3)[list(_LIMBS)]
    found = landmarks_px[list(COCO17_FROM_BLAZEPOSE33)][list(_LIMBS)]
    squares = np.sum((found - truth[:, :2]) ** 2, axis=1)
    likeness = np.exp(-squares / (2 * person["area"] * (2 * _SIGMAS) ** 2))
    return float(likeness[truth[:, 2] > 0].mean())


def count_people(see: See, paths: Iterable[Path]) -> dict[str, int]:
    return {path.name: len(see(path)) for path in paths}


def times_ms(
    detector: BlazePoseDetector, people: BlazePosePeople, media: Path, rounds: int = 15
) -> dict[str, float]:
    """Median times for one person, on a small picture and on a full HD frame."""
    small = read_picture(media / "coco_000000000785.jpg")
    large = first_frame(media / "vid.mp4")
    result = {}
    for name, image in {"small": small, "full_hd": large}.items():
        regions = detector.detect([image])[0]
        seen = people.observe(image, regions)[0]
        carried = Regions(seen.box_xyxy_px[None], np.ones(1), seen.roi[None], np.zeros(1, np.int64))
        result[f"{name}_detect"] = _median_ms(lambda i=image: detector.detect([i]), rounds)
        result[f"{name}_observe"] = _median_ms(
            lambda i=image, r=regions: people.observe(i, r), rounds
        )
        result[f"{name}_follow"] = _median_ms(
            lambda i=image, r=carried: people.observe(i, r), rounds
        )
    return result


def mediapipe_see(python: Path) -> See:
    """Bodies by mediapipe's own Pose, run in the environment of `python`."""
    script = Path(__file__).with_name("mediapipe_pose.py")

    def see(path: Path) -> list[FloatArray]:
        done = subprocess.run(
            [python, script, path], capture_output=True, check=True, text=True, timeout=120
        )
        return [np.array(body) for body in json.loads(done.stdout)[str(path)]]

    return see


def read_picture(path: Path) -> ImageArray:
    """(height, width, 3) uint8 RGB; what is transparent becomes white."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise SystemExit(f"{path} cannot be read")
    if image.shape[2] == 4:
        alpha = image[..., 3:] / 255
        image = (image[..., :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def first_frame(path: Path) -> ImageArray:
    """(height, width, 3) uint8 RGB of a clip's first frame."""
    read, frame = cv2.VideoCapture(str(path)).read()
    if not read:
        raise SystemExit(f"{path} cannot be read")
    return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)


def _labelled_limbs(person: Mapping[str, Any]) -> int:
    return sum(person["keypoints"][3 * joint + 2] > 0 for joint in _LIMBS)


def _median_ms(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return round(1000 * float(np.median(times)), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, default=read_settings().data_dir)
    parser.add_argument("--media", type=Path, default=ROOT.parent / "shared" / "media")
    parser.add_argument("--mediapipe-python", type=Path)
    given = parser.parse_args()
    figures = measure(given.data_dir, given.media, given.mediapipe_python)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
