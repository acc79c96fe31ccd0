"""Small questions over a screen: choose one, write a line, or confirm what cannot be undone."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from screens.text import Visible, line, plain


class Choose(ModalScreen[int | None]):
    """One of a few answers by digit, or with the arrows and enter. Gives its index, None for none."""

    HELP = "A digit chooses; j k and enter as well; esc leaves everything as it is."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Leave it", show=False),
        Binding("j,down", "move(1)", "Next", show=False),
        Binding("k,up", "move(-1)", "Previous", show=False),
        Binding("enter", "take", "Choose", show=False),
    ]

    def __init__(self, said: str, answers: list[str], chosen: int = 0) -> None:
        """`chosen` has the focus; for what cannot be undone that is the answer that leaves it."""
        super().__init__()
        self._said = said
        self._answers = answers
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """The question, then the answers."""
        with Vertical(classes="dialog"):
            yield Static(plain(self._said), classes="said", markup=False)
            yield Static(id="answers", markup=False)

    def on_mount(self) -> None:
        """Draws the answers."""
        self._draw()

    def _draw(self) -> None:
        lines = [
            Content.assemble(
                ("▸" if index == self._chosen else " ", "bold $accent"),
                (f"{index + 1} ", "bold"),
                line(answer, "bold" if index == self._chosen else ""),
            )
            for index, answer in enumerate(self._answers)
        ]
        self.query_one("#answers", Static).update(Content("\n").join(lines))

    def on_key(self, event: events.Key) -> None:
        """A digit answers at once."""
        if event.character and event.character.isdigit() and 1 <= int(event.character) <= len(self._answers):
            event.stop()
            self.dismiss(int(event.character) - 1)

    def action_move(self, by: int) -> None:
        """Moves the focus."""
        self._chosen = (self._chosen + by) % len(self._answers)
        self._draw()

    def action_take(self) -> None:
        """Takes the focused answer."""
        self.dismiss(self._chosen)

    def action_cancel(self) -> None:
        """Leaves it."""
        self.dismiss(None)


class Write(ModalScreen[str | None]):
    """A line of text. Gives it, or None."""

    HELP = "Write a line; enter keeps it, esc leaves everything as it is."
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Leave it", show=False)]

    def __init__(self, said: str, hint: str = "") -> None:
        super().__init__()
        self._said = said
        self._hint = hint

    def compose(self) -> ComposeResult:
        """The question and a field."""
        with Vertical(classes="dialog"):
            yield Static(plain(self._said), classes="said", markup=False)
            yield Input(placeholder=self._hint, max_length=500, highlighter=Visible())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keeps what was written; nothing written keeps the question open."""
        if event.value.strip():
            self.dismiss(event.value.strip())
        else:
            event.input.placeholder = "write something, or esc leaves everything as it is"

    def action_cancel(self) -> None:
        """Leaves it."""
        self.dismiss(None)
