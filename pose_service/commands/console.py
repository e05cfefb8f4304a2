"""What the commands write with: colours and bars on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

Report = Callable[[str, int, int | None], None]
"""Called with the stage, how much of it is done and how much there is (None: not known)."""

PLAIN_STEPS = 10

console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


@contextmanager
def progress() -> Iterator[Report]:
    """A bar on a terminal; elsewhere a line at each tenth of a stage."""
    if not console.is_terminal:
        yield _plain_report()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        yield _bar_report(bars)


def _bar_report(bars: Progress) -> Report:
    tasks: dict[str, TaskID] = {}

    def report(stage: str, done: int, total: int | None) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(stage, total=total)
        bars.update(tasks[stage], completed=done, total=total)

    return report


def _plain_report() -> Report:
    said: str | None = None

    def report(stage: str, done: int, total: int | None) -> None:
        nonlocal said
        tenths = f"{100 // PLAIN_STEPS * (PLAIN_STEPS * done // total)}%" if total else ""
        line = f"{stage} {tenths}".rstrip()
        if line != said:
            said = line
            console.print(line)

    return report
