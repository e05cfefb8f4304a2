"""The official files of the 4dhumans engine: looked for, fetched, unpacked, checked.

The files themselves are gigabytes or licensed; small ones with the same names, places and packing
stand for them.
"""

import hashlib
import io
import logging
import os
import pickle
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from files_kit import Server, digest, names, serving, to, zipped
from standin_smpl import standin_body, write_pickle

from pose_service.bodies.smpl_file import EXPECTED_NAMES
from pose_service.bodies.smpl_files import BODIES, BODY_SOURCE, NEUTRAL_BODY
from pose_service.core.config import Settings
from pose_service.core.errors import BadPathError, EngineError
from pose_service.core.files import FileSource, OfficialFile
from pose_service.hmr2.checkpoint import official_shapes
from pose_service.hmr2.config import FULL
from pose_service.hmr2.files import ARCHIVE, CHECKPOINT, EXTRA_JOINTS
from pose_service.runtime.fetch import FetchError, SpaceError
from pose_service.runtime.obtain import obtain
from pose_service.runtime.offline import take_from
from pose_service.runtime.unpack import unpack
from pose_service.runtime.weights import located, places
from pose_service.vitdet.files import DETECTOR, DETECTOR_SOURCE

RANDOM = np.random.default_rng(0)
CKPT = zipped({"archive/data.pkl": b"not opened here", "archive/data/0": RANDOM.bytes(500_000)})
J19 = pickle.dumps(RANDOM.random((19, 6890), np.float32))
DETECTOR_BYTES = pickle.dumps({"model": np.arange(90_000, dtype=np.float32)})
CKPT_PATH, J19_PATH = (path for path, _ in ARCHIVE.members)
WANTED = {"epoch=35-step=1000000.ckpt", "SMPL_to_J19.pkl"}

Member = tuple[tarfile.TarInfo, bytes]


def member(path: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE) -> Member:
    info = tarfile.TarInfo(path)
    info.size, info.type = len(content), kind
    return info, content


def tarred(*members: Member, mode: str = "w") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


TAR = tarred(
    member("./data/smpl/", kind=tarfile.DIRTYPE),
    member(f"./{J19_PATH}", J19),
    member("./logs/train/multiruns/hmr2/0/model_config.yaml", b"SMPL: {}"),
    member(f"./{CKPT_PATH}", CKPT),
)


def sums_are_right(path: Path) -> None:
    """Stands for the check of names and shapes, which a small file cannot pass."""
    if path.read_bytes() != CKPT:
        raise EngineError(f"{path}: its tensors are others")


def small_archive(server: Server, content: bytes = TAR) -> FileSource:
    """HMR 2.0's archive, but small: with two addresses and `content` as the known one."""
    server.content = content
    small = replace(CHECKPOINT, least_bytes=0, check=sums_are_right)
    return replace(
        ARCHIVE,
        members=((CKPT_PATH, small), (J19_PATH, EXTRA_JOINTS)),
        urls=(f"{server.url}/one/hmr2_data.tar.gz", f"{server.url}/two/hmr2_data.tar.gz"),
        size_bytes=len(content),
        sha256=digest(content),
    )


def small_detector(server: Server, sha256: str = digest(DETECTOR_BYTES)) -> FileSource:
    server.content = DETECTOR_BYTES
    small = replace(DETECTOR, least_bytes=1000, sha256=sha256)
    urls = (f"{server.url}/{DETECTOR.name}",)
    return FileSource(DETECTOR.name, ((DETECTOR.name, small),), urls=urls, sha256=sha256)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as state:
        yield state


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, and no settings of other programs."""
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.delenv("FVCORE_CACHE", raising=False)
    return path


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with SMPL's shapes."""
    return write_pickle(tmp_path_factory.mktemp("body") / NEUTRAL_BODY.name, standin_body())


