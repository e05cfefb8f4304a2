"""The command line, with toy nets where nets are needed."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path

import av
import numpy as np
import pytest
from files_kit import serving
from makers import clip_file, picture_file
from PIL import Image
from toy_engine import build_toy, picture

from pose_service.commands import (
    checks,
    clip_report,
    engine_checks,
    fetch_weights,
    local,
    main,
    selftest,
)
from pose_service.commands.findings import State
from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.core.files import FileSource, OfficialFile, Packing
from pose_service.engines.seam import Availability, EngineRecipe
from pose_service.pipeline.tracks import MergedTrack
from pose_service.runtime.hub import ModelHub
from pose_service.runtime.listening import PortError, check_port, health_at, urls

SMALL_BOX, LARGE_BOX = (20, 60, 60, 160), (140, 20, 220, 220)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("POSE_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def toy_nets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "choose", lambda _settings: None)
    monkeypatch.setattr(local, "ModelHub", partial(ModelHub, build=build_toy))


@pytest.fixture
def two_people(tmp_path: Path) -> Path:
    path = tmp_path / "two people [1].png"
    path.write_bytes(picture_file(picture(SMALL_BOX, LARGE_BOX), "PNG"))
    return path


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """Eight frames of somebody who walks to the right."""
    frames = [picture((x, 40, x + 60, 200)) for x in range(20, 180, 20)]
    return clip_file(tmp_path / "walk.mp4", frames)


@pytest.fixture
def listener() -> Iterator[int]:
    """A port where another program answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        thread = threading.Thread(target=other.serve_forever, args=(0.01,))
        thread.start()
        yield other.server_port
        other.shutdown()
        thread.join()


@pytest.fixture
def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port: int = other.getsockname()[1]
    return port


@pytest.mark.usefixtures("toy_nets")
def test_frame_writes_the_answer_of_pose_hybrid(two_people: Path, tmp_path: Path) -> None:
    out = tmp_path / "answer.json"
    assert main(["frame", str(two_people), "--out", str(out)]) == 0
    answer = json.loads(out.read_bytes())
    assert answer["keypoint_count"] == 24
    boxes = [person["bbox"] for person in answer["persons"]]
    assert boxes == [list(LARGE_BOX), list(SMALL_BOX)]


@pytest.mark.usefixtures("toy_nets")
@pytest.mark.parametrize(("name", "file_format"), [("a.png", "PNG"), ("a.jpg", "JPEG")])
def test_frame_draws_over_the_picture(
    two_people: Path, tmp_path: Path, name: str, file_format: str
) -> None:
    assert main(["frame", str(two_people), "--overlay", str(tmp_path / name)]) == 0
    with Image.open(tmp_path / name) as drawn:
        assert (drawn.format, drawn.size) == (file_format, (320, 240))
        assert np.ptp(np.asarray(drawn), axis=2).max() > 50, "no colour on a gray picture"


@pytest.mark.usefixtures("toy_nets")
def test_frame_says_who_was_found(two_people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["frame", str(two_people)])
    said = capsys.readouterr().out
    assert "2 people in 320x240 px" in said
    assert "1: box 140 20 220 220 px, confidence 0.90" in said


@pytest.mark.usefixtures("toy_nets")
def test_frame_of_nobody_is_an_answer_too(tmp_path: Path) -> None:
    nobody = tmp_path / "nobody.png"
    nobody.write_bytes(picture_file(picture(), "PNG"))
    out = tmp_path / "answer.json"
    assert main(["frame", str(nobody), "--out", str(out)]) == 0
    assert json.loads(out.read_bytes())["error"] == "No person detected in image"


@pytest.mark.usefixtures("toy_nets")
def test_video_writes_every_frame_of_the_clip(walk: Path, tmp_path: Path) -> None:
    out = tmp_path / "answer.json"
    assert main(["video", str(walk), "--out", str(out)]) == 0
    answer = json.loads(out.read_bytes())
    assert [frame["frame_number"] for frame in answer["frames"]] == list(range(8))
    assert all(frame["keypoint_count"] == 24 for frame in answer["frames"])
    with_faces = [frame["mesh_faces_data"] is not None for frame in answer["frames"]]
    assert with_faces == [True] + 7 * [False]


