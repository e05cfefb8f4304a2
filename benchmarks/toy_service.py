"""What gunicorn serves where the service's own cost is measured: nets that cost next to nothing.

The body is as large as SMPL's, so that answers are as long as real ones.
"""

from flask import Flask
from toy_engine import large_body, toy_engine

from pose_service.app import create_app
from pose_service.core.config import Settings, read_settings
from pose_service.engines.seam import Engine
from pose_service.runtime.hub import ModelHub


def serve() -> Flask:
    settings = read_settings()
    return create_app(settings, hub=ModelHub(settings, build_large_toy))


def build_large_toy(settings: Settings) -> tuple[Engine, str]:
    return toy_engine(large_body()), "the service alone is measured"
