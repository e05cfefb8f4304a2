"""Asking the service as a client does, and holding its answers against the schema."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from makers import picture_file
from toy_engine import build_toy, picture

from pose_service.app import create_app
from pose_service.core.config import Settings
from pose_service.engines.seam import Engine
from pose_service.runtime.hub import ModelHub

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA = ROOT / "tests" / "data" / "http_schema.json"
PERSON_BOX = (100, 40, 160, 200)
CLIP_FRAMES = 20
CLIP_FPS = 30

Body = dict[str, Any]


@cache
def schema() -> Body:
    """The published schema with the few changes that it names itself for an engine without SMPL.

    SMPL's counts and names do not hold there: the largest vertex number is the body's own, `smpl`
    is null, and the service is ready although HMR2, ViTDet and PHALP are not loaded.
    """
    published: Body = json.loads(SCHEMA.read_text(encoding="utf-8"))
    changed = deepcopy(published)
    definitions = changed["$defs"]
    del definitions["faces"]["items"]["items"]["maximum"]
    smpl = definitions["person"]["properties"]["smpl"]
    definitions["person"]["properties"]["smpl"] = {"anyOf": [smpl, {"type": "null"}]}
    del definitions["HealthResponse"]["allOf"][0]["then"]["properties"]["models"]
    return changed


def check(name: str, body: Any) -> None:
    """Raise `ValidationError` unless `body` fits the definition of this name."""
    whole = {"$ref": f"#/$defs/{name}", "$defs": schema()["$defs"]}
    Draft202012Validator(whole).validate(body)


def strictly_parsed(data: bytes) -> Any:
    """JSON as JavaScript reads it: no NaN, no Infinity."""

    def refuse(word: str) -> None:
        raise AssertionError(f"the answer holds {word}, which is no JSON")

    return json.loads(data, parse_constant=refuse)


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Caller:
    """Every answer must be JSON that any origin may read, every error an error body."""

    client: FlaskClient

    def ask(self, method: str, path: str, **body: Any) -> Answer:
        response = self.client.open(path, method=method, **body)
        assert response.content_type == "application/json"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        parsed = strictly_parsed(response.data)
        if response.status_code >= 400:
            check("Error", parsed)
        return Answer(response.status_code, parsed, dict(response.headers))

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, **body: Any) -> Answer:
        return self.ask("POST", path, **body)

    def frame(self, path: str = "/pose/hybrid", **fields: Any) -> Answer:
        """A picture of one person in a JSON request with `fields`."""
        return self.post(path, json={"image_base64": person_base64(), **fields})


@contextmanager
def running(
    settings: Settings, build: Callable[[Settings], tuple[Engine, str]] = build_toy
) -> Iterator[Caller]:
    """A service of its own with the engine that `build` makes, and no 2D net of this machine."""
    settings = settings.model_copy(update={"rtmpose_enabled": False, "hrnet_enabled": False})
    app = create_app(settings, hub=ModelHub(settings, build))
    try:
        yield Caller(app.test_client())
    finally:
        app.extensions["pose_service"].stop()


def as_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def person_png() -> bytes:
    return picture_file(picture(PERSON_BOX), "PNG")


def person_base64() -> str:
    return as_base64(person_png())


def nobody_base64() -> str:
    return as_base64(picture_file(picture(), "PNG"))


def large_part(name: str, data: bytes, filename: str = "") -> Body:
    """A multipart body of one part. (The test client would put a large one into a file.)"""
    file = f'; filename="{filename}"' if filename else ""
    head = f'--limit\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return {
        "data": head.encode() + data + b"\r\n--limit--\r\n",
        "content_type": "multipart/form-data; boundary=limit",
    }
