"""PHALP's official files: known by what they hold; bad ones are told, hostile ones not run."""

import builtins
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import standin_phalp
import torch
from files_kit import serving, to
from standin_phalp import TINY, write_appearance, write_arrays, write_predictor, write_settings

from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.core.files import OfficialFile
from pose_service.phalp.assembly import (
    PredictorFiles,
    load_looks,
    load_predictor,
    load_texture_maps,
)
from pose_service.phalp.files import (
    APPEARANCE,
    BMAP,
    FMAP,
    MEAN_STD,
    PHALP_EXTRA_SOURCES,
    PHALP_SOURCES,
    POSE_PREDICTOR,
    POSE_SETTINGS,
)
from pose_service.runtime.obtain import obtain
from pose_service.runtime.offline import take_from
from pose_service.runtime.weights import located

CPU = torch.device("cpu")
REMEDY = "Run fetch-weights."
FACES = np.arange(60).reshape(20, 3) % 14
ALL = (APPEARANCE, POSE_PREDICTOR, POSE_SETTINGS, MEAN_STD, BMAP, FMAP)
CACHE = {
    APPEARANCE: "weights/hmar_v2_weights.pth",
    POSE_PREDICTOR: "weights/pose_predictor.pth",
    POSE_SETTINGS: "weights/pose_predictor.yaml",
    MEAN_STD: "3D/mean_std.npy",
    BMAP: "3D/bmap_256.npy",
    FMAP: "3D/fmap_256.npy",
}


@dataclass(frozen=True)
class Makes:
    """A pickle that makes the folder `trap` when it is opened."""

    trap: Path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.trap),)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder."""
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("HOME", str(path))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All six files, under their own names."""
    path = tmp_path / "official"
    path.mkdir()
    write_appearance(path / APPEARANCE.name)
    write_predictor(path / POSE_PREDICTOR.name)
    write_settings(path / POSE_SETTINGS.name)
    write_arrays(path, len(FACES))
    return path


def test_files_are_opened_to_parts_that_run(folder: Path) -> None:
    files = PredictorFiles(
        folder / POSE_PREDICTOR.name, folder / MEAN_STD.name, folder / POSE_SETTINGS.name
    )
    predictor = load_predictor(files, device=CPU, remedy=REMEDY)
    assert predictor.network.last.attention.heads == (2, 64)
    poses = np.array([[standin_phalp.pose(1, frame) for frame in range(7)]])
    found = predictor(poses, np.arange(7)[None], np.zeros(1, np.int64))
    assert found.shape == (1, 229)
    assert np.isfinite(found).all()
    maps = load_texture_maps(
        folder / BMAP.name, folder / FMAP.name, FACES, device=CPU, remedy=REMEDY
    )
    assert maps.corners.max() < 14
    looks = load_looks(folder / APPEARANCE.name, device=CPU, remedy=REMEDY)
    texture = torch.from_numpy(standin_phalp.encoder_texture(0))
    assert looks.costs([texture], [texture], np.ones((1, 1), bool)) == 0
    assert not any(each.requires_grad for each in looks.encoder.parameters())


def test_normalisation_of_the_file_is_that_of_the_network(folder: Path) -> None:
    files = PredictorFiles(folder / POSE_PREDICTOR.name, folder / MEAN_STD.name)
    network = load_predictor(files, device=CPU, remedy=REMEDY).network
    wanted = standin_phalp.golden("pose_predictor")
    np.testing.assert_array_equal(network.mean[:226], wanted["mean"][0])
    np.testing.assert_array_equal(network.std[:226], wanted["std"][0])
    # what the file does not reach: SPEC says 0 and 1
    assert network.mean[226:].tolist() == [0, 0, 0]
    assert network.std[226:].tolist() == [1, 1, 1]


@pytest.mark.parametrize("file", ALL, ids=lambda file: file.name)
def test_a_file_is_found_where_upstream_s_programs_keep_it(
    folder: Path, home: Path, tmp_path: Path, file: OfficialFile
) -> None:
    path = home / ".cache" / "phalp" / CACHE[file]
    path.parent.mkdir(parents=True)
    (folder / file.name).rename(path)
    assert located(file, Settings(data_dir=tmp_path)) == path


@pytest.mark.parametrize("file", ALL, ids=lambda file: file.name)
def test_the_right_file_passes_its_full_check(folder: Path, file: OfficialFile) -> None:
    assert file.check is not None
    file.check(folder / file.name)


