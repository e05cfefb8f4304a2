"""Asking a service for avatars, and holding its answers against their schema."""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from contract_kit import ROOT, Answer, Body, Caller, person_base64, running
from jsonschema import Draft202012Validator
from servers import wait_for
from toy_avatar import ToySteps

from pose_service import runners
from pose_service.core.config import Settings
from pose_service.jobs.records import JobKind

AVATAR = "/api/v1/avatar"


@cache
def _schema() -> Body:
    text = (ROOT / "tests" / "data" / "avatar_schema.json").read_text(encoding="utf-8")
    schema: Body = json.loads(text)
    return schema


def check(name: str, body: Any) -> None:
    """Raise `ValidationError` unless `body` fits the definition of this name."""
    whole = {"$ref": f"#/$defs/{name}", "$defs": _schema()["$defs"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(body)


def files_below(folder: Path) -> list[Path]:
    """All files below `folder`, which may be vanishing meanwhile."""
    return [Path(home) / name for home, _, names in os.walk(folder) for name in names]


def new_user() -> str:
    return f"somebody {uuid.uuid4()}"


@dataclass(frozen=True)
class AvatarCaller:
    """A client of a service whose avatars are made by `steps`."""

    caller: Caller
    steps: ToySteps

    def post(self, user_id: str, route: str = AVATAR, **fields: Any) -> Answer:
        """A photograph of one person in JSON."""
        body = {"user_id": user_id, "gender": "neutral", "image_base64": person_base64(), **fields}
        return self.caller.post(route, json=body)

    def send(self, user_id: str, part: str, data: bytes, **fields: str) -> Answer:
        """A file in a form."""
        form = {"user_id": user_id, "gender": "female", part: (BytesIO(data), "a.bin"), **fields}
        return self.caller.post(AVATAR, data=form)

    def finished(self, answer: Answer) -> Body:
        """What is said of the job once it is finished."""
        assert answer.status == 202, answer.body
        check("AvatarQueued", answer.body)
        job_id = answer.body["job_id"]
        wait_for(lambda: self.job(job_id)["done"])
        return self.job(job_id)

    def job(self, job_id: str) -> Body:
        answer = self.caller.get(f"{AVATAR}/job/{job_id}")
        assert answer.status == 200
        check("AvatarJob", answer.body)
        body: Body = answer.body
        return body

    def made(self, user_id: str, **fields: Any) -> Body:
        """The record of an avatar that is made now."""
        job = self.finished(self.post(user_id, **fields))
        assert job["status"] == "complete", job
        return self.record(user_id)

    def record(self, user_id: str, query: str = "") -> Body:
        answer = self.caller.get(f"{AVATAR}/{user_id}{query}")
        assert answer.status == 200, answer.body
        check("Avatar", answer.body)
        body: Body = answer.body
        return body

    def file(self, url: str) -> tuple[int, str, bytes]:
        """Status, content type and bytes of what lies at a URL of a record."""
        response = self.caller.client.get(url)
        return response.status_code, response.content_type, response.data


@contextmanager
def making_avatars(settings: Settings) -> Iterator[AvatarCaller]:
    """A service of its own with toy nets and toy steps."""
    steps = ToySteps()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            runners,
            "RUNNERS",
            {**runners.RUNNERS, JobKind.AVATAR: partial(runners.run_avatar, choose=steps)},
        )
        with running(settings) as caller:
            yield AvatarCaller(caller, steps)
