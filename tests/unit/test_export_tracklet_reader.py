"""Tracklet files read back: upstream's, ours, and files that want to be run or to fill memory."""

import json
import os
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from export_kit import CAMERA, SAMPLE, joints44_m, posed, smpl_person, walk

from pose_service.core.errors import BadRequestError
from pose_service.core.records import TrackedFrame
from pose_service.core.skeletons import HMR44
from pose_service.export.joint_table import tracklet_table
from pose_service.export.tracklet_json import frame_fields
from pose_service.export.tracklet_records import TrackletFrame, read_tracklets
from pose_service.export.tracklets import first_sights, tracklet_file
from pose_service.legacy.encode import encode


def write_clip(path: Path, frames: list[TrackedFrame]) -> Path:
    path.write_bytes(b"".join(tracklet_file(posed(frames), "a.mp4", first_sights(frames))))
    return path


def refused(path: Path) -> str:
    """What the error says; it names the file."""
    with pytest.raises(BadRequestError) as caught:
        list(read_tracklets(path))
    assert str(path) in str(caught.value)
    assert "track.py" in caught.value.hint
    return str(caught.value)


def test_upstreams_own_file_reads_as_joblib_reads_it() -> None:
    content = joblib.load(SAMPLE)
    frames = list(read_tracklets(SAMPLE))
    assert [frame.path for frame in frames] == list(content)
    assert [frame.size_px for frame in frames] == [(1280, 720)] * 3
    for frame, record in zip(frames, content.values(), strict=True):
        assert [person.track_id for person in frame.people] == record["tid"]
        for place, person in enumerate(frame.people):
            smpl = record["smpl"][place]
            rotations = np.concatenate([smpl["global_orient"], smpl["body_pose"]])
            np.testing.assert_array_equal(person.rotations, rotations)
            np.testing.assert_array_equal(person.betas, smpl["betas"])
            np.testing.assert_array_equal(person.joints_m, record["3d_joints"][place][:44])
            x, y, w, h = record["bbox"][place].astype(np.float64)
            np.testing.assert_allclose(person.box_xyxy_px, [x, y, x + w, y + h])


def test_upstreams_ghost_is_called_a_repeat() -> None:
    words = [[person.provenance for person in frame.people] for frame in read_tracklets(SAMPLE)]
    assert words == [["observed"] * 2, ["observed"] * 2, ["observed", "repeated"]]


def test_our_own_file_comes_back_in_the_pictures_pixels_and_metres(tmp_path: Path) -> None:
    frames = walk("oip")
    read = list(read_tracklets(write_clip(tmp_path / "a.pkl", frames)))
    assert [frame.people[0].provenance for frame in read] == [
        "observed", "interpolated", "predicted"
    ]  # fmt: skip
    for index, frame in enumerate(read):
        person, back = smpl_person(1, index), frame.people[0]
        place_m = person.pose.translations_m[0]
        # float32 of numbers up to 30 m and 1280 px, which are then taken apart and put together
        np.testing.assert_allclose(back.translation_m, place_m, atol=1e-5)
        np.testing.assert_allclose(back.joints_m, joints44_m(person), atol=1e-6)
        points_px = CAMERA.project(joints44_m(person) + place_m)
        np.testing.assert_allclose(back.joints_px, points_px, atol=1e-3)
        np.testing.assert_allclose(back.rotations, person.pose.rotations[0], atol=1e-6)


def test_json_has_the_names_and_units_of_the_answers() -> None:
    frames = [json.loads(encode(frame_fields(frame))) for frame in read_tracklets(SAMPLE)]
    assert [frame["frame_number"] for frame in frames] == [0, 1, 2]
    person = frames[0]["persons"][0]
    assert np.shape(person["smpl"]["body_pose"]) == (23, 3, 3)
    assert person["camera"]["focal_length"] == 5000 / 256 * 1280
    points = person["joint_sets"]["hmr44"]
    assert points["names"] == list(HMR44.joints)
    upstreams = next(iter(joblib.load(SAMPLE).values()))["2d_joints"][0].reshape(45, 2)[:44]
    # a landscape picture is padded above and below
    wanted = upstreams * 1280 - [0, 280]
    np.testing.assert_allclose(points["points_px"], wanted, atol=1e-3)