def lay(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_archive_becomes_the_two_files_and_is_removed(server: Server, tmp_path: Path) -> None:
    obtain(to(tmp_path, small_archive(server)))
    assert names(tmp_path) == WANTED
    assert (tmp_path / "4dhumans" / CHECKPOINT.name).read_bytes() == CKPT
    assert (tmp_path / "4dhumans" / EXTRA_JOINTS.name).read_bytes() == J19
    assert server.paths == ["/one/hmr2_data.tar.gz"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_the_archive_is_opened_by_its_content_not_by_its_name(
    server: Server, tmp_path: Path, mode: str
) -> None:
    members = (member(CKPT_PATH, CKPT), member(J19_PATH, J19))
    obtain(to(tmp_path, small_archive(server, tarred(*members, mode=mode))))
    assert names(tmp_path) == WANTED


def test_the_second_address_is_tried_when_the_first_has_it_no_more(
    server: Server, tmp_path: Path
) -> None:
    server.gone = {"/one/hmr2_data.tar.gz"}
    obtain(to(tmp_path, small_archive(server)))
    assert server.paths == ["/one/hmr2_data.tar.gz", "/two/hmr2_data.tar.gz"]
    assert names(tmp_path) == WANTED


def test_a_mirror_is_asked_first_and_the_official_addresses_after_it(
    server: Server, tmp_path: Path
) -> None:
    server.gone = {"/mirror/hmr2_data.tar.gz", "/one/hmr2_data.tar.gz"}
    obtain(to(tmp_path, small_archive(server), mirror=f"{server.url}/mirror"))
    assert [path.split("/")[1] for path in server.paths] == ["mirror", "one", "two"]


def test_when_every_address_fails_all_are_named(server: Server, tmp_path: Path) -> None:
    server.status = 503
    with pytest.raises(FetchError) as refusal:
        obtain(to(tmp_path, small_archive(server)))
    assert "/one/hmr2_data.tar.gz: the server answers 503" in str(refusal.value)
    assert "/two/hmr2_data.tar.gz: the server answers 503" in str(refusal.value)
    assert "--from FILE" in refusal.value.hint
    assert names(tmp_path) == set()


def test_a_cut_download_goes_on_in_the_next_run(server: Server, tmp_path: Path) -> None:
    server.cut_after = [300_000, 0, 0]
    with pytest.raises(FetchError, match=r"\(0\.3 MB are here\)"):
        obtain(to(tmp_path, small_archive(server)))
    assert names(tmp_path) == {"hmr2_data.tar.gz.part"}
    obtain(to(tmp_path, small_archive(server)))
    assert server.asked[-1] == "bytes=300000-"
    assert names(tmp_path) == WANTED


def test_a_part_that_is_whole_already_is_used(server: Server, tmp_path: Path) -> None:
    lay(tmp_path / "4dhumans" / "incoming" / "hmr2_data.tar.gz.part", TAR)
    obtain(to(tmp_path, small_archive(server)))
    assert server.asked == [f"bytes={len(TAR)}-"]
    assert names(tmp_path) == WANTED


def test_a_part_longer_than_the_file_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    lay(tmp_path / "4dhumans" / "incoming" / "hmr2_data.tar.gz.part", TAR + b"more")
    obtain(to(tmp_path, small_archive(server)))
    assert server.asked == [f"bytes={len(TAR) + 4}-", None]
    assert names(tmp_path) == WANTED


def test_a_login_page_does_not_take_the_place_of_a_part(server: Server, tmp_path: Path) -> None:
    source = small_archive(server)
    server.content = b"<html>Please log in to this network</html>"
    server.ranges = False
    part = lay(tmp_path / "4dhumans" / "incoming" / "hmr2_data.tar.gz.part", TAR[:300_000])
    with pytest.raises(FetchError, match="expected at least 261820 bytes, got 42"):
        obtain(to(tmp_path, source))
    assert part.read_bytes() == TAR[:300_000]


def test_another_hash_and_size_are_warned_of_and_the_content_decides(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = replace(small_archive(server), sha256="0" * 64, size_bytes=12345)
    with caplog.at_level(logging.WARNING):
        obtain(to(tmp_path, source))
    assert names(tmp_path) == WANTED
    assert digest(TAR) in caplog.text
    assert "0" * 64 in caplog.text


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ((member(CKPT_PATH, CKPT[:-100]), member(J19_PATH, J19)), "ends early or is dam"),
        ((member(CKPT_PATH, CKPT), member(J19_PATH, J19[:-1])), "at least 523640|ends early"),
        ((member(CKPT_PATH, zipped({"data.pkl": b""})), member(J19_PATH, J19)), "others"),
        ((member(CKPT_PATH, b"<html>"), member(J19_PATH, J19)), "a web page"),
    ],
    ids=["damaged", "short", "others", "page"],
)
def test_with_another_hash_wrong_content_is_refused_and_leaves_nothing(
    server: Server, tmp_path: Path, wrong: tuple[Member, ...], complaint: str
) -> None:
    source = replace(small_archive(server, tarred(*wrong)), sha256="0" * 64)
    with pytest.raises(FetchError, match=complaint) as refusal:
        obtain(to(tmp_path, source))
    assert "in the source is not the wanted file" in str(refusal.value)
    assert names(tmp_path) < WANTED
    assert len(server.asked) == 2, "the second address might have the right one"


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_truncated_archive_is_told_and_removed(server: Server, tmp_path: Path, mode: str) -> None:
    whole = tarred(member(J19_PATH, J19), member(CKPT_PATH, CKPT), mode=mode)
    source = small_archive(server, whole)
    server.content = whole[: len(whole) * 3 // 4]
    source = replace(source, members=tuple(_without_least(source)))
    with pytest.raises(FetchError, match="is not a tar archive that is whole"):
        obtain(to(tmp_path, source))
    assert "hmr2_data.tar.gz" not in names(tmp_path)
    assert CHECKPOINT.name not in names(tmp_path)


def _without_least(source: FileSource) -> Iterator[tuple[str, OfficialFile]]:
    for path, file in source.members:
        yield path, replace(file, least_bytes=0)


def _hostile(kind: str) -> Member:
    info, content = member(CKPT_PATH)
    if kind == "sparse":
        # a pax header of GNU's sparse format 1.0: 8 TB of holes in an archive of some KB
        info.size = 512
        info.pax_headers = {
            "GNU.sparse.major": "1", "GNU.sparse.minor": "0",
            "GNU.sparse.name": CKPT_PATH, "GNU.sparse.realsize": str(8 << 40),
        }  # fmt: skip
        return info, b"0\n".ljust(512, b"\0")
    info.type = {
        "symlink": tarfile.SYMTYPE, "link": tarfile.LNKTYPE,
        "device": tarfile.CHRTYPE, "pipe": tarfile.FIFOTYPE, "folder": tarfile.DIRTYPE,
    }[kind]  # fmt: skip
    info.linkname = "/etc/passwd"
    return info, content


@pytest.mark.parametrize("kind", ["symlink", "link", "device", "pipe", "folder", "sparse"])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: str) -> None:
    packed = lay(tmp_path / "hmr2_data.tar.gz", tarred(_hostile(kind), member(J19_PATH, J19)))
    with pytest.raises(FetchError, match=r"is no plain file\. Nothing of it was written"):
        list(unpack(packed, ARCHIVE, (CHECKPOINT,)))


@pytest.mark.parametrize(
    "path", [f"../{CKPT_PATH}", f"/{CKPT_PATH}", f"data/../../{CKPT_PATH}", f"other/{CKPT_PATH}"]
)
def test_a_path_that_leads_elsewhere_is_no_member(tmp_path: Path, path: str) -> None:
    packed = lay(tmp_path / "in" / "hmr2_data.tar.gz", tarred(member(path, CKPT)))
    with pytest.raises(FetchError, match=f"has no {CKPT_PATH}"):
        list(unpack(packed, ARCHIVE, (CHECKPOINT,)))
    assert names(tmp_path) == {"hmr2_data.tar.gz"}


def test_a_member_that_claims_to_be_huge_is_stopped_by_the_space_there_is(
    tmp_path: Path, server: Server
) -> None:
    info, _ = member(CKPT_PATH)
    info.size = 8 << 60
    header = info.tobuf(tarfile.GNU_FORMAT)
    packed = lay(tmp_path / "hmr2_data.tar.gz", header + bytes(1024))
    with pytest.raises(SpaceError, match="MB are needed in"):
        take_from(packed, (to(tmp_path / "data", small_archive(server)),))
    assert names(tmp_path / "data") == set()


def test_where_a_member_does_not_fit_the_archive_is_kept_and_not_fetched_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path, needed_bytes: int) -> None:
        raise SpaceError(f"{folder} is full")

    with monkeypatch.context() as patch:
        patch.setattr("pose_service.runtime.delivery.check_space", full)
        with pytest.raises(SpaceError, match="is full"):
            obtain(to(tmp_path, small_archive(server)))
    assert names(tmp_path) == {"hmr2_data.tar.gz"}
    obtain(to(tmp_path, small_archive(server)))
    assert len(server.asked) == 1
    assert names(tmp_path) == WANTED