@pytest.mark.usefixtures("toy_nets")
def test_video_stops_after_max_frames_and_draws_as_many(walk: Path, tmp_path: Path) -> None:
    out, overlay = tmp_path / "answer.json", tmp_path / "drawn.mp4"
    command = ["video", str(walk), "--out", str(out), "--overlay", str(overlay)]
    assert main([*command, "--max-frames", "3", "--raw"]) == 0
    assert json.loads(out.read_bytes())["total_frames"] == 3
    with av.open(str(overlay)) as drawn:
        assert sum(1 for _ in drawn.decode(video=0)) == 3


@pytest.mark.usefixtures("toy_nets")
def test_pose_writes_the_answer_a_page_and_a_film(
    walk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RTMPOSE_ENABLED", "false")
    monkeypatch.setenv("HRNET_ENABLED", "false")
    out, page, film = (tmp_path / name for name in ("a.json", "a.pdf", "a.mp4"))
    command = ["pose", str(walk), "--out", str(out), "--report", str(page)]
    assert main([*command, "--annotated", str(film), "--max-frames", "5"]) == 0
    data = json.loads(out.read_bytes())["data"]
    assert [pose["frame_info"]["frame_number"] for pose in data["poses_per_frame"]] == [*range(5)]
    assert page.read_bytes().startswith(b"%PDF-")
    with av.open(str(film)) as drawn:
        assert sum(1 for _ in drawn.decode(video=0)) == 5
    said = capsys.readouterr().out
    assert "5 frames, the first person seen in 5, by toy with angles in 3D" in said
    assert "not by a 2D net: RTMPose" in said


@pytest.mark.usefixtures("toy_nets")
def test_overlays_take_layers_a_side_view_and_blurred_faces(
    walk: Path, two_people: Path, tmp_path: Path
) -> None:
    style = ["--layers", "boxes, ids", "--side-view", "--face-blur"]
    film, image = tmp_path / "drawn.mp4", tmp_path / "drawn.png"
    out = str(tmp_path / "answer.json")
    assert main(["video", str(walk), "--out", out, "--overlay", str(film), *style]) == 0
    with av.open(str(film)) as drawn:
        assert (drawn.streams.video[0].width, drawn.streams.video[0].height) == (320 + 120, 240)
    assert main(["frame", str(two_people), "--overlay", str(image), *style]) == 0
    with Image.open(image) as picture_drawn:
        assert picture_drawn.size == (320 + 120, 240)
        # no mesh: the middle of the small person is white as before
        assert picture_drawn.getpixel((40, 110)) == (255, 255, 255)


@pytest.mark.parametrize("layers", ["bones", "mesh,,ids", "", "none,mesh"])
def test_a_layer_that_is_none_is_refused_and_those_there_are_listed(
    layers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["frame", "a.png", "--overlay", "b.png", "--layers", layers])
    assert "expected names out of mesh, skeleton, boxes, ids" in capsys.readouterr().err


@pytest.mark.usefixtures("toy_nets")
def test_video_tells_its_progress_line_by_line(
    walk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["video", str(walk), "--out", str(tmp_path / "answer.json")])
    said = capsys.readouterr().out
    assert "tracking 50%\n" in said
    assert "8 frames at 30.00 per second, 8 of them with a person" in said


@pytest.mark.usefixtures("toy_nets")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["frame", "nowhere.png"], "nowhere.png does not exist"),
        (["frame", "FOLDER"], "is a folder. Give one file"),
        (["frame", "TEXT"], "not a picture"),
        (["frame", "PICTURE", "--out", "FOLDER"], "is a folder. Give the name"),
        (["frame", "PICTURE", "--overlay", "FOLDER/no/a.png"], "is no folder. Make it first"),
        (["video", "TEXT", "--out", "FOLDER/a.json"], "text"),
        (["video", "nowhere.mp4", "--out", "a.json"], "nowhere.mp4 does not exist"),
        (["fetch-weights", "nonsense"], "no engine 'nonsense'. Engines: "),
        (["bench", "nonsense"], "no benchmark 'nonsense'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    complaint: str,
    two_people: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "text").write_text("neither picture nor clip")
    places = {"TEXT": str(tmp_path / "text"), "PICTURE": str(two_people), "FOLDER": str(tmp_path)}
    filled = [places.get(word, word.replace("FOLDER/", f"{tmp_path}/")) for word in arguments]
    assert main(filled) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert said.startswith("error: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["fly"], ["video", "a.mp4"], ["frame"]])
def test_words_that_are_no_command_end_with_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)


