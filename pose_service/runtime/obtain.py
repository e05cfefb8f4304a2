"""Bring the files of an engine that are not on this machine: off the net, by several addresses."""

import logging
import os
from functools import partial
from pathlib import Path

from pose_service.core.files import FileSource, Packing
from pose_service.runtime.delivery import Delivery, deliver
from pose_service.runtime.fetch import (
    OFFLINE_HINT,
    FetchError,
    RemoteFile,
    SpaceError,
    check_space,
    fetch,
)
from pose_service.runtime.incoming import incoming
from pose_service.runtime.weights import on_this_machine

DEFAULT_HOST = "https://files.pythonhosted.org"

_log = logging.getLogger(__name__)


def obtain(delivery: Delivery) -> None:
    """Bring every file of the source that is nowhere on this machine; what is here stays.

    An archive that lies beside its files or where upstream keeps it is used and left alone; one
    that is fetched is removed when its files are out. Raises `FetchError` when no address would do.
    """
    source = delivery.source
    if not source.urls or not delivery.lacking:
        return
    failures: list[FetchError] = []
    with incoming(delivery.folder) as folder:
        if _found_packed(delivery, folder):
            return
        _check_space_for_all(delivery, folder)
        for url in addresses(source, delivery.settings.weights_mirror):
            try:
                return _fetch_from(url, delivery, folder)
            except SpaceError:
                raise
            except FetchError as error:
                failures.append(error)
    raise FetchError("; ".join(map(str, failures)), hint=failures[0].hint)


def addresses(source: FileSource, mirror: str | None) -> tuple[str, ...]:
    """Where to ask for `source`, in order.

    A mirror takes the place of `https://files.pythonhosted.org`. Of other sources it is asked for
    the bare file name, then the official addresses are tried.
    """
    if mirror is None:
        return source.urls
    mirror = mirror.rstrip("/")
    mirrored = tuple(url.replace(DEFAULT_HOST, mirror) for url in source.urls)
    return mirrored if mirrored != source.urls else (f"{mirror}/{source.name}", *source.urls)


def _fetch_from(url: str, delivery: Delivery, folder: Path) -> None:
    """From one address; what turns out wrong is thrown away."""
    source = delivery.source
    # half: the archive may be compressed, though numbers hardly yield to that
    least = sum(file.least_bytes for file in source.files) // 2
    remote = RemoteFile(url, least_bytes=least)
    if source.hash_decides:
        remote = RemoteFile(url, source.size_bytes, source.sha256)
    step = partial(delivery.report, f"fetching {source.name}")
    path = fetch(remote, folder / source.name, step)
    try:
        deliver(path, delivery, folder)
    except SpaceError:
        raise
    except FetchError as error:
        path.unlink()
        raise FetchError(f"{url}: {error}", hint=OFFLINE_HINT) from error
    path.unlink(missing_ok=True)


def _found_packed(delivery: Delivery, folder: Path) -> bool:
    """Whether the source lay here already, was whole, and gave its files."""
    source = delivery.source
    for place in (folder, delivery.folder, *map(on_this_machine, source.elsewhere)):
        path = place / source.name
        if not os.path.isfile(path):
            continue
        try:
            deliver(path, delivery, folder)
        except SpaceError:
            raise
        except FetchError as error:
            _log.warning("%s is passed over: %s", path, error)
        else:
            if place == folder:
                path.unlink(missing_ok=True)
            return True
    return False


def _check_space_for_all(delivery: Delivery, folder: Path) -> None:
    """An archive and the files in it lie side by side for a while."""
    source = delivery.source
    files = sum(file.size_bytes or file.least_bytes for file in delivery.lacking)
    whole = source.size_bytes or files
    part = folder / f"{source.name}.part"
    here = part.stat().st_size if part.exists() else 0
    check_space(folder, whole - here + (files if source.packing is not Packing.NONE else 0))