def test_the_space_for_the_archive_and_its_files_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(
        "pose_service.runtime.obtain.check_space", lambda _, needed: asked.append(needed)
    )
    nowhere = replace(ARCHIVE, urls=("http://127.0.0.1:1/x",))
    with pytest.raises(FetchError):
        obtain(to(tmp_path, nowhere))
    assert asked == [2_710_589_440 + CHECKPOINT.least_bytes + EXTRA_JOINTS.least_bytes]


def test_an_archive_that_upstream_fetched_is_unpacked_and_left_alone(
    server: Server, home: Path, tmp_path: Path
) -> None:
    packed = lay(home / ".cache" / "4DHumans" / "hmr2_data.tar.gz", TAR)
    obtain(to(tmp_path / "data", small_archive(server)))
    assert server.asked == []
    assert packed.read_bytes() == TAR
    assert names(tmp_path / "data") == WANTED


def test_a_damaged_archive_of_upstream_is_passed_over(
    server: Server, home: Path, tmp_path: Path
) -> None:
    packed = lay(home / ".cache" / "4DHumans" / "hmr2_data.tar.gz", TAR[:9000])
    obtain(to(tmp_path / "data", small_archive(server)))
    assert len(server.asked) == 1
    assert packed.is_file()
    assert names(tmp_path / "data") == WANTED


