"""Tracklets as upstream writes them: held against a file that upstream's own program wrote."""

from io import BytesIO
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from export_kit import CAMERA, HEIGHT_PX, SAMPLE, WIDTH_PX, frame_of, posed, smpl_person, walk

from pose_service.core.errors import BadRequestError
from pose_service.core.masks import Mask
from pose_service.core.records import (
    BodyPoses,
    Camera,
    Person,
    PosedBodies,
    Provenance,
    TrackedFrame,
)
from pose_service.core.skeletons import HMR44
from pose_service.export.box_masks import box_mask
from pose_service.export.padded_square import PaddedSquare
from pose_service.export.posed import PosedFrame
from pose_service.export.tracklets import first_sights, tracklet_file
from pose_service.hmr2.cameras import (
    picture_translations_m,
    tracker_keypoints_px,
    tracker_translations_m,
)
from pose_service.hmr2.squares import squares_around

# float32 numbers of some hundred pixels and 30 m: the last digit is 3e-5
PIXEL_LIMIT, METRE_LIMIT = 1e-4, 2e-5


def written(frames: list[TrackedFrame], name: str = "walk.mp4") -> Any:
    """What a program that was made for upstream's files reads."""
    file = b"".join(tracklet_file(posed(frames), name, first_sights(frames)))
    return joblib.load(BytesIO(file))


def form(value: Any) -> Any:
    """Types, shapes and keys, without the values."""
    if isinstance(value, dict):
        return {key: form(part) for key, part in value.items()}
    if isinstance(value, list):
        return [form(part) for part in value]
    if isinstance(value, np.ndarray):
        return type(value), value.dtype, value.shape
    return type(value)


@pytest.fixture(scope="module")
def sample() -> Any:
    return joblib.load(SAMPLE)


def test_every_key_type_and_shape_is_that_of_upstreams_file(sample: Any) -> None:
    people = [[smpl_person(1, i), smpl_person(2, i)] for i in range(2)]
    people.append([smpl_person(1, 2), smpl_person(2, 2, Provenance.PREDICTED)])
    ours = written([frame_of(i, each) for i, each in enumerate(people)], "sample.mp4")
    assert list(ours) == list(sample)
    for (path, record), upstreams in zip(ours.items(), sample.values(), strict=True):
        assert list(record) == list(upstreams), "the same keys in the same order"
        assert record["frame_path"] == path
        assert form(record) == form(upstreams)


def test_a_file_is_packed_as_joblib_packs_it(tmp_path: Path) -> None:
    path = tmp_path / "walk.pkl"
    frames = walk("oo")
    path.write_bytes(b"".join(tracklet_file(posed(frames), "walk.mp4", first_sights(frames))))
    joblib.dump({}, tmp_path / "empty.pkl", compress=3)
    assert path.read_bytes()[:2] == (tmp_path / "empty.pkl").read_bytes()[:2]
    assert len(joblib.load(path)) == 2


def _person_of(record: Any, place: int) -> tuple[PosedFrame, Any]:
    """The person of upstream's `record`, as our own pipeline would have it."""
    upstreams = {key: values[place] for key, values in record.items() if key not in _OF_FRAME}
    x, y, w, h = upstreams["bbox"].astype(np.float64)
    box = np.array([x, y, x + w, y + h])
    place_m = PaddedSquare.of(CAMERA).picture_translation_m(upstreams["camera"])
    smpl = upstreams["smpl"]
    pose = BodyPoses(
        np.concatenate([smpl["global_orient"], smpl["body_pose"]])[None],
        place_m[None],
        smpl["betas"][None],
    )
    mask = upstreams["mask"][0]
    person = Person(
        track_id=upstreams["tid"],
        provenance=Provenance.OBSERVED,
        tracking_confidence=1.0,
        confidence=float(upstreams["conf"]),
        box_xyxy_px=box,
        joint_confidence=np.ones(24),
        pose=pose,
        mask=Mask.read(mask["counts"], *mask["size"]),
    )
    joints_m = upstreams["3d_joints"][None, : len(HMR44)]
    bodies = PosedBodies(joints_m[:, :24], {HMR44.name: joints_m}, None)
    return PosedFrame(frame_of(record["time"], [person]), bodies), upstreams


_OF_FRAME = ("time", "shot", "frame_path", "tracked_ids", "tracked_bbox")


@pytest.mark.parametrize("place", [0, 1])
def test_the_numbers_of_upstreams_file_come_out_again(sample: Any, place: int) -> None:
    """But its crop cameras and joints, which are made up: only the body's origin is projected."""
    frame, upstreams = _person_of(next(iter(sample.values())), place)
    ours = joblib.load(BytesIO(b"".join(tracklet_file([frame], "sample.mp4", {}))))
    record = next(iter(ours.values()))
    for key, limit in {
        "bbox": PIXEL_LIMIT, "center": PIXEL_LIMIT, "scale": 1e-6, "camera": METRE_LIMIT,
        "conf": 0.0,
    }.items():  # fmt: skip
        assert np.abs(record[key][0] - upstreams[key]).max() <= limit, key
    np.testing.assert_array_equal(record["3d_joints"][0][:44], upstreams["3d_joints"][:44])
    np.testing.assert_allclose(record["2d_joints"][0][-2:], upstreams["2d_joints"][-2:], atol=1e-6)
    for key in ("tid", "tracked_time", "size", "class_name", "annotations", "mask", "img_name"):
        assert record[key][0] == upstreams[key], key
    for name, values in upstreams["smpl"].items():
        np.testing.assert_array_equal(record["smpl"][0][name], values)
    np.testing.assert_array_equal(record["tracked_bbox"][0], record["bbox"][0])


