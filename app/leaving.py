"""Leaving the desk: what is done last, in how much time, and what is said. Nobody takes a case along."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.model.errors import SecondlookError

if TYPE_CHECKING:
    from app.desk.protocol import Desk
    from app.model.case import Lease

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


class Arrivals:
    """Cases that were claimed and are on their way to the screen. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leases: list[Lease] = []
        self._left = False

    def came(self, desk: Desk, result: Any) -> list[Lease]:
        """What was claimed with a result, alone or in a tuple. Where the person has left it is given back at once."""
        from app.model.case import Claim

        parts = result if isinstance(result, tuple) else (result,)
        leases = [part.lease for part in parts if isinstance(part, Claim)]
        with self._lock:
            self._leases += leases
            left = self._left
        if left:
            self.give_back(desk)
        return leases

    def shown(self, leases: list[Lease]) -> None:
        """They stand on the screen, which looks after them."""
        with self._lock:
            self._leases = [lease for lease in self._leases if lease not in leases]

    def give_back(self, desk: Desk) -> None:
        """Gives back what nobody will see; may block."""
        with self._lock:
            leases, self._leases, self._left = self._leases, [], True
        for lease in leases:
            with contextlib.suppress(SecondlookError):
                desk.release(lease)


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
