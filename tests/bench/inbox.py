"""`inbox`: a million cases in the list: first rows, keys, memory. In processes of their own."""

from __future__ import annotations

from collections.abc import Iterator

from .children import run_child
from .figures import Bench, Figure, median
from .stores import Place, open_cases

_OPENINGS = 3
_PRESSES = 200


def run(bench: Bench) -> Iterator[Figure]:
    """Seconds from the first paint to the first rows, milliseconds from key to frame, MB above an empty app."""
    total = bench.size(1_000_000)
    place = open_cases(bench, total)
    root, total = str(place.workspace.root), _waiting(place)
    openings = [run_child("inbox", root, str(total), "1") for _ in range(_OPENINGS - 1)]
    found = run_child("inbox", root, str(total), str(_PRESSES))
    empty = run_child("empty")
    for name in ("first_rows", "whole_list", "backlog"):
        yield Figure(f"inbox_{name}", total, median([float(each[name]) for each in (*openings, found)]), "s")
    for key in ("j", "pagedown", "G"):
        for share in ("p50", "p95", "filled_p95"):
            yield Figure(f"inbox_key_{key}_{share}", total, found[key][share], "ms")
    for when, name in (("memory", ""), ("memory_after", "_after_keys")):
        for kind in ("now", "peak"):
            above = found[when][kind] - empty[kind]
            yield Figure(f"inbox_memory_{kind}{name}_above_empty", total, above, "MB", empty[kind])


def _waiting(place: Place) -> int:
    """How many cases the list will show: other benchmarks have decided some."""
    desk = place.desk()
    try:
        return sum(status.open + status.leased + status.deferred + status.parked for status in desk.backlog())
    finally:
        desk.close()