def test_the_detector_gets_its_name_only_when_its_hash_is_right(
    server: Server, tmp_path: Path
) -> None:
    obtain(to(tmp_path, small_detector(server)))
    assert (tmp_path / "4dhumans" / DETECTOR.name).read_bytes() == DETECTOR_BYTES
    assert names(tmp_path) == {DETECTOR.name}


def test_a_detector_with_another_hash_is_refused_and_both_are_told(
    server: Server, tmp_path: Path
) -> None:
    with pytest.raises(FetchError, match="does not begin with f05665") as refusal:
        obtain(to(tmp_path, small_detector(server, sha256=DETECTOR.sha256 or "")))
    assert str(DETECTOR.sha256) in str(refusal.value)
    assert names(tmp_path) == set()


def test_the_md5_in_the_detectors_name_overrules_another_sha256(tmp_path: Path) -> None:
    # found by trying numbers: its MD5 begins as the official file's does
    alike = b"23416294"
    assert hashlib.md5(alike).hexdigest().startswith("f05665")
    assert DETECTOR.check is not None
    DETECTOR.check(lay(tmp_path / "right", alike))
    with pytest.raises(EngineError, match="does not begin with f05665"):
        DETECTOR.check(lay(tmp_path / "wrong", alike + b"!"))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"<!DOCTYPE html>", "a web page"), (DETECTOR_BYTES, "ends early: at least 2765875832")],
)
def test_a_file_that_cannot_be_the_detector_is_told_at_a_glance(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    lay(tmp_path / "4dhumans" / DETECTOR.name, content)
    with pytest.raises(EngineError, match=complaint) as refusal:
        located(DETECTOR, Settings(data_dir=tmp_path))
    assert "fetch-weights 4dhumans" in refusal.value.hint


@pytest.mark.parametrize(
    ("file", "place"),
    [
        (DETECTOR, f".torch/iopath_cache/detectron2/ViTDet/COCO/cascade_mask_rcnn_vitdet_h/"
         f"f328730692/{DETECTOR.name}"),
        (CHECKPOINT, f".cache/4DHumans/{CKPT_PATH}"),
        (EXTRA_JOINTS, ".cache/4DHumans/data/SMPL_to_J19.pkl"),
        (EXTRA_JOINTS, ".cache/phalp/3D/SMPL_to_J19.pkl"),
        (NEUTRAL_BODY, ".cache/4DHumans/data/smpl/SMPL_NEUTRAL.pkl"),
        (NEUTRAL_BODY, ".cache/4DHumans/data/basicModel_neutral_lbs_10_207_0_v1.0.0.pkl"),
        (NEUTRAL_BODY, ".cache/phalp/3D/models/smpl/SMPL_NEUTRAL.pkl"),
    ],
)  # fmt: skip
def test_a_file_is_found_where_upstreams_own_programs_keep_it(
    home: Path, tmp_path: Path, file: OfficialFile, place: str
) -> None:
    small = replace(file, least_bytes=0)
    path = lay(home / place, CKPT if file is CHECKPOINT else J19)
    assert located(small, Settings(data_dir=tmp_path)) == path


def test_the_cache_of_detectron2_may_have_been_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FVCORE_CACHE", str(tmp_path / "moved"))
    below = Path(DETECTOR.elsewhere[0].below)
    path = lay(tmp_path / "moved" / below / DETECTOR.name, J19)
    assert located(replace(DETECTOR, least_bytes=0), Settings(data_dir=tmp_path)) == path


def test_our_own_folder_comes_first_and_a_bad_file_in_it_is_passed_over(
    home: Path, tmp_path: Path
) -> None:
    upstream = lay(home / ".cache" / "4DHumans" / "data" / "SMPL_to_J19.pkl", J19)
    own = lay(tmp_path / "4dhumans" / "SMPL_to_J19.pkl", J19)
    assert located(EXTRA_JOINTS, Settings(data_dir=tmp_path)) == own
    own.write_bytes(J19[:1000])
    assert located(EXTRA_JOINTS, Settings(data_dir=tmp_path)) == upstream


def test_a_missing_body_says_where_to_register_and_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"SMPL_NEUTRAL\.pkl is missing") as refusal:
        located(NEUTRAL_BODY, Settings(data_dir=tmp_path))
    assert "https://smpl.is.tue.mpg.de" in refusal.value.hint
    assert f"into {tmp_path}/4dhumans/smpl," in refusal.value.hint
    assert all(name in refusal.value.hint for name in EXPECTED_NAMES)
    assert "POSE_SMPL_FILE" in refusal.value.hint


