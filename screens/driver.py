"""The terminal's driver with a backstop: what a widget let through in spite of all does not act there.

Textual writes what it wants of the terminal (modes, the keyboard protocol, the clipboard, the bell) in calls
of their own; a frame holds text, colours and absolute cursor moves. So a call is passed on where it is one of
the former as a whole, and in all others everything that is not part of a frame becomes a picture. Colours and
absolute moves inside a text cannot be told from Textual's own: those, only `safe_text` keeps away.
"""

from __future__ import annotations

import re
import select
import sys
from typing import Any

from textual.driver import Driver

from app.protect.safe_text import safe_line

# Whole calls. The clipboard is written, never read: a copy of what the person has selected, as base64.
_PROTOCOL = re.compile(
    r"(?:\x1b\[\?(?:7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl])+"
    r"|\x1b\[\?(?:2026|2048)\$p"
    r"|\x1b\[(?:>\d{1,3}|<)u"
    r"|\x1b\]22;[a-z-]{0,40}\x07"
    r"|\x1b\]52;c;[A-Za-z0-9+/]*={0,2}\x07"
    r"|\x07"
)
# What has no place in a frame but as below: controls, overrides of direction, what hides between letters, tags.
_FOREIGN = (
    "\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e0fff"
)
_COLOUR_OR_MOVE = r"\[[0-9;]{0,90}+(?:m|(?<=[0-9])H)"
# A line ends where the next one's move follows.
_AFTER_NEWLINE = r"(?:\x1b\[|\n|\Z)"
# Nothing is taken back while matching, so that a frame is read once: 4 µs a kilobyte.
_FRAME = re.compile(rf"(?:[^{_FOREIGN}]++|\x1b{_COLOUR_OR_MOVE}|\n(?={_AFTER_NEWLINE}))*+")
_REFUSED = re.compile(rf"[{_FOREIGN}](?!(?<=\x1b){_COLOUR_OR_MOVE})(?!(?<=\n){_AFTER_NEWLINE})")
# Windows gets a frame in pieces: a colour or a move may go on in the next one.
_CUT = re.compile(r"\x1b(?:\[[0-9;]{0,90})?\Z")


def harmless(data: str) -> str:
    """One call's data with everything that Textual does not write itself made visible."""
    if _FRAME.fullmatch(data) or _PROTOCOL.fullmatch(data):
        return data
    return _REFUSED.sub(lambda hit: safe_line(hit.group()), data)


def terminal_is_gone() -> bool:
    """Whether nobody is at the other end of standard input any more. A process that is in no session of the terminal
    gets no signal of that, and would read nothing for ever, as fast as it can."""
    if not hasattr(select, "poll") or sys.__stdin__ is None:
        return False
    poll = select.poll()
    try:
        poll.register(sys.__stdin__.fileno(), 0)
        return any(mask & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, mask in poll.poll(0))
    except (OSError, ValueError):
        return False


def guarded(driver_class: type[Driver]) -> type[Driver]:
    """The driver class, writing only what is harmless."""
    pass_on = driver_class.write

    def write(self: Any, data: str) -> None:
        held, self.cut_off = self.cut_off, ""
        if _PROTOCOL.fullmatch(data):
            pass_on(self, harmless(held) + data)
            return
        data = held + data
        cut = _CUT.search(data, max(0, len(data) - 100))
        if cut:
            data, self.cut_off = data[: cut.start()], cut.group()
        pass_on(self, harmless(data))

    return type(f"Guarded{driver_class.__name__}", (driver_class,), {"write": write, "cut_off": ""})
