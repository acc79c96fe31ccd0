"""`export`: corrections out as a dataset."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.cli.opening import opened_store, person_of, workspace_of
from app.cli.output import emit, narrate, say


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    export = commands.add_parser("export", parents=[common], help="write corrections as a dataset")
    export.add_argument("folder", metavar="DIR", type=Path)
    export.add_argument("--queue", required=True, metavar="Q")
    export.add_argument("--format", default="parquet", metavar="F", help="parquet (default), jsonl or csv")
    export.add_argument("--json", action="store_true")
    export.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> int:
    import time

    from app.export.dataset import check_format, export

    form = check_format(arguments.format)
    workspace = workspace_of(arguments)
    workspace.policy(arguments.queue)
    with opened_store(workspace) as store:
        done = export(
            store, arguments.folder, arguments.queue, form, person_of(arguments, workspace), time.time_ns() // 1_000_000
        )
    if arguments.json:
        emit({"rows": done.rows, "excluded": done.excluded, "file": str(done.path), "manifest": str(done.manifest)})
    else:
        say(str(done.path))
        narrate(f"{done.rows} corrections; {done.excluded} unresolvable cases left out. Checksums: {done.manifest}.")
    return 0
