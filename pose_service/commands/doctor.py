"""`doctor`: look at everything the service needs; exit code 1 if it cannot serve.

With `--clip` a clip's tracks are looked at instead; then 1 says that nobody was found.
"""

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from pose_service.commands.arguments import Arguments
from pose_service.commands.checks import examine
from pose_service.commands.console import console
from pose_service.commands.findings import Finding, State
from pose_service.core.config import Settings

STYLES = {State.OK: "green", State.NOTE: "yellow", State.PROBLEM: "bold red"}


def run(arguments: Arguments, settings: Settings) -> int:
    if arguments.clip:
        # only now: it needs the very packages that are looked at below
        from pose_service.commands.clip_report import report_on

        return report_on(arguments.clip, settings)
    if arguments.full:
        console.print("reading every file: some seconds for each GB")
    findings = list(_all(settings, full=arguments.full))
    table = Table(show_edge=False, pad_edge=False)
    for title in ("", "what", "found"):
        table.add_column(title, overflow="fold")
    for finding in findings:
        mark = Text(finding.state, STYLES[finding.state])
        table.add_row(mark, Text(finding.subject), Text(finding.detail))
    console.print(table, soft_wrap=False)
    _say_remedies(findings)
    problems = sum(finding.state is State.PROBLEM for finding in findings)
    console.print(f"{problems} problems: it cannot serve" if problems else "It can serve.")
    return 1 if problems else 0


def _all(settings: Settings, *, full: bool) -> Iterator[Finding]:
    """The engine is tried only where its packages and files are there."""
    healthy = True
    for finding in examine(settings, full=full):
        healthy = healthy and finding.state is not State.PROBLEM
        yield finding
    if healthy:
        # only now: it needs the very packages that were looked at
        from pose_service.commands.selftest import selftest

        yield selftest(settings)


def _say_remedies(findings: list[Finding]) -> None:
    for finding in findings:
        if finding.remedy:
            console.print(f"{finding.state}: {finding.subject}: {finding.detail}")
            console.print(f"  {finding.remedy}")
