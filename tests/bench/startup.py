"""`startup`: the program's version against bare Python, the desk's first paint against an empty application's."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import records
from .commands import BARE_PYTHON, EMPTY_APP, PROGRAM
from .figures import Bench, Figure, median, seconds
from .stores import filled
from .terminal import on_terminal


def run(bench: Bench) -> Iterator[Figure]:
    """Milliseconds, medians, in turns."""
    rounds = bench.size(21)
    versions, bare = [], []
    for _ in range(rounds):
        versions.append(_wall((*PROGRAM, "--version")))
        bare.append(_wall(BARE_PYTHON))
    yield Figure("startup_version", rounds, 1000 * median(versions), "ms", 1000 * median(bare))
    rounds = max(1, rounds // 2)
    root = filled(bench.folder("startup"), records.credit).workspace.root
    desks, rows, empty = [], [], []
    for _ in range(rounds):
        painted, listed = _first_paint(PROGRAM, root, "opening the workspace", records.prediction_id(0)[:8])
        desks.append(painted)
        rows.append(listed)
        empty += _first_paint(EMPTY_APP, root, "ready")
    yield Figure("startup_first_paint", rounds, 1000 * median(desks), "ms", 1000 * median(empty))
    yield Figure("startup_first_rows", rounds, 1000 * median(rows), "ms", 1000 * median(empty))


def _wall(command: Sequence[str]) -> float:
    return seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))


def _first_paint(command: Sequence[str], folder: Path, *words: str) -> list[float]:
    """Seconds from the start of the process to each of the words."""
    with on_terminal(command, folder) as terminal:
        return [terminal.until(word) - terminal.started for word in words]
