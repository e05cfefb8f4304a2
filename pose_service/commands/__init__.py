"""The command line: one module per command, imported only when it is the one that runs.

Exit codes: 0 done; 1 done, and the answer is no (`doctor`); 2 could not be done; 130 interrupted.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from pose_service.commands.arguments import Arguments, parse
from pose_service.core.config import Settings, read_settings
from pose_service.core.errors import PoseError

CANNOT = 2
INTERRUPTED = 130


class Command(Protocol):
    """What every module of this package offers."""

    def run(self, arguments: Arguments, settings: Settings) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; an error and its hint are one line on stderr, never a traceback."""
    arguments = parse(argv)
    module = importlib.import_module(f"{__name__}.{arguments.command.replace('-', '_')}")
    try:
        return cast(Command, module).run(arguments, read_settings())
    except PoseError as error:
        print(f"error: {str(error).rstrip('.')}. {error.hint}".rstrip(), file=sys.stderr)
        return CANNOT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
