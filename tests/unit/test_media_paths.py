"""Paths as callers write them: found where they lie here, or refused naming what was tried."""

import os
from pathlib import Path

import pytest

from pose_service.core.errors import BadPathError
from pose_service.media.paths import resolve_media_path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A file in a folder with a space, in a root that is no symbolic link itself."""
    folder = Path(os.path.realpath(tmp_path)) / "my clips"
    folder.mkdir()
    path = folder / "a b.mp4"
    path.write_bytes(b"clip")
    return path


@pytest.fixture
def root(clip: Path) -> Path:
    return clip.parent.parent


def windows(path: Path) -> str:
    return str(path).replace("/", "\\")


def refused(text: str, *roots: Path, path_map: tuple[tuple[str, str], ...] = ()) -> BadPathError:
    with pytest.raises(BadPathError) as caught:
        resolve_media_path(text, roots=roots, path_map=path_map)
    assert caught.value.status == 400 and caught.value.code == "BAD_PATH"
    return caught.value


# ---- forms that are understood


@pytest.mark.parametrize(
    "form",
    [
        "{path}",
        "  {path}\n",
        '"{path}"',
        "'{path}'",
        "file://{path}",
        "file:{path}",
        "file://localhost{path}",
        "FILE://{path}",
        "//wsl$/Ubuntu{path}",
        "//wsl.localhost/Ubuntu-22.04{path}",
        "file://wsl.localhost/Ubuntu{path}",
        "/{path}",
    ],
)
def test_every_form_of_a_local_path_is_understood(clip: Path, root: Path, form: str) -> None:
    assert resolve_media_path(form.format(path=clip), roots=[root]) == clip


@pytest.mark.parametrize("share", [r"\\wsl$\Ubuntu", r"\\wsl.localhost\Debian", r"\\WSL$\Ubuntu"])
def test_a_path_of_the_wsl_share_is_this_systems_own(clip: Path, root: Path, share: str) -> None:
    assert resolve_media_path(share + windows(clip), roots=[root]) == clip


def test_a_file_address_has_its_escapes_undone(clip: Path, root: Path) -> None:
    address = "file://" + str(clip).replace(" ", "%20")
    assert resolve_media_path(address, roots=[root]) == clip


@pytest.mark.parametrize(
    "text",
    [
        r"C:\Users\x\my clips\a b.mp4",
        r"c:\users\X\my clips\a b.mp4",
        "C:/Users/x/my clips/a b.mp4",
        r"C:/Users\x\my clips/a b.mp4",
        r"\\?\C:\Users\x\my clips\a b.mp4",
        "file:///C:/Users/x/my%20clips/a%20b.mp4",
        '"C:\\Users\\x\\my clips\\a b.mp4"',
    ],
)
def test_a_windows_path_is_mapped_whatever_its_slashes_and_case(
    clip: Path, root: Path, text: str
) -> None:
    path_map = ((r"C:\Users\x", str(root)),)
    assert resolve_media_path(text, roots=[root], path_map=path_map) == clip


@pytest.mark.parametrize("prefix", ["/mnt/c", "C:\\", "C:", "c:/"])
def test_a_drive_may_be_mapped_by_either_of_its_names(clip: Path, root: Path, prefix: str) -> None:
    path_map = ((prefix, str(root)),)
    text = r"C:\my clips\a b.mp4"
    assert resolve_media_path(text, roots=[root], path_map=path_map) == clip


def test_a_containers_folder_and_a_network_share_can_be_mapped(clip: Path, root: Path) -> None:
    path_map = (("/app/uploads", str(root)), (r"\\nas\films", str(clip.parent)))
    for text in ("/app/uploads/my clips/a b.mp4", r"\\NAS\films\a b.mp4"):
        assert resolve_media_path(text, roots=[root], path_map=path_map) == clip


def test_the_longest_prefix_wins_and_only_whole_folders_count(clip: Path, root: Path) -> None:
    path_map = (("/app", "/nowhere"), ("/app/clips", str(clip.parent)))
    assert resolve_media_path("/app/clips/a b.mp4", roots=[root], path_map=path_map) == clip
    error = refused("/app/clips2/a b.mp4", root, path_map=path_map)
    assert "/nowhere/clips2/a b.mp4" in str(error)


def test_a_mapped_path_may_itself_be_a_windows_path(clip: Path, root: Path) -> None:
    path_map = (("/app", r"\\wsl$\Ubuntu" + windows(root)),)
    assert resolve_media_path("/app/my clips/a b.mp4", roots=[root], path_map=path_map) == clip


def test_roots_may_be_given_in_windows_form(clip: Path, root: Path) -> None:
    share = Path(r"\\wsl$\Ubuntu" + windows(root))
    assert resolve_media_path(str(clip), roots=[share]) == clip
    path_map = (("D:\\clips", str(root)),)
    assert (
        resolve_media_path(str(clip), roots=[Path("D:\\")], path_map=(("D:", str(root)),)) == clip
    )
    assert resolve_media_path(str(clip), roots=[Path("d:/clips")], path_map=path_map) == clip


def test_a_home_root_is_expanded(clip: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(root))
    assert resolve_media_path(str(clip), roots=[Path("~")]) == clip


def test_names_with_odd_letters_are_names(root: Path) -> None:
    # macOS writes a narrow no-break space into the names of screen recordings
    for name in ("9.41\u202fAM.mov", "Überfahrt 雪.mp4", "a\\b.mp4", "%20.mp4"):
        path = root / name
        path.write_bytes(b"clip")
        assert resolve_media_path(str(path), roots=[root]) == path


def test_a_link_within_the_roots_is_followed(clip: Path, root: Path) -> None:
    link = root / "link.mp4"
    link.symlink_to(clip)
    assert resolve_media_path(str(link), roots=[root]) == clip


# ---- what is refused


def test_a_missing_file_is_named_with_the_last_folder_that_is_there(clip: Path, root: Path) -> None:
    error = refused(str(clip.parent / "none" / "a.mp4"), root)
    assert f"no such file; {clip.parent} is there, 'none' in it is not" in str(error)
    assert "POSE_PATH_MAP" in error.hint and "Upload" in error.hint


def test_a_path_through_a_file_is_missing_too(clip: Path, root: Path) -> None:
    assert "no such file" in str(refused(f"{clip}/a.mp4", root))


def test_a_windows_drive_that_is_not_mounted_is_said_so_with_the_path_tried() -> None:
    error = refused(r"Q:\Users\x\a.mp4", Path("/mnt"))
    assert r"Q:\Users\x\a.mp4 (tried as /mnt/q/Users/x/a.mp4)" in str(error)
    assert "'q' in it is not" in str(error) or "'mnt' in it is not" in str(error)


def test_a_folder_is_refused(clip: Path, root: Path) -> None:
    assert "is a folder" in str(refused(str(clip.parent), root))
    assert "is a folder" in str(refused(str(root), root))


def test_a_pipe_is_refused_without_waiting_for_it(root: Path) -> None:
    os.mkfifo(root / "pipe.mp4")
    assert "not a regular file" in str(refused(str(root / "pipe.mp4"), root))


def test_a_file_without_the_right_to_read_is_refused(
    clip: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the user who runs the tests may be allowed everything
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "no right to read" in str(refused(str(clip), root))


def test_a_folder_without_the_right_to_enter_is_refused(
    clip: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path) -> os.stat_result:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", denied)
    assert "cannot be opened: Permission denied" in str(refused(str(clip), root))


def test_outside_the_roots_the_roots_and_their_setting_are_named(clip: Path, root: Path) -> None:
    other = root / "other"
    error = refused(str(clip), other)
    assert f"POSE_MEDIA_ROOTS: {other}" in str(error)
    assert "POSE_MEDIA_ROOTS" in error.hint
    assert "none" in str(refused(str(clip)))


def test_outside_the_roots_nobody_learns_what_exists(clip: Path, root: Path) -> None:
    there = str(refused(str(clip), root / "other"))
    missing = str(refused(str(clip) + "x", root / "other"))
    assert there.replace(str(clip), "") == missing.replace(str(clip) + "x", "")


def test_a_folder_that_only_begins_like_a_root_is_outside(clip: Path, root: Path) -> None:
    assert "outside" in str(refused(str(clip), root / "my"))


@pytest.mark.parametrize("way", ["..", "../../../../../.."])
def test_dots_do_not_lead_out_of_the_roots(clip: Path, way: str) -> None:
    assert "outside" in str(refused(f"{clip.parent}/{way}/a.mp4", clip.parent))


def test_a_link_does_not_lead_out_of_the_roots(clip: Path, root: Path) -> None:
    inner = root / "inner"
    inner.mkdir()
    (inner / "link.mp4").symlink_to(clip)
    (inner / "folder").symlink_to(clip.parent)
    for name in ("link.mp4", "folder/a b.mp4"):
        assert "outside" in str(refused(str(inner / name), inner))


def test_a_link_in_a_circle_is_refused(root: Path) -> None:
    (root / "a.mp4").symlink_to(root / "b.mp4")
    (root / "b.mp4").symlink_to(root / "a.mp4")
    refused(str(root / "a.mp4"), root)


@pytest.mark.parametrize(
    "text",
    [
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/self/fd/0",
        "/sys/kernel/notes",
        "/dev/zero",
        "/usr/bin/env",
        "/tmp/../etc/passwd",
        "file:///etc/passwd",
        r"\\wsl$\Ubuntu\etc\passwd",
    ],
)
def test_system_folders_are_never_read_even_below_a_root(text: str) -> None:
    assert "system folder" in str(refused(text, Path("/"), Path("/etc"), Path("/proc")))


def test_a_link_or_a_mapping_into_a_system_folder_is_refused(root: Path) -> None:
    (root / "link.mp4").symlink_to("/etc/passwd")
    assert "system folder" in str(refused(str(root / "link.mp4"), root, Path("/")))
    error = refused("/app/passwd", Path("/"), path_map=(("/app", "/etc"),))
    assert "system folder" in str(error)


@pytest.mark.parametrize("text", ["a.mp4", "./a.mp4", "clips/a.mp4", "~/a.mp4", "..", "C:"])
def test_a_relative_path_is_refused(root: Path, text: str) -> None:
    if text == "C:":
        assert "(tried as /mnt/c)" in str(refused(text, root))
    else:
        assert "not a full path" in str(refused(text, root))


@pytest.mark.parametrize("text", ["", "   ", '""', "file:"])
def test_an_empty_path_is_refused(root: Path, text: str) -> None:
    assert "empty" in str(refused(text, root))


@pytest.mark.parametrize(
    "text", ["/tmp/a\0.mp4", "/tmp/a%00.mp4", "C:\\clips\new.mp4", "/tmp/\ud800.mp4"]
)
def test_control_characters_are_refused(root: Path, text: str) -> None:
    text = "file:" + text if "%00" in text else text
    error = refused(text, root)
    assert "control characters" in str(error)
    assert "backslash is written twice" in error.hint
    str(error).encode()


@pytest.mark.parametrize(
    "text", ["http://host/a.mp4", "HTTPS://host/a.mp4", "rtsp://cam/1", "s3://bucket/a.mp4"]
)
def test_an_address_is_refused_and_an_upload_advised(root: Path, text: str) -> None:
    error = refused(text, root)
    assert "address" in str(error) and "Upload" in error.hint


def test_lost_backslashes_are_recognised(root: Path) -> None:
    assert "backslashes lost" in str(refused("C:Usersxa.mp4", root))


def test_a_name_too_long_for_the_file_system_is_refused(root: Path) -> None:
    assert "cannot be opened" in str(refused(str(root / ("a" * 5000)), root))
