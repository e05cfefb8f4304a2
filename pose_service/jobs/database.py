"""The job database by its address: opened, its tables brought up to date, its faults told."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DisconnectionError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    TimeoutError,
)
from sqlalchemy.schema import CreateColumn

from pose_service.core.config import Settings, SettingsError
from pose_service.core.errors import UnavailableError
from pose_service.jobs.schema import metadata

BUSY_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_S = 5
CONNECTIONS = 8
MORE_CONNECTIONS = 24
_SCHEMA_LOCK = 0x706F7365  # any number that no other program takes
_POSTGRESQL = "postgresql+psycopg"

log = logging.getLogger(__name__)


class DatabaseError(UnavailableError):
    """The job database cannot be reached, is locked or full; nothing was changed."""

    code = "DATABASE_UNAVAILABLE"


def open_database(settings: Settings) -> Engine:
    """The database of `POSE_DATABASE_URL`, else `jobs.sqlite` in the state folder.

    Tables are made, and columns that an older version did not know are added; several processes
    may do so at once. Raises `SettingsError` for an address that cannot be used, `DatabaseError`
    where nobody answers.
    """
    engine = _engine(_url(settings))
    with told("opened"), engine.begin() as connection:
        _update_schema(connection)
    return engine


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn what happens to the database into `DatabaseError`; mistakes of ours stay as they are."""
    try:
        yield
    except (OperationalError, InterfaceError, DisconnectionError, TimeoutError) as error:
        # the whole text holds the statement and its values
        reason = str(getattr(error, "orig", None) or error).strip()
        raise DatabaseError(
            f"the job database could not be {what}: {reason}",
            hint="Nothing was changed. Try again in a moment; look after POSE_DATABASE_URL's"
            " server, or the disk of POSE_STATE_DIR, if it stays so.",
        ) from error


def _url(settings: Settings) -> URL:
    if settings.database_url is None:
        return URL.create("sqlite", database=str(settings.state_dir / "jobs.sqlite"))
    try:
        url = make_url(settings.database_url.get_secret_value())
    except ArgumentError:
        # its text repeats the address
        raise _unusable("is not an address") from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername=_POSTGRESQL)
    if url.drivername not in ("sqlite", _POSTGRESQL):
        raise _unusable(f"begins with {url.drivername}")
    if url.drivername == "sqlite" and not Path(url.database or "").is_absolute():
        raise _unusable("names no full path: sqlite:////folder/jobs.sqlite has four slashes")
    return url


def _unusable(why: str) -> SettingsError:
    return SettingsError(
        f"POSE_DATABASE_URL {why}",
        hint="Expected sqlite:////folder/jobs.sqlite or postgresql://user:password@host/database.",
    )


def _engine(url: URL) -> Engine:
    pool = {"pool_size": CONNECTIONS, "max_overflow": MORE_CONNECTIONS, "pool_timeout": 10}
    if url.drivername == "sqlite":
        engine = create_engine(url, **pool)
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    try:
        # a server that was restarted is noticed before a statement is lost to it
        return create_engine(
            url, **pool, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_TIMEOUT_S}
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise SettingsError(
            "POSE_DATABASE_URL needs the package psycopg, which is not installed",
            hint="Run `python -m pip install -r requirements-cluster.txt`.",
        ) from error


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    # a second writer waits its turn instead of failing, and readers never wait for a writer
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    # what somebody asked to be deleted does not stay readable in the file
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _update_schema(connection: Connection) -> None:
    """One process at a time; whoever comes later finds it done."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})
    metadata.create_all(connection)
    for table in metadata.sorted_tables:
        _add_missing(connection, table)


def _add_missing(connection: Connection, table: Table) -> None:
    known = {column["name"] for column in inspect(connection).get_columns(table.name)}
    for column in table.columns:
        if column.name not in known:
            log.info("[JOB] the job database gets the column %s.%s", table.name, column.name)
            definition = CreateColumn(column).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {definition}")
    for index in table.indexes:
        index.create(connection, checkfirst=True)
