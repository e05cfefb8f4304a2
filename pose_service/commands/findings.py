"""What `doctor` finds."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """`PROBLEM`: the service cannot serve. `NOTE`: it can; worth knowing."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy` says what to do and is never empty for a problem."""

    subject: str
    state: State
    detail: str
    remedy: str = ""