@pytest.mark.parametrize("number", ["0", "-3", "many"])
def test_a_number_of_frames_below_one_is_refused(number: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["video", "a.mp4", "--out", "a.json", "--max-frames", number])


def test_a_bad_setting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "http")
    assert main(["fetch-weights"]) == 2
    assert "PORT" in capsys.readouterr().err


def test_without_networks_the_remedy_is_in_the_error(
    two_people: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POSE_ENGINE", "embedded")
    assert main(["frame", str(two_people)]) == 2
    assert "python -m pose_service fetch-weights embedded" in capsys.readouterr().err


def _recipe(name: str, *, available: bool, fetchable: bool) -> EngineRecipe:
    file = OfficialFile(f"{name}.bin", "a net", "none", "Ask the test for it.", name)
    urls = ("http://127.0.0.1:9/x",) if fetchable else ()
    source = FileSource(file.name, ((file.name, file),), urls=urls)
    return EngineRecipe(
        name=name,
        rank=0,
        sources=(source,),
        probe=lambda _: Availability(available, "a test says so", "Ask the test."),
        build=lambda _: build_toy(Settings())[0],
    )


@pytest.mark.parametrize(("licensed_is_there", "wanted"), [(True, "licensed"), (False, "free")])
def test_auto_fetches_for_the_best_engine_that_can_come_to_serve(
    licensed_is_there: bool, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {
        "licensed": _recipe("licensed", available=licensed_is_there, fetchable=False),
        "free": _recipe("free", available=False, fetchable=True),
    }
    monkeypatch.setattr(fetch_weights, "recipes", lambda: known)
    assert fetch_weights.wanted_recipe("auto", Settings()).name == wanted


def test_an_engine_whose_files_cannot_be_fetched_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"licensed": _recipe("licensed", available=False, fetchable=False)}
    monkeypatch.setattr(fetch_weights, "recipes", lambda: known)
    assert main(["fetch-weights", "licensed"]) == 0
    said = capsys.readouterr().out
    assert "licensed.bin is missing: a net" in said
    assert "Ask the test for it." in said
    assert "every file is here" not in said


def test_fetch_weights_says_where_every_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"free": _recipe("free", available=False, fetchable=True)}
    monkeypatch.setattr(fetch_weights, "recipes", lambda: known)
    here = tmp_path / "data" / "free" / "free.bin"
    here.parent.mkdir(parents=True)
    here.write_bytes(b"net")
    assert main(["fetch-weights", "free"]) == 0
    said = capsys.readouterr().out
    assert f"free.bin: {here}\n" in said
    assert "free: every file is here" in said


def test_fetch_weights_takes_from_a_folder_and_says_what_is_still_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = (_recipe(name, available=False, fetchable=True) for name in ("one", "two"))
    both = replace(one, sources=(*one.sources, *two.sources))
    monkeypatch.setattr(fetch_weights, "recipes", lambda: {"one": both})
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick" / "one.bin").write_bytes(b"net")
    assert main(["fetch-weights", "one", "--from", str(tmp_path / "stick")]) == 2
    said = capsys.readouterr()
    assert f"one.bin: {tmp_path / 'data' / 'one' / 'one.bin'}" in said.out
    assert "error: still missing: two.bin. Run `python -m pose_service fetch-weights" in said.err


def test_one_source_that_fails_does_not_keep_the_next_from_coming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dead, free = (_recipe(name, available=False, fetchable=True) for name in ("dead", "free"))
    with serving() as server:
        server.content = b"net"
        come = replace(free.sources[0], urls=(f"{server.url}/free.bin",))
        both = replace(dead, sources=(*dead.sources, come))
        monkeypatch.setattr(fetch_weights, "recipes", lambda: {"dead": both})
        assert main(["fetch-weights", "dead"]) == 2
    assert (tmp_path / "data" / "free" / "free.bin").read_bytes() == b"net"
    assert "http://127.0.0.1:9/x cannot be fetched" in capsys.readouterr().err


