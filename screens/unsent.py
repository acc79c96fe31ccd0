"""News of what the hub does not have yet: a line on each screen, and a notice of each thing that it would not take."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from app.protect.safe_text import safe_text
from screens.widgets.unsent_line import UnsentLine

if TYPE_CHECKING:
    from app.desk.protocol import Desk
    from app.model.case import NotTaken
    from app.shell import Shell

# A notice stays until somebody is there: the first key or click after it stood for so long, in seconds.
_SEEN_AFTER = 1.0
_FOR_LONG = 24 * 3600.0
# Then it goes away.
_LAST_SIGHT = 15.0


class UnsentNews:
    """Brings what the desk says to the screens."""

    def __init__(self, shell: Shell, desk: Desk) -> None:
        self._shell = shell
        self._desk = desk
        self._told: tuple[NotTaken, ...] = ()
        self._told_at: float | None = None
        self._away = False
        desk.watch_unsent(self._change_soon)
        self.changed()

    def _change_soon(self) -> None:
        # Called in the desk's threads, which must not wait for the screens. Those may end at any time.
        with contextlib.suppress(RuntimeError):
            self._shell.call_later(self.changed)

    def changed(self) -> None:
        """Says how things stand."""
        unsent = self._desk.unsent()
        for screen in self._shell.screens_of_cases():
            for line in screen.query(UnsentLine):
                line.show(unsent)
        for one in unsent.refused:
            if one not in self._told:
                title = safe_text(one.id) or "Not sent"
                self._shell.notify(safe_text(one.why), title=title, severity="warning", timeout=_FOR_LONG, markup=False)
                self._told_at = time.monotonic()
        self._told = unsent.refused
        away, self._away = self._away, not unsent.reachable
        if away and unsent.reachable:
            self._shell.inbox.tell("")
            self._shell.inbox.cases_came()

    def somebody_is_there(self) -> None:
        """A key or a click: what stands on the screen was seen."""
        if self._told_at is None or time.monotonic() - self._told_at < _SEEN_AFTER:
            return
        self._told_at = None
        self._shell.in_thread(self._desk.seen_refused, lambda _done: None, group="seen")
        self._shell.set_timer(_LAST_SIGHT, self._shell.clear_notifications)