@pytest.mark.parametrize("name", EXPECTED_NAMES)
def test_the_body_is_found_under_any_of_its_names(tmp_path: Path, name: str) -> None:
    path = lay(tmp_path / "4dhumans" / "smpl" / name, J19)
    assert located(NEUTRAL_BODY, Settings(data_dir=tmp_path)) == path


def test_the_body_that_is_set_alone_counts(tmp_path: Path) -> None:
    lay(tmp_path / "4dhumans" / "smpl" / "SMPL_NEUTRAL.pkl", J19)
    mine = lay(tmp_path / "mine.pkl", J19)
    assert located(NEUTRAL_BODY, Settings(data_dir=tmp_path, smpl_file=mine)) == mine
    mine.unlink()
    with pytest.raises(EngineError, match=r"POSE_SMPL_FILE=.*mine\.pkl: there is no such file"):
        located(NEUTRAL_BODY, Settings(data_dir=tmp_path, smpl_file=mine))


def test_the_folder_of_the_body_may_be_set(tmp_path: Path) -> None:
    lay(tmp_path / "4dhumans" / "smpl" / "SMPL_NEUTRAL.pkl", J19)
    mine = lay(tmp_path / "mine" / EXPECTED_NAMES[3], J19)
    here = Settings(data_dir=tmp_path, smpl_file=mine.parent)
    assert located(NEUTRAL_BODY, here) == mine
    mine.unlink()
    with pytest.raises(EngineError, match=r"SMPL_NEUTRAL\.pkl is missing: .*mine"):
        located(NEUTRAL_BODY, here)


