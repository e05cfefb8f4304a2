"""Overlay videos in the folders of their jobs: made when somebody asks, and only once."""

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

from pose_service.rendering.style import DEFAULT_STYLE, OverlayStyle

OVERLAY_NAME = "overlay.mp4"


class OverlayFiles:
    """Makes each video once, however many ask for it at the same time: a player asks often."""

    def __init__(self) -> None:
        self._making: WeakValueDictionary[Path, Lock] = WeakValueDictionary()
        self._lock = Lock()

    def made(self, path: Path, write: Callable[[Path], None]) -> Path:
        """The video at `path`; `write` is called unless it is there."""
        with self._lock:
            # gone when nobody holds it any more
            making = self._making.setdefault(path, Lock())
        with making:
            if not path.is_file():
                write(path)
        return path


def overlay_name(style: OverlayStyle) -> str:
    """`overlay.mp4` for the style that older callers know, else a name of the style's own."""
    return OVERLAY_NAME if style == DEFAULT_STYLE else f"overlay-{style.name}.mp4"
