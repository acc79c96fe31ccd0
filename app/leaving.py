"""Leaving the desk: what is done last, in how much time, and what is said."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.model.errors import SecondlookError

if TYPE_CHECKING:
    from app.desk.protocol import Desk

# So many seconds to give the case back; a lease that is not given back ends by itself.
LAST_SECONDS = 1.5


def last_act(act: Callable[[], None]) -> threading.Thread:
    """Does something in a thread that nobody has to wait for; the screens' workers may all be busy with a hub that
    hangs."""

    def carefully() -> None:
        with contextlib.suppress(SecondlookError):
            act()

    thread = threading.Thread(target=carefully, name="leaving", daemon=True)
    thread.start()
    return thread


def farewell(desk: Desk, since: int) -> list[str]:
    """What was done since a moment, in lines."""
    done = desk.summary(since)
    if not (done.decided or done.skipped or done.deferred or done.undone or done.drafts):
        return []
    counts = [
        (done.overturned, "overturned or corrected"),
        (done.skipped, "skipped"),
        (done.deferred, "deferred"),
        (done.undone, "undone"),
    ]
    said = ", ".join(f"{n} {what}" for n, what in counts if n)
    pace = "" if done.median_seconds is None else f", {done.median_seconds:.0f} s each in the median"
    lines = [f"Cases decided: {done.decided}{pace}{f' ({said})' if said else ''}."]
    if done.drafts:
        lines.append(f"Drafts kept and not submitted: {done.drafts}.")
    return lines