@pytest.mark.parametrize("gender", ["male", "female"])
def test_a_missing_body_of_a_gender_says_how_it_is_called_and_where_it_goes(
    home: Path, tmp_path: Path, gender: str
) -> None:
    body = BODIES[gender]
    with pytest.raises(EngineError, match=f"{body.name} is missing") as refusal:
        located(body, Settings(data_dir=tmp_path))
    assert "https://smpl.is.tue.mpg.de" in refusal.value.hint
    assert f"into {tmp_path}/4dhumans/smpl," in refusal.value.hint
    assert all(name in refusal.value.hint for name in body.names)
    upstream = lay(home / ".cache" / "4DHumans" / "data" / "smpl" / body.names[-1], J19)
    assert located(body, Settings(data_dir=tmp_path)) == upstream


def test_the_checkpoint_that_is_set_alone_counts(tmp_path: Path) -> None:
    here = Settings(data_dir=tmp_path, hmr2_checkpoint=tmp_path / "mine.ckpt")
    assert places(CHECKPOINT, here) == (tmp_path / "mine.ckpt",)


def test_a_login_page_instead_of_the_body_is_told_at_a_glance(tmp_path: Path) -> None:
    lay(tmp_path / "4dhumans" / "smpl" / "SMPL_NEUTRAL.pkl", b"<html>Sign in</html>")
    with pytest.raises(EngineError, match="it is a web page: the download wanted a login"):
        located(NEUTRAL_BODY, Settings(data_dir=tmp_path))


