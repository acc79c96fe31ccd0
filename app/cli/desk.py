"""Opening the desk, the full screen."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.cli.output import narrate, say

if TYPE_CHECKING:
    from app.settings import Workspace

# Below this no case can be read; the line mode works in any size.
MIN_COLUMNS, MIN_LINES = 40, 12


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """The desk is what runs without a command; it can be named as well."""
    desk = commands.add_parser("desk", parents=[common], help="open the desk (the same as no command)")
    desk.set_defaults(run=open_the_desk)


def open_the_desk(arguments: argparse.Namespace) -> int:
    """Opens the desk on the workspace."""
    from app.cli.opening import check_workspace, workspace_of

    check_terminal()
    check_workspace(arguments.workspace)
    return run_desk(lambda: workspace_of(arguments), arguments.person)


def check_terminal() -> None:
    """Raises BadInput where no screen can be drawn."""
    from app.model.errors import BadInput

    line_mode = "The line mode needs no screen: `secondlook next`, `decide`, `cases`."
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput(f"The desk needs a terminal. {line_mode}")
    columns, lines = os.get_terminal_size(sys.stdout.fileno())
    if (columns and columns < MIN_COLUMNS) or (lines and lines < MIN_LINES):
        raise BadInput(
            f"This terminal has {columns}×{lines} characters; the desk needs {MIN_COLUMNS}×{MIN_LINES}. "
            f"Make it larger. {line_mode}"
        )


def run_desk(open_workspace: Callable[[], Workspace], person: str | None) -> int:
    """Runs the screens, then says what was done. The workspace is opened after the first paint."""
    from app.shell import Shell

    shell = Shell(open_workspace, person)
    shell.run()
    if shell.failure:
        narrate(f"secondlook: {shell.failure}")
        return shell.failure_code
    for line in shell.farewell:
        (say if sys.stdout.isatty() else narrate)(line)
    return shell.return_code or 0
