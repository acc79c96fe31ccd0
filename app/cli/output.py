"""Standard output is data, standard error is narration; stored text goes through `safe_text`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from app.protect.safe_text import safe_json, safe_line, safe_text


def emit(value: Any) -> None:
    """One line of JSON on standard output, without a character that could act on a terminal."""
    import orjson

    text = orjson.dumps(value, default=str).decode()
    sys.stdout.write(safe_json(text) + "\n")


def say(text: str = "") -> None:
    """A line for a person on standard output."""
    sys.stdout.write(safe_text(text) + "\n")


def narrate(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(safe_text(text) + "\n")
    sys.stderr.flush()


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Left-aligned columns, two spaces apart; numbers on the right."""
    cells = [[safe_line("" if cell is None else str(cell)) for cell in row] for row in rows]
    lines = [[safe_line(name) for name in header], *cells]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    for line in lines:
        padded = [
            cell.rjust(width) if cell.replace(".", "").replace("-", "").isdigit() else cell.ljust(width)
            for cell, width in zip(line, widths, strict=True)
        ]
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def iso(milliseconds: int | None) -> str | None:
    """A moment as ISO 8601 in UTC with a Z."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def minutes(milliseconds: int) -> str:
    """A span in the largest fitting unit: `42 min`, `3.5 h`, `2 d`."""
    amount = abs(milliseconds) / 60_000
    if amount < 100:
        return f"{amount:.0f} min"
    return f"{amount / 60:.1f} h" if amount < 48 * 60 else f"{amount / 1440:.0f} d"