def test_a_table_has_a_row_for_each_person_of_each_frame() -> None:
    head, *rows = b"".join(tracklet_table(read_tracklets(SAMPLE))).decode().splitlines()
    assert len(head.split(",")) == 9 + 5 * 44
    assert {len(row.split(",")) for row in rows} == {9 + 5 * 44}
    assert [row.split(",")[:4] for row in rows][-1] == ["2", "", "2", "repeated"]


@pytest.mark.parametrize("compress", [0, 1, 9])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_files_of_other_protocols_and_levels_read_the_same(
    tmp_path: Path, compress: int, protocol: int
) -> None:
    path = tmp_path / "a.pkl"
    joblib.dump(joblib.load(SAMPLE), path, compress=compress, protocol=protocol)
    assert _same(list(read_tracklets(path)), list(read_tracklets(SAMPLE)))


def test_a_file_of_numpy_1_and_an_older_joblib_reads_the_same(tmp_path: Path) -> None:
    class Older(joblib.numpy_pickle.NumpyPickler):  # type: ignore[misc]
        """Without the padding of arrays, as before joblib 1.2."""

        def _create_array_wrapper(self, array: Any) -> Any:
            wrapper = super()._create_array_wrapper(array)
            wrapper.numpy_array_alignment_bytes = None
            return wrapper

    path = tmp_path / "a.pkl"
    with path.open("wb") as file:
        Older(file, protocol=2).dump(joblib.load(SAMPLE))
    older = path.read_bytes().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    assert b"numpy.core.multiarray" in older
    path.write_bytes(zlib.compress(older, 3))
    assert _same(list(read_tracklets(path)), list(read_tracklets(SAMPLE)))


def _same(first: list[TrackletFrame], second: list[TrackletFrame]) -> bool:
    return [encode(frame_fields(f)) for f in first] == [encode(frame_fields(f)) for f in second]


