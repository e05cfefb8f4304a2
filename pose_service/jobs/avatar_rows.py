"""AvatarStore: which avatars there are, of whom, in which version, and where their files lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from pose_service.core.errors import NotFoundError
from pose_service.jobs.records import Job, JobState
from pose_service.jobs.schema import avatars, jobs, notes
from pose_service.jobs.store import JobStore

_TRIES = 16
_HOME = "avatar-"


@dataclass(frozen=True)
class Avatar:
    """One version of somebody's avatar.

    `avatar_id`: the id of the job that made it. `created_at`: epoch seconds. `key`: where its files
    lie in the storage. `record`: JSON, as who made it wrote it.
    """

    avatar_id: str
    user_id: str
    version: int
    created_at: float
    key: str
    record: str


@dataclass(frozen=True)
class Removal:
    """What was taken off the record of a user: ids whose files are to be removed now.

    `versions`: how many avatars. `job_ids`: of jobs and of avatars. `in_hand`: those that a worker
    has its hands on, who removes their files itself.
    """

    versions: int
    job_ids: tuple[str, ...]
    in_hand: tuple[str, ...]


class AvatarStore:
    """Records of avatars, in the database of the jobs that make them.

    An avatar becomes its user's newest in the transaction that completes its job, so of two claims
    of one job only one makes an avatar, and a job that was removed makes none. What is removed is
    hidden at once and stays listed without its user until its files are surely gone. Every method
    may raise `DatabaseError`; nothing was changed then.
    """

    def __init__(self, store: JobStore, most_versions: int) -> None:
        self._store = store
        self._most_versions = most_versions

    def complete(self, job: Job, key: str, record: str) -> bool:
        """Let what lies at `key` be the newest avatar of the job's user; False if the job is lost.

        Versions beyond the limit are removed, oldest first.
        """
        for _ in range(_TRIES):
            try:
                return self._store.complete(job, partial(self._add, job, key, record))
            except IntegrityError:
                # another avatar of this user took the number: the next one is free
                continue
        return False

    def get(self, user_id: str, version: int | None = None) -> Avatar:
        """One version, else the newest; `NotFoundError` if there is none."""
        query = select(avatars).where(avatars.c.user_id == user_id)
        if version is not None:
            query = query.where(avatars.c.version == version)
        with self._store.reading() as connection:
            row = connection.execute(query.order_by(avatars.c.version.desc()).limit(1)).first()
        if row is None:
            raise unknown_avatar(user_id, version)
        return _avatar_of(row)

    def versions(self, user_id: str) -> list[Avatar]:
        """All that are kept, newest first; `NotFoundError` if there is none."""
        query = select(avatars).where(avatars.c.user_id == user_id)
        with self._store.reading() as connection:
            found = connection.execute(query.order_by(avatars.c.version.desc())).all()
        if not found:
            raise unknown_avatar(user_id)
        return [_avatar_of(row) for row in found]

    def of_job(self, job_id: str) -> Avatar | None:
        """The avatar that a job made; None if it made none, or it is kept no longer."""
        query = select(avatars).where(avatars.c.avatar_id == job_id, avatars.c.removed_at.is_(None))
        with self._store.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _avatar_of(row)

    def known_ids(self) -> set[str]:
        """Of all avatars, the removed ones too."""
        with self._store.reading() as connection:
            return set(connection.execute(select(avatars.c.avatar_id)).scalars())

    def remove(self, user_id: str) -> Removal:
        """Forget a user: jobs, waiting and running ones too, and all avatars.

        `NotFoundError` if there is nothing of this user.
        """
        with self._store.writing() as connection:
            # jobs first, as in `complete`: one that is completed meanwhile is waited for
            states = _removed_jobs(connection, user_id)
            hidden = self._hide(connection, avatars.c.user_id == user_id)
            self._list(connection, set(states) - set(hidden))
        if not states and not hidden:
            raise unknown_avatar(user_id)
        in_hand = tuple(one for one, state in states.items() if state is JobState.PROCESSING)
        return Removal(len(hidden), tuple({*states, *hidden}), in_hand)

    def removed(self) -> dict[str, float]:
        """Ids of what was removed and when, epoch seconds; its files may still be there."""
        query = select(avatars.c.avatar_id, avatars.c.removed_at)
        with self._store.reading() as connection:
            rows = connection.execute(query.where(avatars.c.removed_at.is_not(None)))
            return {row.avatar_id: row.removed_at for row in rows}

    def drop(self, avatar_id: str) -> None:
        """The files of a removed avatar are surely gone."""
        gone = (avatars.c.avatar_id == avatar_id, avatars.c.removed_at.is_not(None))
        with self._store.writing() as connection:
            connection.execute(delete(avatars).where(*gone))

    def _add(self, job: Job, key: str, record: str, connection: Connection) -> None:
        own = avatars.c.user_id == job.user_id
        newest = select(func.coalesce(func.max(avatars.c.version), 0)).where(own).scalar_subquery()
        query = insert(avatars).values(
            avatar_id=job.job_id,
            user_id=job.user_id,
            version=newest + 1,
            created_at=self._store.now(),
            key=key,
            record=record,
        )
        version = connection.execute(query.returning(avatars.c.version)).scalar_one()
        self._hide(connection, own, avatars.c.version <= version - self._most_versions)

    def _hide(self, connection: Connection, *where: ColumnElement[bool]) -> Sequence[str]:
        """Take all but id and time out of rows; their ids."""
        nothing = dict.fromkeys(("user_id", "version", "created_at", "key", "record"))
        query = update(avatars).where(*where).values(**nothing, removed_at=self._store.now())
        return connection.execute(query.returning(avatars.c.avatar_id)).scalars().all()

    def _list(self, connection: Connection, job_ids: set[str]) -> None:
        """Note ids that have no row: their jobs may have stored files, too."""
        query = select(avatars.c.avatar_id).where(avatars.c.avatar_id.in_(job_ids))
        new = job_ids - set(connection.execute(query).scalars())
        if new:
            now = self._store.now()
            rows = [{"avatar_id": job_id, "removed_at": now} for job_id in sorted(new)]
            connection.execute(insert(avatars), rows)


def avatar_home(avatar_id: str) -> str:
    """Where all files of an avatar lie in the storage, apart from those of its job."""
    return f"{_HOME}{avatar_id}"


def unknown_avatar(user_id: str, version: int | None = None) -> NotFoundError:
    """There is nothing of this user, or not in this version."""
    what = "no avatar" if version is None else f"no version {version} of the avatar"
    return NotFoundError(
        f"{what} of user {user_id!r}",
        hint="POST /api/v1/avatar makes one; it is there when its job is complete.",
    )


def _removed_jobs(connection: Connection, user_id: str) -> dict[str, JobState]:
    """The jobs of a user, which are gone now, and where they were."""
    gone = delete(jobs).where(jobs.c.user_id == user_id)
    rows = connection.execute(gone.returning(jobs.c.job_id, jobs.c.state)).all()
    states = {row.job_id: row.state for row in rows}
    connection.execute(delete(notes).where(notes.c.job_id.in_(states)))
    return states


def _avatar_of(row: Row[tuple[object, ...]]) -> Avatar:
    values = dict(row._mapping)
    del values["removed_at"]
    return Avatar(**values)
