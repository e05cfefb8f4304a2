"""The service with toy nets and toy steps as a process of its own, which may die at a set point.

`DIE_AT`: the step before which the process kills itself, as `kill -9` would; "record" is between
the storing of the files and the record.
"""

import os
import signal
from functools import partial
from unittest.mock import patch

from toy_avatar import ToySteps
from toy_engine import build_toy
from werkzeug.serving import run_simple

from pose_service import app, runners
from pose_service.core.config import Settings, read_settings
from pose_service.jobs.avatar_rows import AvatarStore
from pose_service.jobs.records import Job, JobKind
from pose_service.runtime.hub import ModelHub


def die_at(step: str) -> None:
    if os.environ.get("DIE_AT") == step:
        os.kill(os.getpid(), signal.SIGKILL)


def serve() -> None:
    settings = read_settings()
    own = partial(runners.run_avatar, choose=ToySteps(before=die_at))
    table = {**runners.RUNNERS, JobKind.AVATAR: own}
    recorded = AvatarStore.complete

    def complete(self: AvatarStore, job: Job, key: str, record: str) -> bool:
        die_at("record")
        return recorded(self, job, key, record)

    with patch.object(runners, "RUNNERS", table), patch.object(AvatarStore, "complete", complete):
        run(settings)


def run(settings: Settings) -> None:
    made = app.create_app(settings, hub=ModelHub(settings, build_toy))
    run_simple(settings.host, settings.port, made, threaded=True)


if __name__ == "__main__":
    serve()