class Calls:
    """Pickles as the call `function(*arguments)`."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def test_a_hostile_file_is_not_run_and_its_function_is_named(tmp_path: Path) -> None:
    path, trace = tmp_path / "a.pkl", tmp_path / "trace"
    joblib.dump({**joblib.load(SAMPLE), "x": Calls(os.system, f"touch {trace}")}, path, compress=3)
    assert f"`{os.system.__module__}.system`" in refused(path)
    assert not trace.exists()
    joblib.load(path)
    assert trace.exists(), "the proof that it works elsewhere"


def test_a_function_hidden_in_an_array_of_objects_is_not_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "a.pkl", tmp_path / "trace"
    hidden = np.array([Calls(os.system, f"touch {trace}")], object)
    joblib.dump({"a": {"time": hidden}}, path, compress=3)
    assert "an array of type 'O8'" in refused(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    "name", ["joblib.numpy_pickle.NumpyPickler", "numpy.load", "builtins.eval"]
)
def test_names_beside_the_few_are_refused(tmp_path: Path, name: str) -> None:
    module, _, attribute = name.rpartition(".")
    path = tmp_path / "a.pkl"
    path.write_bytes(f"c{module}\n{attribute}\n.".encode().join([b"\x80\x02", b""]))
    assert f"`{name}`" in refused(path)


@pytest.mark.parametrize("kept", [0.01, 0.5, 0.99, 0.9999])
def test_a_file_that_ends_early_is_called_damaged(tmp_path: Path, kept: float) -> None:
    path, whole = tmp_path / "a.pkl", SAMPLE.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    assert "ends early or is damaged" in refused(path)


def test_any_changed_byte_is_found(tmp_path: Path) -> None:
    path, whole = tmp_path / "a.pkl", SAMPLE.read_bytes()
    for place in range(0, len(whole), 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
        assert refused(path)


def test_any_changed_byte_of_an_unpacked_file_gives_frames_or_a_clear_error(tmp_path: Path) -> None:
    path, whole = tmp_path / "a.pkl", zlib.decompress(SAMPLE.read_bytes())
    outcomes = set()
    for place in range(2, len(whole), 31):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
        try:
            outcomes.add(len(list(read_tracklets(path))) > 0)
        except BadRequestError:
            outcomes.add(False)
    assert outcomes == {True, False}


def test_a_file_that_unpacks_without_end_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(zlib.compress(b"\x80\x04]" + b"N0" * (20 * 1024**2)))
    assert path.stat().st_size < 64 * 1024
    assert "unpacks to far more" in refused(path)


@pytest.mark.parametrize("shape", [(10**6, 10**6), (2**40,), (2**62, 2**62), (-1, 3), (-2, -2)])
def test_an_array_larger_than_the_file_costs_no_memory(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    wrapper = joblib.numpy_pickle.NumpyArrayWrapper(np.ndarray, shape, "C", np.dtype("f8"))
    path = tmp_path / "a.pkl"
    path.write_bytes(zlib.compress(pickle.dumps({"a": wrapper}, 4) + b"\0" * 1000))
    refused(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1, 2], "a dictionary of frames was expected"),
        ({1: {}}, "a dictionary of frames was expected"),
        ({"a": {}}, "size: pairs"),
        ({"a": 5}, "size: pairs"),
        ({"a": {"size": [[720, 1280], [1, 2]]}}, "one size of all frames"),
        ({"a": {"size": [[0, 1280]]}}, "one size of all frames"),
        ({"a": {"size": []}}, "frame 'a' lacks"),
        ({"a": {"size": [["x", "y"]]}}, "size: pairs"),
    ],
)
def test_other_content_is_told(tmp_path: Path, content: object, said: str) -> None:
    path = tmp_path / "a.pkl"
    joblib.dump(content, path, compress=3)
    assert said in refused(path)


def _changed(key: str, value: object) -> Any:
    content = joblib.load(SAMPLE)
    next(iter(content.values()))[key] = value
    return content


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("bbox", [np.zeros(3), np.zeros(4)], "bbox: expected (4,), got (3,)"),
        ("bbox", [np.zeros(4)], "shorter"),
        ("camera", [np.full(3, np.nan)] * 2, "camera: numbers were expected, got NaN"),
        ("3d_joints", [[1, 2, 3]] * 2, "an array was expected, got list"),
        ("smpl", [{}] * 2, "lacks 'global_orient'"),
        ("smpl", [None] * 2, "'NoneType'"),
        ("tid", ["x", "y"], "invalid literal"),
        ("time", None, "int()"),
    ],
)
def test_a_wrong_value_is_told_with_its_frame(
    tmp_path: Path, key: str, value: object, said: str
) -> None:
    path = tmp_path / "a.pkl"
    joblib.dump(_changed(key, value), path, compress=3)
    message = refused(path)
    assert said in message and "000001.jpg" in message


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x1f\x8b\x08\0", b"PK\x03\x04"])
def test_another_file_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    assert "neither a pickle nor packed by zlib" in refused(path)


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    assert "there is no such file" in refused(tmp_path / "none.pkl")
    assert "cannot be read" in refused(tmp_path)


def test_a_file_without_people_has_frames_of_unknown_size(tmp_path: Path) -> None:
    frames = list(read_tracklets(write_clip(tmp_path / "a.pkl", walk("--"))))
    assert [(frame.index, frame.size_px, frame.people) for frame in frames] == [
        (0, None, ()), (1, None, ())
    ]  # fmt: skip