def test_every_source_has_both_official_addresses() -> None:
    remote = {source.name: source.urls for source in (*PHALP_SOURCES, *PHALP_EXTRA_SOURCES)}
    assert set(remote) == {file.name for file in ALL}
    new, old = remote[POSE_PREDICTOR.name]
    assert new == "https://www.cs.utexas.edu/~pavlakos/phalp/weights/pose_predictor_40006.ckpt"
    assert old.startswith("https://people.eecs.berkeley.edu/~jathushan/projects/phalp/weights/")
    # not below 3D/, unlike its place on a machine
    assert remote[BMAP.name][0].endswith("/phalp/bmap_256.npy")
    assert remote[FMAP.name][0].endswith("/phalp/fmap_256.npy")
    assert remote[MEAN_STD.name][0].endswith("/phalp/3D/mean_std.npy")
    assert remote[POSE_SETTINGS.name][0].endswith("/phalp/weights/config_40006.yaml")


def test_a_fetched_file_is_checked_and_gets_its_local_name(folder: Path, tmp_path: Path) -> None:
    (source,) = (each for each in PHALP_SOURCES if each.files == (POSE_PREDICTOR,))
    with serving() as server:
        server.content = (folder / POSE_PREDICTOR.name).read_bytes()
        obtain(to(tmp_path, replace(source, urls=(f"{server.url}/pose_predictor_40006.ckpt",))))
    assert (tmp_path / "4dhumans" / "pose_predictor.pth").read_bytes() == server.content


def test_files_are_taken_from_a_folder_under_their_remote_names(
    folder: Path, tmp_path: Path
) -> None:
    (folder / POSE_PREDICTOR.name).rename(folder / "pose_predictor_40006.ckpt")
    take_from(folder, tuple(to(tmp_path, source) for source in PHALP_SOURCES))
    for source in PHALP_SOURCES:
        assert located(source.files[0], Settings(data_dir=tmp_path)).parent.name == "4dhumans"


def as_text(path: Path) -> None:
    path.write_text("<html>404</html>")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def removed(path: Path) -> None:
    path.unlink()


# half of a text of settings is such a text: what is not there is not asked for
@pytest.mark.parametrize(
    ("file", "spoil"),
    [
        (file, spoil)
        for file in ALL
        for spoil in (as_text, emptied, cut_short, removed)
        if (file, spoil) != (POSE_SETTINGS, cut_short)
    ],
)
def test_a_file_that_is_none_or_damaged_is_told_with_the_remedy(
    folder: Path, file: OfficialFile, spoil: Callable[[Path], None]
) -> None:
    path = folder / file.name
    spoil(path)
    assert file.check is not None
    with pytest.raises(EngineError, match=file.name) as refusal:
        file.check(path)
    assert "fetch-weights 4dhumans" in refusal.value.hint


@pytest.mark.parametrize("file", [APPEARANCE, POSE_PREDICTOR], ids=lambda file: file.name)
def test_hostile_checkpoint_is_refused_and_nothing_of_it_is_run(
    folder: Path, file: OfficialFile
) -> None:
    path = folder / file.name
    entry = {APPEARANCE: "model", POSE_PREDICTOR: "state_dict"}[file]
    hostile = Makes(folder / "trap")
    torch.save({entry: {"a": torch.zeros(2)}, "hyper_parameters": hostile}, path)
    assert file.check is not None
    with pytest.raises(EngineError, match=r"(posix|os)\.mkdir"):
        file.check(path)
    assert not (folder / "trap").exists()


@pytest.mark.parametrize("file", [MEAN_STD, BMAP, FMAP], ids=lambda file: file.name)
def test_hostile_array_is_refused_and_nothing_of_it_is_run(
    folder: Path, file: OfficialFile
) -> None:
    path = folder / file.name
    np.save(path, np.array([Makes(folder / "trap"), None], dtype=object), allow_pickle=True)
    assert file.check is not None
    with pytest.raises(EngineError, match=file.name):
        file.check(path)
    assert not (folder / "trap").exists()


