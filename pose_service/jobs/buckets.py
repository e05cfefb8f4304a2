"""Buckets of object stores, through fsspec: s3:// and gs://."""

import importlib
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

import fsspec
from fsspec.spec import AbstractFileSystem

from pose_service.core.config import SettingsError
from pose_service.core.errors import NotFoundError
from pose_service.jobs.storage import Heard, StorageError, copy, publish_order
from pose_service.pipeline.frame_lines import ResultFolder

CONNECT_S, READ_S, TRIES = 5, 30, 3

_PACKAGES = {"s3": "s3fs", "gs": "gcsfs"}
# What these packages raise beside OSError, by module and name; imported where they are.
_FAULTS = {
    "s3": (("botocore.exceptions", "BotoCoreError"), ("aiohttp", "ClientError")),
    "gs": (("gcsfs.retry", "HttpError"), ("aiohttp", "ClientError")),
}


@dataclass(frozen=True)
class Bucket:
    """An object store, opened; `path` is the bucket and what follows it in the address."""

    files: AbstractFileSystem
    path: str
    faults: tuple[type[Exception], ...]

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Turn what this store raises into `NotFoundError` or `StorageError`, without addresses."""
        try:
            yield
        except FileNotFoundError as error:
            raise NotFoundError(f"could not {what}: it is not there") from error
        except self.faults as error:
            raise StorageError(
                f"could not {what}: the object store fails ({type(error).__name__})",
                hint="The clip is kept; look after the store and its access rights.",
            ) from error


def open_bucket(url: str) -> Bucket:
    """The store of `scheme://[key:secret@]bucket/prefix[?endpoint_url=…&region=…]`.

    Without key and secret the store's own ways of finding them are used (environment, files,
    the machine's role). Raises `SettingsError` where a package is missing; nothing is asked yet.
    """
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    made = {"s3": _s3, "gs": _gs}.get(parts.scheme, _plain)
    try:
        files = fsspec.filesystem(parts.scheme, skip_instance_cache=True, **made(url, options))
        faults = tuple(
            getattr(importlib.import_module(module), name)
            for module, name in _FAULTS.get(parts.scheme, ())
        )
    except ImportError as error:
        raise SettingsError(
            f"{parts.scheme}:// needs the package {_PACKAGES[parts.scheme]}",
            hint="Run `python -m pip install -r requirements-cluster.txt`.",
        ) from error
    return Bucket(files, f"{parts.hostname}{parts.path}".rstrip("/"), (OSError, *faults))


def _s3(url: str, options: dict[str, str]) -> dict[str, Any]:
    parts = urlsplit(url)
    client = {name: options[name] for name in ("endpoint_url",) if name in options}
    if "region" in options:
        client["region_name"] = options["region"]
    limits = {"connect_timeout": CONNECT_S, "read_timeout": READ_S}
    return {
        "key": unquote(parts.username) if parts.username else None,
        "secret": unquote(parts.password) if parts.password else None,
        "client_kwargs": client,
        "config_kwargs": {**limits, "retries": {"max_attempts": TRIES}},
        # another machine writes, too
        "use_listings_cache": False,
    }


def _gs(url: str, options: dict[str, str]) -> dict[str, Any]:
    known: dict[str, Any] = {"use_listings_cache": False}
    return known | {name: options[name] for name in ("endpoint_url", "token") if name in options}


def _plain(url: str, options: dict[str, str]) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class StoredFile:
    """One object, read in pieces as they are asked for."""

    bucket: Bucket
    path: str

    @contextmanager
    def open(self, mode: Literal["rb"]) -> Iterator[IO[bytes]]:
        told = self.bucket.told("read the result")
        with told, self.bucket.files.open(self.path, mode) as file:
            yield file

    def read_bytes(self) -> bytes:
        """The whole object; `FileNotFoundError` as of a path."""
        try:
            with self.open("rb") as file:
                return file.read()
        except NotFoundError as error:
            raise FileNotFoundError(self.path) from error


@dataclass(frozen=True)
class StoredFolder:
    """What lies below one key."""

    bucket: Bucket
    path: str

    def __truediv__(self, name: str) -> StoredFile:
        return StoredFile(self.bucket, f"{self.path}/{name}")


class BucketStorage:
    """Files of jobs in a bucket. What nobody knows any more is left to the bucket's own rules."""

    def __init__(self, url: str) -> None:
        self._bucket = open_bucket(url)

    def put(self, file: Path, key: str) -> None:
        with self._bucket.told(f"store {Path(key).name}"):
            self._bucket.files.put_file(str(file), self._path(key))

    def publish(self, folder: Path, key: str) -> None:
        for file in publish_order(folder):
            self.put(file, f"{key}/{file.relative_to(folder).as_posix()}")

    def folder(self, key: str) -> ResultFolder:
        return StoredFolder(self._bucket, self._path(key))

    def local(self, key: str) -> Path | None:
        return None

    def fetch(self, key: str, target: Path, heard: Heard) -> None:
        with (
            self._bucket.told(f"read {Path(key).name}"),
            self._bucket.files.open(self._path(key), "rb") as source,
        ):
            copy(source.read, target, heard)

    def remove(self, key: str) -> None:
        with self._bucket.told("remove a job's files"):
            if self._bucket.files.exists(self._path(key)):
                self._bucket.files.rm(self._path(key), recursive=True)

    def remove_forgotten(self, known_ids: Container[str], before: float) -> None:
        """Nothing: another installation may share the bucket, and its jobs are not known here."""

    def _path(self, key: str) -> str:
        return f"{self._bucket.path}/{key}"
