"""Addresses that may carry a password, in a form that may be shown."""

from urllib.parse import urlsplit, urlunsplit

HIDDEN = "…"


def without_secrets(url: str) -> str:
    """`url` without user, password, query and fragment: any of them may let somebody in.

    >>> without_secrets("postgresql+psycopg://pose:geheim@db:5432/jobs?sslpassword=x")
    'postgresql+psycopg://…@db:5432/jobs?…'
    >>> without_secrets("https://clips.example/a.mp4")
    'https://clips.example/a.mp4'
    >>> without_secrets("https://[broken/a.mp4?key=geheim")
    'an address that cannot be read'
    """
    try:
        scheme, netloc, path, query, fragment = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    userinfo, _, place = netloc.rpartition("@")
    shown = urlunsplit((scheme, f"{HIDDEN}@{place}" if userinfo else place, path, "", ""))
    return f"{shown}?{HIDDEN}" if query or fragment else shown
