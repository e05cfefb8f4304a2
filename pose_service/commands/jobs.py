"""`jobs`: a table of the clips that run, wait and are finished."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from rich.console import Group
from rich.live import Live
from rich.text import Text

from pose_service.commands.arguments import Arguments
from pose_service.commands.console import console
from pose_service.commands.job_list import JobLine, JobListError, jobs_at, jobs_here
from pose_service.commands.job_table import counted, plain_lines, table_of
from pose_service.core.config import Settings

LOOK_EVERY_S = 1.0

Look = Callable[[], Sequence[JobLine]]


def run(arguments: Arguments, settings: Settings) -> int:
    source = partial(jobs_at, arguments.url) if arguments.url else partial(jobs_here, settings)
    look = partial(source, arguments.limit)
    if not arguments.watch:
        _show(look())
    elif console.is_terminal:
        _watch_live(look)
    else:
        _watch_lines(look)
    return 0


def _show(jobs: Sequence[JobLine]) -> None:
    if console.is_terminal:
        console.print(table_of(jobs, console.width))
    else:
        console.print("\n".join(plain_lines(jobs)))
    console.print(counted(jobs))


def _watch_live(look: Look) -> None:
    """Until Ctrl-C; a service that is gone for a while is waited for."""
    shown = look()
    with Live(console=console, auto_refresh=False) as live:
        try:
            while True:
                below = counted(shown)
                try:
                    shown = look()
                except JobListError as error:
                    below = str(error)
                live.update(Group(table_of(shown, console.width), Text(below)), refresh=True)
                time.sleep(LOOK_EVERY_S)
        except KeyboardInterrupt:
            return


def _watch_lines(look: Look) -> None:
    """The same as text, printed anew each time that something has changed."""
    said: Sequence[str] = ()
    try:
        while True:
            jobs = look()
            lines = [*plain_lines(jobs), counted(jobs)]
            if lines != said:
                said = lines
                console.print("\n".join(lines))
            time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        return
