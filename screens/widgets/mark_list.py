"""A short list of which several entries can be marked, by digit or with the arrows and space."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from screens.text import join, line


class MarkList(Static, can_focus=True):
    """Shows `[x] entry` lines. Enter says that the choice is made."""

    DEFAULT_CSS = """
    MarkList { height: auto; }
    MarkList:focus { background-tint: $foreground 3%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Next", show=False),
        Binding("k,up", "move(-1)", "Previous", show=False),
        Binding("space,x", "mark", "Mark", show=False),
        Binding("enter", "done", "Go on", show=False),
    ]

    class Done(Message):
        """The choice is made."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id, markup=False)
        self._entries: list[str] = []
        self._marked: set[int] = set()
        self._at = 0

    @property
    def marked(self) -> list[str]:
        """The marked entries, in their order."""
        return [entry for index, entry in enumerate(self._entries) if index in self._marked]

    def offer(self, entries: list[str]) -> None:
        """Shows these entries, none of them marked."""
        self._entries, self._marked, self._at = entries, set(), 0
        self._draw()

    def on_key(self, event: events.Key) -> None:
        """A digit marks its entry."""
        if event.character and event.character.isdigit() and 1 <= int(event.character) <= min(9, len(self._entries)):
            event.stop()
            self._at = int(event.character) - 1
            self.action_mark()

    def on_focus(self) -> None:
        """The arrow is shown while keys go here."""
        self._draw()

    def on_blur(self) -> None:
        """And hidden afterwards."""
        self._draw()

    def action_move(self, by: int) -> None:
        """Moves the arrow."""
        if self._entries:
            self._at = (self._at + by) % len(self._entries)
            self._draw()

    def action_mark(self) -> None:
        """Marks, or takes the mark away."""
        self._marked ^= {self._at}
        self._draw()

    def action_done(self) -> None:
        """Goes on."""
        self.post_message(self.Done())

    def _draw(self) -> None:
        self.update(Content("\n").join(self._line(index) for index in range(len(self._entries))))

    def _line(self, index: int) -> Content:
        marked = index in self._marked
        return join(
            Content.styled("▸" if index == self._at and self.has_focus else " ", "bold $accent"),
            Content.styled(f"{index + 1} " if index < 9 else "  ", "$accent"),
            Content.styled("[x] " if marked else "[ ] ", "bold" if marked else "$muted"),
            line(self._entries[index], "bold" if marked else ""),
        )
