"""One line above the status: what is kept on this machine because the hub does not answer, and when it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.timer import Timer
from textual.widgets import Static

from app.desk.unsent_words import state_of
from screens.text import line

if TYPE_CHECKING:
    from app.model.case import Unsent
    from app.shell import Shell

# Good news goes away by itself, in seconds.
_GOOD_NEWS = 10.0


class UnsentLine(Static):
    """Not there while there is nothing to say."""

    DEFAULT_CSS = """
    UnsentLine {
        display: none;
        height: 1;
        padding: 0 1;
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._before: Unsent | None = None
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        """Says how things stand."""
        unsent = cast("Shell", self.app).unsent
        if unsent is not None:
            self.show(unsent)

    def show(self, unsent: Unsent) -> None:
        """Says how things stand now."""
        before, self._before = self._before, unsent
        said = state_of(unsent)
        if said:
            self._say(f"▲ {said}", "$warning")
        elif before is not None and state_of(before):
            sent = unsent.sent - before.sent
            what = f"; what was kept here is sent ({sent})" if sent else ""
            self._say(f"✓ the hub answers again{what}", "$success")
            self._timer = self.set_timer(_GOOD_NEWS, self._hide)

    def _say(self, said: str, style: str) -> None:
        if self._timer is not None:
            self._timer.stop()
        self.update(line(said, style))
        self.display = True

    def _hide(self) -> None:
        self.display = False
