"""The address to listen on: whether it is free, who answers there, how it is reached."""

import errno
import json
import os
import socket
import urllib.request
from pathlib import Path
from typing import Any

from pose_service.core.config import Settings
from pose_service.core.errors import PoseError

SERVICE_NAME = "pose-service"
EVERY_ADDRESS = ("0.0.0.0", "::", "")
# Never sent to (RFC 5737): only asks the system which of its addresses faces the network.
SOMEWHERE_ELSE = ("192.0.2.1", 9)


class PortError(PoseError):
    """The service cannot listen where the settings say."""

    code = "PORT_UNAVAILABLE"


def check_port(settings: Settings) -> None:
    """Raise `PortError`, saying what to do, unless HOST and PORT can be listened on."""
    host, port = settings.host, settings.port
    try:
        _bind_once(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortError(
                f"port {port} is in use by {_who(port)}",
                hint="Stop that program or set PORT to another number, such as 5001.",
            ) from error
        if error.errno == errno.EACCES:
            raise PortError(
                f"port {port} may not be opened by this user",
                hint="Set PORT to a number from 1024 on.",
            ) from error
        raise PortError(
            f"HOST={host} cannot be listened on: {error.strerror}",
            hint="Set HOST to 0.0.0.0 (every address), 127.0.0.1 or an address of this machine.",
        ) from error


def health_at(port: int) -> dict[str, Any] | None:
    """The `/health` of this service on this machine, None if something else answers or nothing."""
    local = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with local.open(f"http://127.0.0.1:{port}/health", timeout=2) as response:
            health = json.loads(response.read(100_000))
    except (OSError, ValueError):
        return None
    return health if isinstance(health, dict) and health.get("service") == SERVICE_NAME else None


def urls(settings: Settings) -> tuple[str, ...]:
    """Addresses that the service answers at: for this machine first, then for others."""
    hosts = [settings.host]
    if settings.host in EVERY_ADDRESS:
        hosts = ["localhost", *filter(None, [_outward_address()])]
    return tuple(_url(host, settings.port) for host in hosts)


def in_wsl() -> bool:
    """Whether this is Linux inside Windows."""
    version = Path("/proc/version")
    return version.exists() and "microsoft" in version.read_text().lower()


def _bind_once(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        if os.name == "posix":
            # as the server will: a port that was closed a moment ago is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def _who(port: int) -> str:
    health = health_at(port)
    if health is None:
        return "another program"
    return f"this service itself (version {health.get('version')}, {health.get('status')})"


def _outward_address() -> str | None:
    """The IPv4 address of this machine that its network sees; None without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(SOMEWHERE_ELSE)
        except OSError:
            return None
        return str(probe.getsockname()[0])


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