def test_an_optional_source_that_cannot_be_fetched_is_told_and_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    free, extra = (_recipe(name, available=False, fetchable=True) for name in ("free", "extra"))
    with_extra = replace(free, optional_sources=extra.sources)
    monkeypatch.setattr(fetch_weights, "recipes", lambda: {"free": with_extra})
    monkeypatch.setattr(engine_checks, "recipes", lambda: {"free": with_extra})
    here = tmp_path / "data" / "free" / "free.bin"
    here.parent.mkdir(parents=True)
    here.write_bytes(b"net")
    assert main(["fetch-weights", "free"]) == 0
    said = capsys.readouterr().out
    assert "not fetched: http://127.0.0.1:9/x cannot be fetched" in said
    assert "extra.bin is missing: a net" in said
    assert "free serves without extra.bin, but not as well" in said
    assert "free: every file it needs is here" in said
    (found,) = [one for one in engine_checks.files(Settings()) if one.subject == "extra.bin"]
    assert found.state is State.NOTE
    named = Settings(POSE_ENGINE="free")
    (found,) = [one for one in engine_checks.files(named) if one.subject == "extra.bin"]
    assert found.state is State.NOTE


def test_an_optional_file_may_be_all_that_is_taken_from_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    free, extra = (_recipe(name, available=False, fetchable=True) for name in ("free", "extra"))
    with_extra = replace(free, optional_sources=extra.sources)
    monkeypatch.setattr(fetch_weights, "recipes", lambda: {"free": with_extra})
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick" / "extra.bin").write_bytes(b"net")
    assert main(["fetch-weights", "free", "--from", str(tmp_path / "stick")]) == 2
    said = capsys.readouterr()
    assert f"extra.bin: {tmp_path / 'data' / 'extra' / 'extra.bin'}" in said.out
    assert "still missing: free.bin." in said.err


def _with_extra() -> EngineRecipe:
    """An engine that serves without the second file of its one source, but makes no tea."""
    recipe = _recipe("one", available=True, fetchable=True)
    (source,) = recipe.sources
    extra = replace(source.files[0], name="tea.bin", only_for="tea")
    members = (*source.members, ("tea.bin", extra))
    packed = replace(source, name="both.zip", members=members, packing=Packing.ZIP)
    return replace(recipe, sources=(packed,))


def test_a_file_for_one_thing_only_may_fail_to_come_and_is_a_note_to_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in (fetch_weights, engine_checks):
        monkeypatch.setattr(module, "recipes", lambda: {"one": _with_extra()})
    (tmp_path / "data" / "one").mkdir(parents=True)
    (tmp_path / "data" / "one" / "one.bin").write_bytes(b"net")
    assert main(["fetch-weights", "one"]) == 0
    said = capsys.readouterr().out
    assert "not fetched: http://127.0.0.1:9/x cannot be fetched" in said
    assert "one serves without tea.bin, but makes no tea" in said
    assert "one: every file it needs is here" in said
    settings = Settings(engine="one", data_dir=tmp_path / "data")
    found = {one.subject: one.state for one in engine_checks.files(settings)}
    assert found == {"one.bin": State.OK, "tea.bin": State.NOTE}


def test_a_stick_without_the_file_for_one_thing_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fetch_weights, "recipes", lambda: {"one": _with_extra()})
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "tea.bin").write_bytes(b"net")
    assert main(["fetch-weights", "one", "--from", str(stick)]) == 2
    assert "still missing: both.zip" in capsys.readouterr().err
    (stick / "one.bin").write_bytes(b"net")
    (stick / "tea.bin").unlink()
    (tmp_path / "data" / "one" / "tea.bin").unlink()
    assert main(["fetch-weights", "one", "--from", str(stick)]) == 0
    assert "one serves without tea.bin" in capsys.readouterr().out


def test_doctor_finds_the_missing_networks_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POSE_ENGINE", "embedded")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "problem: engine: POSE_ENGINE=embedded: " in said
    assert "python -m pose_service fetch-weights embedded" in said
    assert "3 problems: it cannot serve" in said  # the engine, and its two files


