"""Who made sights, of what: marks that are the same on every machine where the answers are."""

import hashlib
from pathlib import Path

import pose_service
from pose_service.engines.seam import Engine
from pose_service.media.part import ClipPart

_LETTERS = 16


def engine_mark(engine: Engine) -> str:
    """Of all that the nets' answers to a given picture depend on."""
    parts = pose_service.__version__, engine.model_version, engine.device, engine.setup
    return _mark("\n".join(parts).encode())


def made_by(source: Path, engine: Engine, part: ClipPart) -> str:
    """Of the engine, and of the part of the clip `source` by its content, wherever it lies."""
    with source.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").digest()
    return f"{engine_mark(engine)}-{_mark(content + repr(part).encode())}"


def _mark(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_LETTERS]