def test_folders_that_may_not_be_looked_into_count_as_empty(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_stat = os.stat

    def refusing_stat(path: str | Path, **options: Any) -> os.stat_result:
        if str(path).startswith(str(home)):
            raise PermissionError(13, "Permission denied", str(path))
        return true_stat(path, **options)

    monkeypatch.setattr(os, "stat", refusing_stat)
    with pytest.raises(EngineError, match="is missing"):
        located(CHECKPOINT, Settings(data_dir=tmp_path))


def test_a_body_under_any_name_is_copied_under_that_name(body: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick" / "SMPL_python_v.1.1.0" / "smpl" / "models"
    lay(stick / EXPECTED_NAMES[3], body.read_bytes())
    take_from(tmp_path / "stick", (to(tmp_path / "data", BODY_SOURCE),))
    placed = tmp_path / "data" / "4dhumans" / "smpl" / EXPECTED_NAMES[3]
    assert placed.read_bytes() == body.read_bytes()
    assert located(NEUTRAL_BODY, Settings(data_dir=tmp_path / "data")) == placed


def test_a_file_that_is_no_body_is_refused_and_not_copied(tmp_path: Path) -> None:
    given = lay(tmp_path / "SMPL_NEUTRAL.pkl", J19)
    with pytest.raises(FetchError, match="it holds a"):
        take_from(given, (to(tmp_path / "data", BODY_SOURCE),))
    assert names(tmp_path / "data") == set()


def test_upstreams_tree_serves_offline_whole(server: Server, body: Path, tmp_path: Path) -> None:
    tree = tmp_path / "stick" / "4DHumans"
    lay(tree / CKPT_PATH, CKPT)
    lay(tree / J19_PATH, J19)
    lay(tree / "data" / "smpl" / "SMPL_NEUTRAL.pkl", body.read_bytes())
    lay(tmp_path / "stick" / DETECTOR.name, DETECTOR_BYTES)
    sources = (small_detector(server), small_archive(server), BODY_SOURCE)
    take_from(tmp_path / "stick", tuple(to(tmp_path / "data", source) for source in sources))
    assert names(tmp_path / "data") == WANTED | {DETECTOR.name, "SMPL_NEUTRAL.pkl"}
    assert names(tmp_path / "stick") == names(tmp_path / "data")
    assert server.asked == []


@pytest.mark.parametrize("name", ["hmr2_data.tar.gz", "renamed.tar"])
def test_the_archive_serves_offline_under_any_name(
    server: Server, tmp_path: Path, name: str
) -> None:
    packed = lay(tmp_path / name, TAR)
    take_from(packed, (to(tmp_path / "data", small_archive(server)),))
    assert names(tmp_path / "data") == WANTED
    assert packed.is_file()


def test_a_folder_with_some_of_the_files_gives_those(server: Server, tmp_path: Path) -> None:
    lay(tmp_path / "stick" / "SMPL_to_J19.pkl", J19)
    deliveries = tuple(to(tmp_path / "data", each) for each in (small_archive(server), BODY_SOURCE))
    take_from(tmp_path / "stick", deliveries)
    assert names(tmp_path / "data") == {"SMPL_to_J19.pkl"}
    assert [file.name for file in deliveries[0].lacking] == [CHECKPOINT.name]


def test_a_file_of_another_name_is_told_with_the_names_that_are_wanted(tmp_path: Path) -> None:
    given = lay(tmp_path / "smpl.npz", zipped({"f.npy": b""}))
    with pytest.raises(BadPathError, match="is none of the files that are wanted") as refusal:
        take_from(given, (to(tmp_path / "data", BODY_SOURCE),))
    assert " or ".join(EXPECTED_NAMES) in refusal.value.hint


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Official names and shapes at the official size, in a small file: all zeros are one zero."""
    zero = torch.zeros(1)
    state = {name: zero.expand(shape) for name, shape in official_shapes(FULL).items()}
    path = tmp_path_factory.mktemp("hmr2") / CHECKPOINT.name
    torch.save({"state_dict": state, "global_step": 1_000_000}, path)
    return path


def test_a_checkpoint_with_all_official_names_and_shapes_passes(checkpoint: Path) -> None:
    assert CHECKPOINT.check is not None
    CHECKPOINT.check(checkpoint)


def test_a_flipped_byte_in_the_checkpoint_is_found_by_its_checksum(
    checkpoint: Path, tmp_path: Path
) -> None:
    content = bytearray(checkpoint.read_bytes())
    content[len(content) // 3] ^= 1
    assert CHECKPOINT.check is not None
    with pytest.raises(EngineError, match="it is damaged"):
        CHECKPOINT.check(lay(tmp_path / "flipped.ckpt", bytes(content)))


def test_without_torch_the_checksums_alone_are_looked_at(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in [name for name in sys.modules if name.startswith("pose_service.hmr2.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert CHECKPOINT.check is not None
    CHECKPOINT.check(checkpoint)
    assert "torch is missing, its tensors will be looked at later" in caplog.text


def test_a_checkpoint_of_another_net_is_refused_by_its_names(tmp_path: Path) -> None:
    torch.save({"state_dict": {"backbone.weight": torch.zeros(3)}}, tmp_path / "other.ckpt")
    assert CHECKPOINT.check is not None
    with pytest.raises(EngineError, match=r"not one of HMR 2\.0"):
        CHECKPOINT.check(tmp_path / "other.ckpt")


def test_the_declared_files_are_those_that_upstream_hands_out() -> None:
    assert dict(ARCHIVE.members) == {
        "logs/train/multiruns/hmr2/0/checkpoints/epoch=35-step=1000000.ckpt": CHECKPOINT,
        "data/SMPL_to_J19.pkl": EXTRA_JOINTS,
    }
    assert DETECTOR_SOURCE.urls == (
        "https://dl.fbaipublicfiles.com/detectron2/ViTDet/COCO/cascade_mask_rcnn_vitdet_h/"
        "f328730692/model_final_f05665.pkl",
    )
    assert DETECTOR.least_bytes == 2_765_875_832
    assert BODY_SOURCE.urls == (), "the body is licensed to each user"
    assert not ARCHIVE.hash_decides
    assert not DETECTOR_SOURCE.hash_decides
