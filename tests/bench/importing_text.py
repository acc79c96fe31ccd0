"""`import_text`: the same with 600 characters of free text in each record."""

from __future__ import annotations

from collections.abc import Iterator

from . import records
from .figures import Bench, Figure
from .importing import rates


def run(bench: Bench) -> Iterator[Figure]:
    """Records a second."""
    yield from rates("import_text", bench, records.with_text, bench.size(5_000))
