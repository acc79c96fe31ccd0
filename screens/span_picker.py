"""Marking stretches of a text, word by word, with the keyboard."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.text import plain

_WORD = re.compile(r"\S+")
Span = dict[str, Any]


class SpanPicker(ModalScreen[list[Span] | None]):
    """Gives the marked spans (`start`, `end` in code points, `text`), or None where it was left."""

    HELP = "h l move by a word, j k by a line of words; space begins and ends a stretch; backspace drops the last one."
    CSS = """
    SpanPicker .dialog { width: 90; }
    SpanPicker VerticalScroll { height: auto; max-height: 16; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,right,w", "move(1)", "Next word", id="span.next"),
        Binding("h,left,b", "move(-1)", "Previous word", id="span.previous"),
        Binding("j,down", "move(10)", "Ten words on", id="span.down"),
        Binding("k,up", "move(-10)", "Ten words back", id="span.up"),
        Binding("space", "mark", "Begin or end a stretch", id="span.mark"),
        Binding("backspace", "drop", "Drop the last stretch", id="span.drop"),
        Binding("enter", "finish", "Keep the marks", id="span.keep"),
        Binding("escape,q", "leave", "Leave it as it was", id="span.leave"),
    ]

    def __init__(self, title: str, text: str, spans: list[Span]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._words = [hit.span() for hit in _WORD.finditer(text)]
        self._spans = list(spans)
        self._at = 0
        self._begun: int | None = None

    def compose(self) -> ComposeResult:
        """The text, and the keys."""
        with Vertical(classes="dialog"):
            yield Static(plain(self._title, "bold"), classes="said", markup=False)
            with VerticalScroll(can_focus=False):
                yield Static(id="text", markup=False)
            yield Static("h l move   space begins and ends   backspace drops   enter keeps   esc leaves", markup=False)

    def on_mount(self) -> None:
        """Draws the text."""
        self._draw()

    def _draw(self) -> None:
        content = plain(self._text) if self._text else Content("There is no text to mark.")
        for span in self._spans:
            content = content.stylize("underline bold $warning", span["start"], span["end"])
        if self._words:
            if self._begun is not None:
                start, end = self._stretch()
                content = content.stylize("underline bold $accent", start, end)
            content = content.stylize("reverse", *self._words[self._at])
        self.query_one("#text", Static).update(content)

    def _stretch(self) -> tuple[int, int]:
        first, last = sorted((self._begun if self._begun is not None else self._at, self._at))
        return self._words[first][0], self._words[last][1]

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        if self._words:
            self._at = max(0, min(len(self._words) - 1, self._at + by))
            self._draw()

    def action_mark(self) -> None:
        """Begins a stretch at the cursor, or ends it there."""
        if not self._words:
            return
        if self._begun is None:
            self._begun = self._at
        else:
            start, end = self._stretch()
            self._spans.append({"start": start, "end": end, "text": self._text[start:end]})
            self._begun = None
        self._draw()

    def action_drop(self) -> None:
        """Drops the stretch that was begun, or the last one."""
        if self._begun is not None:
            self._begun = None
        elif self._spans:
            self._spans.pop()
        self._draw()

    def action_finish(self) -> None:
        """Keeps the marks; a stretch that was begun ends at the cursor."""
        if self._begun is not None:
            self.action_mark()
        self.dismiss(self._spans)

    def action_leave(self) -> None:
        """Leaves everything as it was."""
        self.dismiss(None)