@pytest.mark.parametrize(("width", "height"), [(640, 360), (361, 640), (640, 361), (500, 500)])
def test_the_camera_is_the_trackers_also_where_the_padding_is_rounded(
    width: int, height: int
) -> None:
    camera = Camera(5000 / 256 * max(width, height), width, height)
    crop_cameras = np.array([[0.9, 0.1, -0.2]])
    squares = squares_around(np.array([[100.0, 50, 180, 300]]))
    (ours,) = picture_translations_m(crop_cameras, squares, camera)
    (trackers,) = tracker_translations_m(crop_cameras, squares, width, height)
    square = PaddedSquare.of(camera)
    np.testing.assert_allclose(square.translation_m(ours, camera), trackers, atol=1e-6)
    np.testing.assert_allclose(square.picture_translation_m(trackers), ours, atol=1e-6)
    units = square.projected(trackers[None])
    np.testing.assert_allclose(square.pixels(units)[0], camera.project(ours), atol=1e-3)


def test_the_crop_camera_and_the_projected_joints_are_those_that_lead_to_the_camera() -> None:
    (record,) = written(walk("o")).values()
    x, y, w, h = record["bbox"][0].astype(np.float64)
    squares = squares_around(np.array([[x, y, x + w, y + h]]))
    np.testing.assert_allclose(squares.centres_px[0], record["center"][0], atol=PIXEL_LIMIT)
    assert squares.sides_px[0] / WIDTH_PX == pytest.approx(record["scale"][0], abs=1e-6)
    crop_cameras = record["camera_bbox"][0][None].astype(np.float64)
    found = tracker_translations_m(crop_cameras, squares, WIDTH_PX, HEIGHT_PX)
    np.testing.assert_allclose(record["camera"], found, atol=1e-4)
    points_px = tracker_keypoints_px(record["3d_joints"][0][None], record["camera"][0][None])
    np.testing.assert_allclose(record["2d_joints"][0].reshape(45, 2), points_px[0] / 256, atol=1e-6)


def test_a_camera_of_another_focal_length_shows_the_body_at_its_place_and_size() -> None:
    camera = Camera(1.2 * WIDTH_PX, WIDTH_PX, HEIGHT_PX)
    square, place_m = PaddedSquare.of(camera), np.array([0.3, -0.2, 4.0])
    moved = square.translation_m(place_m, camera)
    units = square.projected(moved[None])
    np.testing.assert_allclose(square.pixels(units)[0], camera.project(place_m), atol=1e-6)
    assert square.focal_px / moved[2] == pytest.approx(camera.focal_px / place_m[2])


def test_tracked_time_tells_seen_filled_and_how_long_unseen() -> None:
    times = [record["tracked_time"] for record in written(walk("ppooippoi-pp")).values()]
    assert times == [[2], [1], [0], [0], [-1], [2], [3], [0], [-1], [], [3], [4]]


def test_only_who_is_seen_is_among_the_tracked() -> None:
    seen, unseen = smpl_person(7, 0), smpl_person(3, 0, Provenance.INTERPOLATED)
    record = next(iter(written([frame_of(0, [seen, unseen])]).values()))
    assert (record["tid"], record["tracked_ids"]) == ([3, 7], [7])
    np.testing.assert_array_equal(record["tracked_bbox"], record["bbox"][1:])


def test_nobody_is_a_record_of_empty_lists() -> None:
    record = next(iter(written(walk("-")).values()))
    lists = [value for value in record.values() if isinstance(value, list)]
    assert len(lists) == 20 and not any(lists)


def test_a_name_ends_at_its_first_dot_as_upstream_cuts_it() -> None:
    assert list(written(walk("o"), "a.b.mp4")) == ["outputs//_DEMO/a/img/000001.jpg"]


def test_a_known_mask_is_kept_and_an_unknown_one_is_the_box() -> None:
    (record,) = written(walk("o")).values()
    (mask,) = record["mask"][0]
    pixels = Mask.read(mask["counts"], *mask["size"]).pixels()
    x, y, w, h = record["bbox"][0].round().astype(int)
    assert pixels.sum() == w * h
    assert pixels[y : y + h, x : x + w].all()


@pytest.mark.parametrize(
    "box",
    [
        (2, 1, 5, 3), (0, 0, 8, 6), (0, 1, 8, 6), (3, 0, 4, 6), (-5, -5, 2.4, 3.6), (7, 5, 8, 6),
        (9, 9, 12, 12), (3, 3, 3, 5),
    ],
)  # fmt: skip
def test_a_box_as_a_mask_is_the_box_pixel_by_pixel(box: tuple[float, ...]) -> None:
    left, top, right, bottom = np.clip(np.round(box), 0, [8, 6, 8, 6]).astype(int)
    wanted = np.zeros((6, 8), bool)
    wanted[top:bottom, left:right] = True
    mask = box_mask(np.array(box, float), width_px=8, height_px=6)
    np.testing.assert_array_equal(mask.pixels(), wanted)
    np.testing.assert_array_equal(mask.runs, Mask.of(wanted).runs)


def test_a_body_without_the_44_joints_is_refused() -> None:
    frames = walk("o")
    bodies = PosedBodies(np.zeros((1, 24, 3)), {}, None)
    with pytest.raises(BadRequestError, match="tracklets need the joints hmr44"):
        b"".join(tracklet_file([PosedFrame(frames[0], bodies)], "a", {}))
