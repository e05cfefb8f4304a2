"""The 2D nets of one process: loaded once, and kept."""

import threading

from pose_service.core.config import Settings
from pose_service.core.errors import PoseError
from pose_service.pose2d.choosing import choose
from pose_service.pose2d.config import read_model_config
from pose_service.pose2d.seam import NotChosen, Pose2D


class KeypointNets:
    """Safe from many threads, but the nets it gives are for one clip at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._chosen: Pose2D | NotChosen | None = None

    @property
    def loaded(self) -> Pose2D | None:
        """The nets, where some were chosen and are loaded; asks for nothing."""
        return self._chosen if isinstance(self._chosen, Pose2D) else None

    def get(self) -> Pose2D | NotChosen:
        """The nets, or why there are none; loads them the first time, which takes seconds."""
        with self._lock:
            if self._chosen is None:
                self._chosen = self._choose()
            return self._chosen

    def _choose(self) -> Pose2D | NotChosen:
        try:
            return choose(self._settings, read_model_config(self._settings))
        except PoseError as error:
            return NotChosen(str(error), error.hint)
