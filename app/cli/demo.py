"""`demo`: a throwaway workspace with sample cases."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from app.cli.output import emit, narrate, say


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    demo = commands.add_parser("demo", parents=[common], help="try it with sample cases")
    demo.add_argument("--no-ui", action="store_true", help="walk the whole loop by itself")
    demo.add_argument("--json", action="store_true")
    demo.set_defaults(run=_demo)


def _demo(arguments: argparse.Namespace) -> int:
    from app.cli.workspace import make_workspace
    from app.demo import fill, walk
    from app.settings import load_workspace

    if arguments.workspace:
        root = Path(arguments.workspace).expanduser().resolve()
    else:
        root = Path(tempfile.mkdtemp(prefix="secondlook-demo-"))
    make_workspace(root)
    workspace = load_workspace(root)
    person = arguments.person or "demo"
    if arguments.no_ui or not (sys.stdin.isatty() and sys.stdout.isatty()):
        steps = walk(workspace, person, say if not arguments.json else lambda _line: None)
        if arguments.json:
            emit(steps)
        narrate(f"The results lie in {root}. `secondlook --workspace {root}` opens the desk on them.")
        return 0 if steps["verified"] else 1
    from app.cli.desk import check_terminal, run_desk

    check_terminal()
    fill(workspace, person)
    code = run_desk(lambda: workspace, person)
    narrate(f"The demo's workspace is {root}; delete it when you like.")
    return code
