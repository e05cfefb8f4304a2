"""Addresses that callers send: looked up, checked, and connected to as they were checked."""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from pose_service.core.errors import BadRequestError
from pose_service.core.secrets import without_secrets

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS: Final = {"http": 80, "https": 443}
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_AS_THEY_ARE: Final = "%/?:@!$&'()*+,;=-._~[]"
LONGEST_URL: Final = 4096


class BadUrlError(BadRequestError):
    """An address that cannot be used, leads to where this service does not go, or gives no clip."""

    code = "BAD_URL"


@dataclass(frozen=True)
class CheckedUrl:
    """An http or https address and the one number that it may be connected to."""

    url: str
    parts: SplitResult
    host: str
    port: int
    address: str

    @property
    def target(self) -> str:
        """What a request asks for: path and query."""
        query = f"?{self.parts.query}" if self.parts.query else ""
        # what is quoted already stays so; letters that no request line may hold are quoted now
        return quote((self.parts.path or "/") + query, safe=_AS_THEY_ARE)


def check_url(url: str, *, allow_private: bool) -> CheckedUrl:
    """`url` with its host looked up. A name that leads to several numbers must have no bad one.

    Raises `BadUrlError` for anything but http and https, for a host that is not found, and, unless
    `allow_private`, for addresses that are not on the public internet: a caller could else reach
    what only this machine may (its own ports, the local net, the cloud's metadata).
    """
    shown = without_secrets(url)
    parts = _parts(url, shown)
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    addresses = _looked_up(host, port, shown)
    private = next((one for one in addresses if not _is_public(ipaddress.ip_address(one))), None)
    if private and not allow_private:
        raise BadUrlError(
            f"{shown} leads to {private}, which is not a public address",
            hint="Send the clip as an upload, or set POSE_ALLOW_PRIVATE_URLS=true if every caller"
            " may reach the service's own net.",
        )
    return CheckedUrl(url, parts, host, port, addresses[0])


def _parts(url: str, shown: str) -> SplitResult:
    if len(url) > LONGEST_URL or any(letter <= " " or letter == "\x7f" for letter in url):
        raise BadUrlError("the address is too long, or holds spaces or control characters")
    try:
        parts = urlsplit(url)
        known = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise BadUrlError(
            f"{shown} is not an address that can be used",
            hint="Expected http://host/path or https://host/path.",
        )
    return parts


def _looked_up(host: str, port: int, shown: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadUrlError(f"{shown}: the host {host} is not found ({reason})") from error
    return [str(place[0]).partition("%")[0] for *_, place in found]


def _is_public(address: Address) -> bool:
    """Also of the IPv4 address that an IPv6 one may carry.

    >>> [_is_public(ipaddress.ip_address(one)) for one in ("9.9.9.9", "::ffff:127.0.0.1")]
    [True, False]
    """
    inner = _carried(address)
    if inner is not None:
        return _is_public(inner)
    return address.is_global and not address.is_multicast


def _carried(address: Address) -> Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo and teredo[1])
