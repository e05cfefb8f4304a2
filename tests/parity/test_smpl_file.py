"""The user's SMPL file in every form it is handed out in, and all that is mistaken for it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from standin_smpl import (
    Arrays,
    standin_body,
    standin_extra_joints,
    with_foreign_objects,
    write_pickle,
    write_python2_pickle,
)

from pose_service.bodies.smpl_file import (
    EXPECTED_NAMES,
    NAMES_BY_GENDER,
    SmplFile,
    read_extra_joints,
    read_smpl,
)
from pose_service.core.errors import EngineError


class Touch:
    """Pickles as a call that leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.system, (f"touch {self.path}",)


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    return standin_body()


def assert_whole(body: SmplFile, arrays: Arrays) -> None:
    for came, wanted in (
        (body.template_m, "v_template"),
        (body.shape_basis_m, "shapedirs"),
        (body.pose_basis_m, "posedirs"),
        (body.joint_regressor, "J_regressor"),
        (body.skin_weights, "weights"),
    ):
        assert came.dtype == np.float32
        np.testing.assert_array_equal(came, arrays[wanted].astype(np.float32), err_msg=wanted)
    np.testing.assert_array_equal(body.faces, arrays["f"])


def refused(path: Path) -> str:
    """The message of the error that reading `path` ends with; it says where to get the file."""
    with pytest.raises(EngineError) as caught:
        read_smpl(path)
    assert str(path) in str(caught.value)
    assert "https://smpl.is.tue.mpg.de" in caught.value.hint
    assert all(name in caught.value.hint for name in EXPECTED_NAMES)
    return str(caught.value)


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("sparse_module", ["scipy.sparse.csc", "scipy.sparse._csc"])
def test_a_pickle_with_chumpy_and_scipy_objects_is_read_without_those_packages(
    tmp_path: Path, arrays: Arrays, protocol: int, sparse_module: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        content = with_foreign_objects(patch, arrays, sparse_module)
        path = write_pickle(tmp_path / "SMPL_NEUTRAL.pkl", content, protocol)
    assert b"chumpy" in path.read_bytes()
    body = read_smpl(path)
    assert_whole(body, arrays)
    assert body.source == path


def test_a_pickle_of_python_2_is_read(tmp_path: Path, arrays: Arrays) -> None:
    path = tmp_path / "basicModel_neutral_lbs_10_207_0_v1.0.0.pkl"
    with pytest.MonkeyPatch.context() as patch:
        write_python2_pickle(path, with_foreign_objects(patch, arrays))
    assert_whole(read_smpl(path), arrays)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_a_pickle_of_plain_arrays_is_read(tmp_path: Path, arrays: Arrays, protocol: int) -> None:
    content = {**arrays, "bs_style": "lbs", "vert_sym_idxs": np.arange(6890)}
    assert_whole(read_smpl(write_pickle(tmp_path / "SMPL_NEUTRAL.pkl", content, protocol)), arrays)


@pytest.mark.parametrize("name", ["SMPL_NEUTRAL.npz", "SMPL_NEUTRAL.pkl"])
def test_an_archive_is_read_by_whatever_name(tmp_path: Path, arrays: Arrays, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        np.savez(file, **arrays, gender=np.array("neutral"))
    assert_whole(read_smpl(path), arrays)


def test_a_pickle_named_npz_is_read(tmp_path: Path, arrays: Arrays) -> None:
    assert_whole(read_smpl(write_pickle(tmp_path / "SMPL_NEUTRAL.npz", arrays)), arrays)


def test_only_the_first_ten_of_300_shapes_are_used(tmp_path: Path, arrays: Arrays) -> None:
    more = np.concatenate([arrays["shapedirs"], np.ones((6890, 3, 290))], axis=2)
    path = write_pickle(tmp_path / "SMPL_NEUTRAL.pkl", {**arrays, "shapedirs": more}, 4)
    assert_whole(read_smpl(path), arrays)


def test_entries_of_a_sparse_matrix_that_share_a_place_add_up(
    tmp_path: Path, arrays: Arrays
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        content = with_foreign_objects(patch, arrays)
        state = content["J_regressor"].__dict__
        for name in ("data", "indices"):
            state[name] = np.repeat(state[name], 2)
        state["data"], state["indptr"] = state["data"] / 2, state["indptr"] * 2
        path = write_pickle(tmp_path / "SMPL_NEUTRAL.pkl", content)
    assert_whole(read_smpl(path), arrays)


def test_a_hostile_body_file_is_not_run_and_its_function_is_named(
    tmp_path: Path, arrays: Arrays
) -> None:
    trace = tmp_path / "trace"
    with pytest.MonkeyPatch.context() as patch:
        content = with_foreign_objects(patch, arrays) | {"J": Touch(trace)}
        path = write_pickle(tmp_path / "SMPL_NEUTRAL.pkl", content)
    assert f"`{os.system.__module__}.system`" in refused(path)
    assert not trace.exists()


def test_only_placeholders_are_made_in_the_way_of_the_oldest_protocols(tmp_path: Path) -> None:
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(b"ccopy_reg\n_reconstructor\n(c__builtin__\nset\nc__builtin__\nobject\nNtR.")
    assert "set is nothing that a body file makes" in refused(path)


@pytest.mark.parametrize(
    ("name", "sex"),
    [
        ("SMPL_MALE.pkl", "male"),
        ("SMPL_FEMALE.npz", "female"),
        ("basicModel_f_lbs_10_207_0_v1.0.0.pkl", "female"),
        ("basicmodel_m_lbs_10_207_0_v1.1.0.pkl", "male"),
    ],
)
def test_the_male_and_the_female_body_are_refused_by_name(
    tmp_path: Path, arrays: Arrays, name: str, sex: str
) -> None:
    path = write_pickle(tmp_path / name, arrays, 4)
    assert f"it is the {sex} body" in refused(path)
    link = tmp_path / "SMPL_NEUTRAL.pkl"
    link.symlink_to(path)
    assert f"it is the {sex} body" in refused(link)


@pytest.mark.parametrize("gender", ["male", "female"])
def test_the_body_of_a_gender_is_read_where_it_is_wanted(
    tmp_path: Path, arrays: Arrays, gender: str
) -> None:
    for name in NAMES_BY_GENDER[gender]:
        path = write_pickle(tmp_path / name, arrays, 4)
        assert_whole(read_smpl(path, gender), arrays)
    unnamed = write_pickle(tmp_path / "body.pkl", arrays, 4)
    assert_whole(read_smpl(unnamed, gender), arrays)
    neutral = write_pickle(tmp_path / "SMPL_NEUTRAL.pkl", arrays, 4)
    with pytest.raises(EngineError, match=f"as the {gender} SMPL body: it is the neutral body"):
        read_smpl(neutral, gender)


def test_a_letter_within_a_word_says_no_sex(tmp_path: Path, arrays: Arrays) -> None:
    assert_whole(read_smpl(write_pickle(tmp_path / "smpl_f32.pkl", arrays, 4)), arrays)


@pytest.mark.parametrize("sex", ["male", "female"])
def test_a_body_that_says_its_sex_is_believed(tmp_path: Path, arrays: Arrays, sex: str) -> None:
    path = tmp_path / "SMPL_NEUTRAL.npz"
    np.savez(path, **arrays, gender=np.array(sex))
    assert f"it is the {sex} body" in refused(path)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"v_template": np.zeros((10475, 3)), "weights": np.zeros((10475, 55))}, "SMPL-X body"),
        ({"weights": np.zeros((6890, 52)), "posedirs": np.zeros((6890, 3, 459))}, "SMPL+H body"),
        ({"v_template": np.zeros((778, 3)), "weights": np.zeros((778, 16))}, "MANO body"),
        ({"v_template": np.zeros((5023, 3)), "weights": np.zeros((5023, 5))}, "FLAME body"),
        ({"posedirs": np.zeros((6890, 3, 93))}, r"posedirs: expected (6890, 3, 207)"),
        ({"shapedirs": np.zeros((6890, 3, 8))}, "shapedirs: expected (6890, 3, 10)"),
        ({"shapedirs": np.zeros(6890)}, "shapedirs: expected"),
        ({"f": np.zeros((7, 3), np.uint32)}, "f: expected (13776, 3)"),
        ({"f": np.full((13776, 3), 6890, np.uint32)}, "f: expected vertex numbers below 6890"),
        ({"f": np.zeros((13776, 3))}, "f: expected vertex numbers, got float64"),
        ({"weights": np.full((6890, 24), np.nan)}, "weights: numbers were expected, got NaN"),
        ({"v_template": np.full((6890, 3), np.inf)}, "v_template: numbers were expected, got NaN"),
        ({"kintree_table": np.zeros((2, 24), np.uint32)}, "kintree_table: its joints"),
        ({"kintree_table": np.zeros((2, 55), np.uint32)}, "kintree_table: expected (2, 24)"),
        ({"J_regressor": "dense"}, "an array was expected, got str"),
        ({"weights": np.float64(1)}, "cannot be used"),
        ({"v_template": np.float64(1)}, "cannot be used"),
    ],
)
def test_another_body_and_wrong_numbers_are_told(
    tmp_path: Path, arrays: Arrays, changed: dict[str, Any], named: str
) -> None:
    assert named in refused(write_pickle(tmp_path / "SMPL_NEUTRAL.pkl", {**arrays, **changed}, 4))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("indices", np.full(6890, 24)),
        ("indices", np.zeros(3, int)),
        ("indptr", np.arange(5)),
        ("indptr", np.array([0, 2**60])),
        ("_shape", (10**9, 10**9)),
        ("_shape", (6890, 24)),
        ("_shape", 24),
        ("data", np.ones(3)),
    ],
)
def test_a_sparse_matrix_that_does_not_fit_is_told(
    tmp_path: Path, arrays: Arrays, place: str, value: object
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        content = with_foreign_objects(patch, arrays)
        content["J_regressor"].__dict__[place] = value
        path = write_pickle(tmp_path / "SMPL_NEUTRAL.pkl", content, 4)
    assert "cannot be used as the neutral SMPL body" in refused(path)


def test_an_array_that_holds_itself_is_told(tmp_path: Path, arrays: Arrays) -> None:
    with pytest.MonkeyPatch.context() as patch:
        content = with_foreign_objects(patch, arrays)
        content["v_template"].__dict__["x"] = content["v_template"]
        path = write_pickle(tmp_path / "SMPL_NEUTRAL.pkl", content, 4)
    assert "recursion" in refused(path)


def test_a_file_with_other_entries_says_which_it_has(tmp_path: Path) -> None:
    path = write_pickle(tmp_path / "SMPL_NEUTRAL.pkl", {"pose": np.zeros(144), "betas": 1})
    assert "it lacks v_template, shapedirs" in refused(path)
    assert "(it has betas, pose)" in refused(path)
    assert "a dict was expected" in refused(write_pickle(path, np.zeros(3)))
    np.savez(tmp_path / "SMPL_NEUTRAL.npz", pose=np.zeros(144))
    assert "it lacks v_template" in refused(tmp_path / "SMPL_NEUTRAL.npz")


def test_missing_empty_and_cut_files_are_told(tmp_path: Path, arrays: Arrays) -> None:
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    assert "there is no such file" in refused(path)
    path.write_bytes(b"")
    assert "it is empty" in refused(path)
    path.write_bytes(b"<html>Sign in</html>")
    assert "a web page: the download wanted a login" in refused(path)
    whole = write_pickle(path, arrays, 4).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "ends early or is damaged" in refused(path)


@pytest.mark.parametrize("name", ["SMPL_NEUTRAL.npz", "SMPL_NEUTRAL.pkl"])
def test_a_cut_archive_is_told_by_whatever_name(tmp_path: Path, arrays: Arrays, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        np.savez(file, **arrays)
    path.write_bytes(path.read_bytes()[:-5000])
    assert "ends early or is damaged" in refused(path)


def test_an_archive_with_a_number_that_is_none_is_told(tmp_path: Path, arrays: Arrays) -> None:
    path = tmp_path / "SMPL_NEUTRAL.npz"
    np.savez(path, **{**arrays, "posedirs": np.full((6890, 3, 207), np.nan)})
    assert "posedirs: numbers were expected, got NaN" in refused(path)


def test_an_archive_with_the_regressor_as_an_object_is_told(tmp_path: Path, arrays: Arrays) -> None:
    path = tmp_path / "SMPL_NEUTRAL.npz"
    np.savez(path, **{**arrays, "J_regressor": np.array({"data": 1}, object)})
    assert "Python objects" in refused(path)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_the_matrix_of_further_joints_is_read(tmp_path: Path, protocol: int) -> None:
    matrix = standin_extra_joints()
    came = read_extra_joints(write_pickle(tmp_path / "SMPL_to_J19.pkl", matrix, protocol))
    assert came.dtype == np.float32
    assert type(came) is np.ndarray
    np.testing.assert_array_equal(came, matrix.astype(np.float32))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (np.zeros((17, 6890)), "expected (19, 6890), got (17, 6890)"),
        (np.full((19, 6890), np.inf), "got NaN or infinity"),
        ({"matrix": 1}, "an array was expected, got dict"),
        (Touch(Path("trace")), "system`"),
    ],
)
def test_another_matrix_is_told(tmp_path: Path, content: object, named: str) -> None:
    path = write_pickle(tmp_path / "SMPL_to_J19.pkl", content)
    with pytest.raises(EngineError) as caught:
        read_extra_joints(path)
    assert named in str(caught.value)
    assert "hmr2_data.tar.gz" in caught.value.hint
