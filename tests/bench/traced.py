"""The program with its decisions and claims timed: each as a line `name start end` in a file.

The clock is the machine's, so that the moments can be held against those of the terminal.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    """`TRACE WORDS…`: runs the program with the words."""
    trace, *words = sys.argv[1:]
    from app.desk.local import LocalDesk

    for name in ("decide", "claim"):
        setattr(LocalDesk, name, _timed(getattr(LocalDesk, name), name, Path(trace)))
    from app.cli import main as program

    raise SystemExit(program(words))


def _timed(act: Callable[..., Any], name: str, trace: Path) -> Callable[..., Any]:
    def timed(*words: Any, **more: Any) -> Any:
        start = time.monotonic()
        result = act(*words, **more)
        with trace.open("a") as file:
            file.write(f"{name} {start} {time.monotonic()}\n")
        return result

    return timed