@pytest.mark.parametrize(
    ("engine", "state"), [("auto", State.NOTE), ("one", State.PROBLEM), ("other", None)]
)
def test_doctor_judges_a_missing_file_by_the_engine_that_is_asked_for(
    engine: str, state: State | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {name: _recipe(name, available=False, fetchable=True) for name in ("one", "other")}
    monkeypatch.setattr(engine_checks, "recipes", lambda: known)
    settings = Settings(engine=engine, data_dir=tmp_path)
    found = {finding.subject: finding for finding in engine_checks.files(settings)}
    assert ("one.bin" in found) == (state is not None)
    if state is not None:
        assert found["one.bin"].state is state
        assert found["one.bin"].remedy == "Ask the test for it."


def test_doctor_full_looks_into_files_that_a_glance_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = _recipe("one", available=True, fetchable=True)

    def refuse(path: Path) -> None:
        raise EngineError(f"{path} has other tensors", hint="Fetch it again.")

    file = replace(recipe.sources[0].files[0], check=refuse)
    source = replace(recipe.sources[0], members=((file.name, file),))
    monkeypatch.setattr(
        engine_checks, "recipes", lambda: {"one": replace(recipe, sources=(source,))}
    )
    settings = Settings(data_dir=tmp_path)
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "one.bin").write_bytes(b"net")
    (quick,) = engine_checks.files(settings)
    (full,) = engine_checks.files(settings, full=True)
    assert quick.state is State.OK
    assert str(tmp_path / "one" / "one.bin") in quick.detail
    assert (full.state, full.remedy) == (State.NOTE, "Fetch it again.")


@pytest.mark.parametrize(("engine", "count"), [("auto", 1), ("embedded", 0)])
def test_doctor_notes_missing_torch_unless_another_engine_is_asked_for(
    engine: str, count: int, tmp_path: Path
) -> None:
    listed = tmp_path / "requirements-4dhumans.txt"
    listed.write_text("-r requirements.txt\nno-such-torch==2.13.0\n")
    found = list(engine_checks.nets_packages(Settings(engine=engine), listed))
    assert [finding.state for finding in found] == [State.NOTE] * count


@pytest.mark.parametrize(
    ("engine", "wanted"), [("auto", []), ("4dhumans", ["torch", "torchvision"])]
)
def test_doctor_loads_torch_only_where_its_engine_is_asked_for(
    engine: str, wanted: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def broken(name: str) -> None:
        loaded.append(name)
        raise OSError("libcudart.so.12: cannot open shared object file")

    monkeypatch.setattr(engine_checks.importlib, "import_module", broken)
    nothing = tmp_path / "no requirements"
    found = list(engine_checks.nets_packages(Settings(engine=engine), nothing))
    assert loaded == wanted
    assert all("libcudart.so.12" in finding.detail for finding in found)
    assert all("requirements-4dhumans.txt" in finding.remedy for finding in found)
    # without torchvision the engine runs on operations of its own
    assert [finding.state for finding in found] == [State.PROBLEM, State.NOTE][: len(wanted)]


def test_doctor_says_what_torch_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert engine_checks.torch_at_work().detail == "runs on the CPU: it sees no CUDA device"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "NVIDIA RTX 4090")
    finding = engine_checks.torch_at_work()
    assert (finding.state, finding.detail) == (State.OK, "runs on NVIDIA RTX 4090")


def test_doctor_tells_each_cards_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA RTX 4090, 24564 MiB, 20000 MiB, 550.54.14'\n")
    tool.chmod(0o755)
    monkeypatch.setattr(engine_checks.shutil, "which", lambda _: str(tool))
    wanted = "NVIDIA RTX 4090, 20000 MiB of 24564 MiB free, driver 550.54.14"
    assert engine_checks.cuda().detail == wanted


def test_a_build_for_another_device_is_the_same_version(tmp_path: Path) -> None:
    version = metadata.version("torch")
    listed = tmp_path / "requirements.txt"
    listed.write_text(f"torch=={version.partition('+')[0]}\n")
    (finding,) = checks.packages(listed)
    assert (finding.state, finding.detail) == (State.OK, version)