@pytest.mark.parametrize(
    ("file", "array", "complaint"),
    [
        (BMAP, np.zeros((256, 256)), r"\(256, 256, 3\) was expected, got \(256, 256\)"),
        (BMAP, np.zeros((256, 256, 3), np.int64), "real numbers"),
        (FMAP, np.zeros((255, 256)), r"\(256, 256\) was expected"),
        (FMAP, np.full((256, 256), 0.5), "whole numbers"),
        (FMAP, np.full((256, 256), np.nan), "whole numbers"),
        (FMAP, np.full((256, 256), np.inf), "whole numbers"),
        (MEAN_STD, np.zeros((3, 1, 226)), r"at most 229"),
        (MEAN_STD, np.zeros((2, 1, 230)), r"at most 229"),
        (MEAN_STD, np.zeros((2, 2, 226)), r"at most 229"),
        (MEAN_STD, np.float64(3), r"at most 229"),
        (MEAN_STD, np.full((2, 1, 226), np.nan), "NaN"),
        (MEAN_STD, np.full((2, 1, 226), -1.0), "negative"),
    ],
)
def test_other_arrays_are_told(
    folder: Path, file: OfficialFile, array: object, complaint: str
) -> None:
    np.save(folder / file.name, array)
    assert file.glance is not None
    with pytest.raises(EngineError, match=complaint):
        file.glance(folder / file.name)


def test_normalisation_may_be_two_arrays_in_one_of_objects(folder: Path) -> None:
    """Upstream allows a pickle there: the official file may be one."""
    both = np.empty(2, dtype=object)
    both[:] = [np.full((1, 226), 2.0), np.full((1, 226), 3.0)]
    np.save(folder / MEAN_STD.name, both, allow_pickle=True)
    files = PredictorFiles(folder / POSE_PREDICTOR.name, folder / MEAN_STD.name)
    network = load_predictor(files, device=CPU, remedy=REMEDY).network
    assert network.mean[[0, 225, 226]].tolist() == [2, 2, 0]
    assert network.std[[0, 225, 226]].tolist() == [3, 3, 1]


def test_texels_on_faces_that_the_body_does_not_have_are_told(folder: Path) -> None:
    with pytest.raises(EngineError, match="names face 19, the body has 19") as refusal:
        load_texture_maps(
            folder / BMAP.name, folder / FMAP.name, FACES[:19], device=CPU, remedy=REMEDY
        )
    assert refusal.value.hint == REMEDY


def test_predictor_of_other_sizes_is_opened_as_it_is(folder: Path) -> None:
    other = replace(TINY, width=24, frames=45, blocks=1, inner=64, pose_width=9)
    path = write_predictor(folder / "other.pth", other)
    files = PredictorFiles(path, folder / MEAN_STD.name)
    network = load_predictor(files, device=CPU, remedy=REMEDY).network
    assert network.first_positions.shape == (1, 45, 24)
    assert len(network.blocks) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name: a\n", "no `configs`"),
        ("configs:\n  mask_type_test: random\n", "zero was expected"),
        ("configs:\n  transformer:\n    heads: many\n", "a number was expected"),
        ("configs:\n  transformer:\n    heads: 3\n", "cannot be 3 equal heads"),
        ("configs:\n  transformer:\n    conv:\n      stride: 6\n      pad: 2\n", "No stride"),
    ],
)
def test_settings_that_do_not_fit_are_told(folder: Path, text: str, complaint: str) -> None:
    path = folder / POSE_SETTINGS.name
    path.write_text(text)
    files = PredictorFiles(folder / POSE_PREDICTOR.name, folder / MEAN_STD.name, path)
    with pytest.raises(EngineError, match=complaint) as refusal:
        load_predictor(files, device=CPU, remedy=REMEDY)
    assert refusal.value.hint == REMEDY


def test_a_pickle_instead_of_settings_is_text_at_most(folder: Path) -> None:
    (folder / POSE_SETTINGS.name).write_bytes(pickle.dumps(Makes(folder / "trap")))
    assert POSE_SETTINGS.check is not None
    with pytest.raises(EngineError):
        POSE_SETTINGS.check(folder / POSE_SETTINGS.name)
    assert not (folder / "trap").exists()


def test_files_are_known_without_torch(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """`doctor` runs on machines that have none: tensors are then looked at when it is there."""
    real = builtins.__import__

    def without_torch(name: str, *args: object, **kwargs: object) -> object:
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without_torch)
    for file in ALL:
        assert file.glance is not None and file.check is not None
        file.glance(folder / file.name)
        file.check(folder / file.name)
