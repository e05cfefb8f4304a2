"""What the documents say is so: settings, commands, links, routes, fields, errors, names."""

import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from makers import clip_file, picture_file
from toy_engine import build_toy, picture

from pose_service.app import create_app
from pose_service.blazepose.files import WHEEL
from pose_service.commands.arguments import parse
from pose_service.core.config import CONFIG_FILE_NAME, Settings, known_names
from pose_service.core.skeletons import SKELETONS, SMPL24
from pose_service.runtime.hub import ModelHub
from pose_service.web.forms import (
    ClipPathForm,
    ClipUrlForm,
    EndForm,
    Form,
    JobsForm,
    OldClipForm,
    PictureForm,
    ResultForm,
    SliceForm,
)
from pose_service.web.pose_forms import LimitForm, PosePathForm, PoseResultForm, PoseUrlForm

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
ANSWERS = ROOT / "docs" / "answers.md"
POSE = ROOT / "docs" / "pose.md"
PAGES = [README, ROOT / "CHANGELOG.md", ROOT / "NOTICE", *sorted((ROOT / "docs").glob("*.md"))]

CODE = re.compile(r"^```\w*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SETTING_ROW = re.compile(r"^\| `([A-Z0-9_]+)` \| (?:`([^`]+)`|-) \|", re.MULTILINE)
ERROR_CODE = re.compile(r'code(?:: str)? ?= ?"([A-Z_]+)"')
# What an engine calls its files is its own matter, and packages have their own names.
OPEN_OBJECTS = {"models", "versions"}


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code_lines(page: Path) -> list[str]:
    """Lines of code blocks, and pieces of code within sentences."""
    pieces = (block or piece for block, piece in CODE.findall(text(page)))
    return [line.strip() for piece in pieces for line in piece.splitlines()]


def all_code_lines() -> list[str]:
    return [line for page in PAGES for line in code_lines(page)]


def anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def names_in(value: Any) -> set[str]:
    """Every field name in an answer, however deep."""
    if isinstance(value, list):
        return set().union(*map(names_in, value))
    if not isinstance(value, dict):
        return set()
    inner = (names_in(part) for name, part in value.items() if name not in OPEN_OBJECTS)
    return set(value).union(*inner)


def not_in_code(names: set[str], page: Path) -> list[str]:
    said = set(re.findall(r"`([^`\n]+)`", text(page)))
    return sorted(names - said)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    settings = Settings(state_dir=tmp_path_factory.mktemp("state"))
    hub = ModelHub(settings, build_toy)
    app = create_app(settings, hub=hub)
    hub.wait(10)
    yield app.test_client()
    app.extensions["pose_service"].stop()


def test_settings_table_is_what_the_settings_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    defaults = Settings()
    wanted = {CONFIG_FILE_NAME: ""} | {
        str(field.alias): default_text(getattr(defaults, name))
        for name, field in Settings.model_fields.items()
    }
    assert dict(SETTING_ROW.findall(text(README))) == wanted


def default_text(value: object) -> str:
    if isinstance(value, tuple):
        return ":".join(map(default_text, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value).replace("/home/me", "~")


def test_every_setting_that_is_named_exists() -> None:
    named = {name for page in PAGES for name in re.findall(r"\bPOSE_[A-Z0-9_]+\b", text(page))}
    assert named <= set(known_names())


def test_the_two_commands_are_in_the_readme() -> None:
    assert {"bash start-pose-service.sh", "bash scripts/test.sh"} <= set(code_lines(README))


def test_every_script_that_is_named_exists() -> None:
    named = re.findall(
        r"\b(?:bash|node|python) ([\w./-]+\.(?:sh|js|py))", "\n".join(all_code_lines())
    )
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_command_that_is_named_can_be_given() -> None:
    found = [line.partition("python -m pose_service ")[2] for line in all_code_lines()]
    commands = {parse(shlex.split(rest, comments=True)).command for rest in found if rest}
    assert commands == {
        "serve", "worker", "doctor", "fetch-weights", "frame", "video", "pose", "convert", "jobs",
        "bench",
    }  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_internal_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(text(page)):
        place, _, part = link.partition("#")
        target = page.parent / place if place else page
        if "://" in link:
            continue
        assert target.exists(), link
        assert not part or part in map(anchor, HEADING.findall(text(target))), link


def test_every_route_and_its_methods_are_in_the_readme(client: FlaskClient) -> None:
    said = {
        (method, path)
        for row in re.findall(r"^\| (.*?) \|", text(README), re.MULTILINE)
        if (paths := re.findall(r"(/[\w/<>.-]+)`", row))
        for method in re.findall(r"`(GET|POST|DELETE)", row)
        for path in paths
    }
    rules = client.application.url_map.iter_rules()
    routes = {(method, rule.rule) for rule in rules for method in rule.methods or ()}
    assert {route for route in routes if route[0] in ("GET", "POST", "DELETE")} - said == set()
    assert {path for _, path in said} <= {path for _, path in routes}


def test_every_field_of_a_pictures_answer_is_explained(client: FlaskClient) -> None:
    fields = {"visualize": "true", "joint_sets": ",".join(SKELETONS)}
    seen = {"frame": (BytesIO(picture_file(picture((20, 40, 80, 200)), "PNG")), "a.png")}
    empty = {"frame": (BytesIO(picture_file(picture(), "PNG")), "b.png")}
    answers = [client.post("/pose/hybrid", data=fields | part).json for part in (seen, empty)]
    assert [answer["keypoint_count"] for answer in answers] == [24, 0]
    assert not_in_code(names_in(answers), ANSWERS) == []


def test_every_field_of_a_clips_answer_is_explained(client: FlaskClient, tmp_path: Path) -> None:
    clip = clip_file(tmp_path / "a.mp4", [picture((20, 40, 80, 200))] * 4).read_bytes()

    def sent(route: str, **fields: str) -> Any:
        return client.post(route, data={"video": (BytesIO(clip), "a.mp4"), **fields}).json

    whole = sent("/pose/video")
    assert whole["total_frames"] == 4
    older = sent("/process_video", output_format="base64")
    paths = ("/pose/video/status/{}?from=0&to=1", "/job_status/{}", "/logs/{}", "/jobs/{}", "/jobs")
    about = [client.get(path.format(whole["job_id"])).json for path in paths]
    queued = sent("/pose/video", **{"async": "true"})
    assert not_in_code(names_in([whole, older, *about, queued]), ANSWERS) == []


def test_every_field_of_health_is_explained(client: FlaskClient) -> None:
    paths = ("/health", "/warmup", "/api/pose/health", "/api/pose/pool-status", "/debug/faces")
    answers = [client.get(path).json for path in paths]
    assert not_in_code(names_in(answers), ANSWERS) == []


@pytest.mark.parametrize(
    "form",
    [
        PictureForm, ClipPathForm, ClipUrlForm, OldClipForm, SliceForm, ResultForm, JobsForm,
        EndForm,
    ],
)  # fmt: skip
def test_every_field_that_may_be_sent_is_explained(form: type[Form]) -> None:
    schema = form.model_json_schema(by_alias=True)
    assert not_in_code(set(schema["properties"]), ANSWERS) == []


@pytest.mark.parametrize("form", [PosePathForm, PoseUrlForm, PoseResultForm, LimitForm])
def test_every_field_that_may_be_sent_for_keypoints_is_explained(form: type[Form]) -> None:
    schema = form.model_json_schema(by_alias=True)
    assert not_in_code(set(schema["properties"]), POSE) == []


def test_every_field_of_keypoints_is_explained(client: FlaskClient, tmp_path: Path) -> None:
    clip = clip_file(tmp_path / "a.mp4", [picture((20, 40, 80, 200))] * 9).read_bytes()

    jobs = client.application.extensions["pose_service"].jobs

    def sent(**fields: str) -> Any:
        file = (BytesIO(clip), "a.mp4")
        job = client.post("/pose", data={"video": file, "async": "true", **fields}).json
        jobs.wait(job["job_id"], 20)
        return client.get(f"/pose/result/{job['job_id']}").json

    whole = sent(limits='[{"angle": "left_elbow", "high_deg": 80}]')
    compared = sent(compare_with=whole["job_id"])
    part = client.get(f"/pose/result/{whole['job_id']}?from=0&to=1").json
    about = client.get(f"/pose/status/{whole['job_id']}").json
    assert compared["data"]["comparison"]
    assert not_in_code(names_in([whole, compared, part, about]), POSE) == []


def test_every_field_of_healthz_is_explained(client: FlaskClient) -> None:
    assert not_in_code(names_in(client.get("/healthz").json), POSE) == []


def test_every_error_type_is_explained() -> None:
    sources = (ROOT / "pose_service").rglob("*.py")
    codes = {code for source in sources for code in ERROR_CODE.findall(text(source))}
    assert "QUEUE_FULL" in codes
    assert not_in_code(codes, ANSWERS) == []


def test_joint_names_stand_in_their_order() -> None:
    assert " ".join(SMPL24.joints) in " ".join(text(ANSWERS).split())


def test_licences_name_every_package_that_is_asked_for() -> None:
    lines = [line for file in ROOT.glob("requirements*.txt") for line in text(file).splitlines()]
    packages = {line.partition("==")[0] for line in lines if "==" in line}
    assert not_in_code(packages, ROOT / "docs" / "licences.md") == []


def test_the_archive_of_the_networks_is_named_for_machines_without_a_net() -> None:
    page = text(ROOT / "docs" / "install.md")
    assert all(
        part in page for part in (WHEEL.name, *WHEEL.urls, WHEEL.sha256, str(WHEEL.size_bytes))
    )


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
def test_the_node_example_is_a_module_that_node_reads(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```js\n(.*?)^```", text(README), re.MULTILINE | re.DOTALL)
    module = tmp_path / "example.mjs"
    module.write_text(example, encoding="utf-8")
    checked = subprocess.run(
        ["node", "--check", module], capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stderr
