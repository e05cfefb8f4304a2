"""The schema of /pose's answer to a clip."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FILE = Path(__file__).resolve().parent / "data" / "pose_schema.json"


def check_pose(body: Any) -> None:
    """Raise `ValidationError` unless `body` fits the schema of /pose's answer to a clip."""
    Draft202012Validator(json.loads(FILE.read_text(encoding="utf-8"))).validate(body)
