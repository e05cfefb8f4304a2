"""The parts of the job room, opened as settings say; several processes open the same."""

from collections.abc import Callable
from dataclasses import dataclass

from pose_service.core.config import Settings
from pose_service.jobs.attempt import Tools
from pose_service.jobs.avatar_rows import AvatarStore
from pose_service.jobs.chunk_room import ChunkRoom
from pose_service.jobs.chunk_rows import ChunkRows
from pose_service.jobs.clock import CalmClock
from pose_service.jobs.database import open_database
from pose_service.jobs.queue import ClipQueue, open_queue
from pose_service.jobs.roster import Roster
from pose_service.jobs.sources import Sources
from pose_service.jobs.storage import open_storage
from pose_service.jobs.store import JobStore
from pose_service.jobs.work import WorkFolders


@dataclass(frozen=True)
class JobParts:
    """Records, files, workers, messages."""

    tools: Tools
    roster: Roster
    queue: ClipQueue


def open_parts(settings: Settings, clock: Callable[[], float] | None = None) -> JobParts:
    """All parts; `SettingsError` for an address that cannot be used, `DatabaseError`."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    engine = open_database(settings)
    store = JobStore(engine, clock or CalmClock())
    storage, folders = open_storage(settings), WorkFolders(settings.state_dir)
    sources = Sources(settings, storage, folders)
    roster, queue = Roster(engine), open_queue(settings)
    chunks = ChunkRoom(ChunkRows(engine), storage, queue, roster) if settings.share_clips else None
    avatars = AvatarStore(store, settings.avatar_versions)
    tools = Tools(store, avatars, storage, folders, sources, settings.storage_wait_s, chunks)
    return JobParts(tools, roster, queue)