@pytest.mark.usefixtures("toy_nets")
def test_doctor_tells_how_good_a_clip_comes_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [
        picture() if i in range(10, 31) else picture((20 + i, 40, 80 + i, 200)) for i in range(60)
    ]
    clip = clip_file(tmp_path / "hidden.mp4", images)
    assert main(["doctor", "--clip", str(clip)]) == 0
    said = capsys.readouterr().out
    assert "60 frames at 30.00 per second" in said
    assert "person 1, the primary" in said
    (line,) = [line for line in said.splitlines() if "were filled" in line]
    assert "35 %" in line
    assert line.startswith("look")
    assert "longest gap 0.7 s" in said


@pytest.mark.usefixtures("toy_nets")
def test_doctor_says_that_a_clip_shows_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = clip_file(tmp_path / "nobody.mp4", [picture()] * 5)
    assert main(["doctor", "--clip", str(clip)]) == 1
    assert "Nobody was found." in capsys.readouterr().out


def test_doctor_refuses_a_clip_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--clip", "/no/such.mp4"]) == 2
    assert "/no/such.mp4 does not exist" in capsys.readouterr().err


def test_a_join_is_told_in_a_sentence() -> None:
    line = clip_report.merge_line(MergedTrack(1, (4,), 71, 20, 0.93))
    assert line == (
        "person 1 was hidden for 20 frames before frame 71 and known again by looks (likeness 0.93)"
    )


def test_doctor_notes_a_setting_that_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_PROT", "5001")
    found = {finding.subject: finding for finding in checks.given_settings()}
    assert found["POSE_PROT"].state is State.NOTE
    assert "POSE_DATA_DIR=" in found["settings"].detail


def test_doctor_tells_missing_and_other_versions_of_packages(tmp_path: Path) -> None:
    listed = tmp_path / "requirements.txt"
    listed.write_text("# comment\n-r other.txt\nnumpy==0.1\nno-such-package==1.0  # why\n")
    numpy, missing = checks.packages(listed)
    assert (numpy.state, missing.state) == (State.NOTE, State.PROBLEM)
    assert "tested with 0.1" in numpy.detail
    assert f"pip install -r {listed}" in missing.remedy


def test_doctor_refuses_a_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finding = checks.folder("POSE_STATE_DIR", tmp_path / "file" / "state")
    assert finding.state is State.PROBLEM
    assert "POSE_STATE_DIR" in finding.remedy


def test_doctor_accepts_a_folder_that_can_be_made(tmp_path: Path) -> None:
    finding = checks.folder("POSE_STATE_DIR", tmp_path / "a" / "b")
    assert finding.state is not State.PROBLEM
    assert not (tmp_path / "a").exists(), "looking must not make it"


def test_a_port_in_use_is_named_with_the_remedy(listener: int) -> None:
    with pytest.raises(PortError, match=f"port {listener} is in use by another program") as refusal:
        check_port(Settings(host="127.0.0.1", port=listener))
    assert "set PORT" in refusal.value.hint
    assert checks.port(Settings(host="127.0.0.1", port=listener)).state is State.PROBLEM


def test_a_free_port_is_no_trouble(free_port: int) -> None:
    check_port(Settings(host="127.0.0.1", port=free_port))
    assert health_at(free_port) is None


def test_a_host_that_is_not_ours_is_named() -> None:
    with pytest.raises(PortError, match=r"HOST=203\.0\.113\.7 cannot be listened on"):
        check_port(Settings(host="203.0.113.7", port=5000))


def test_serve_stops_before_it_starts_when_the_port_is_taken(
    listener: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOST", "127.0.0.1")
    monkeypatch.setenv("PORT", str(listener))
    assert main(["serve"]) == 2
    assert f"port {listener} is in use" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "first"),
    [
        ("0.0.0.0", "http://localhost:5000"),
        ("192.168.1.5", "http://192.168.1.5:5000"),
        ("::1", "http://[::1]:5000"),
    ],
)
def test_addresses_are_given_as_they_are_typed(host: str, first: str) -> None:
    assert urls(Settings(host=host))[0] == first


def test_the_drawn_person_fills_the_picture_it_states() -> None:
    image = selftest.drawn_person()
    assert image.shape == (selftest.HEIGHT_PX, selftest.WIDTH_PX, 3)
    assert image.dtype == np.uint8


def test_the_self_test_notes_a_wrong_number_of_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "build_engine", build_toy)
    finding = selftest.selftest(Settings())
    assert finding.state is State.NOTE
    assert "2 of 1 drawn person found" in finding.detail
