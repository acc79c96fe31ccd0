"""The command `secondlook`. Each command's file imports what it needs when it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 done, 1 a check failed, 2 bad usage or input,
    3 refused, 4 nothing to do, 5 unavailable, 70 an error of our own, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words == ["--version"]:
        from app import __version__

        sys.stdout.write(f"secondlook {__version__}\n")
        return 0
    from app.cli.run import run

    return run(words)
