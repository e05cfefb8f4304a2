"""AvatarRoom: avatars as who asks for them sees them: records, files, and their end."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from pose_service.jobs.attempt import Tools
from pose_service.jobs.avatar_rows import Avatar
from pose_service.jobs.storage import PIECE_BYTES, told_of_disk

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Removed:
    """What went with a user: so many avatars.

    `files_pending`: something may still lie in the storage, or in a worker's hands; the keeper
    removes it within a minute of its being free.
    """

    versions: int
    files_pending: bool


class AvatarRoom:
    """Avatars of one database and one storage. Methods may raise `DatabaseError`."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def get(self, user_id: str, version: int | None = None) -> Avatar:
        """See `AvatarStore.get`."""
        return self._tools.avatars.get(user_id, version)

    def versions(self, user_id: str) -> list[Avatar]:
        """See `AvatarStore.versions`."""
        return self._tools.avatars.versions(user_id)

    def of_job(self, job_id: str) -> Avatar | None:
        """See `AvatarStore.of_job`."""
        return self._tools.avatars.of_job(job_id)

    def read(self, avatar: Avatar, name: str) -> Iterator[bytes]:
        """One of an avatar's files, in pieces.

        `NotFoundError` or `StorageError` with the first piece.
        """
        file = self._tools.storage.folder(avatar.key) / name
        with told_of_disk(f"read {name}"), file.open("rb") as opened:
            yield from iter(partial(opened.read, PIECE_BYTES), b"")

    def remove(self, user_id: str) -> Removed:
        """Forget a user with all jobs, avatars and files; `NotFoundError` if there is nothing.

        Once this returns nothing of the user is answered any more, and no job that ran makes an
        avatar.
        """
        removal = self._tools.avatars.remove(user_id)
        free = set(removal.job_ids) - set(removal.in_hand)
        # all are tried, whatever becomes of the first
        gone = [self._tools.forget(job_id) for job_id in sorted(free)]
        log.info("[AVATAR] a user is removed: %d avatars", removal.versions)
        return Removed(removal.versions, bool(removal.in_hand) or not all(gone))
