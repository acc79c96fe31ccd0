"""Moments and spans in few characters."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def span(milliseconds: float) -> str:
    """A span in its largest fitting unit: `42 min`, `3 h`, `2 d`."""
    minutes = abs(milliseconds) / 60_000
    if minutes < 1:
        return f"{abs(milliseconds) / 1000:.0f} s"
    if minutes < 100:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 1440:.0f} d"


def due(due_at: int, now: int) -> str:
    """`in 42 min`, or `3 h late`."""
    return f"in {span(due_at - now)}" if due_at > now else f"{span(now - due_at)} late"


def countdown(milliseconds: float) -> str:
    """`14:32`; minutes and seconds."""
    seconds = max(0, int(milliseconds / 1000))
    return f"{seconds // 60}:{seconds % 60:02d}"
