"""What gunicorn serves in the tests of a real server: the service with toy nets."""

from flask import Flask
from toy_engine import build_toy

from pose_service.app import create_app
from pose_service.core.config import read_settings
from pose_service.runtime.hub import ModelHub


def serve() -> Flask:
    settings = read_settings()
    return create_app(settings, hub=ModelHub(settings, build_toy))
