"""How long a run may take, and that it ends cleanly when it is told to."""

import signal
import sys
from types import FrameType


def limit_to(limit_s: int) -> None:
    """End this program after so long, or at SIGTERM, by an exit that clears away what was begun."""

    def give_up(number: int, _frame: FrameType | None) -> None:
        sys.exit(f"given up: {signal.Signals(number).name} (a run may take {limit_s} s)")

    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, give_up)
    signal.alarm(limit_s)
