"""A scrolling document of lines, drawn anew for each width."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.widgets import Static

Draw = Callable[[int], list[Content]]


class DocPane(VerticalScroll):
    """Shows what a function draws for the width there is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_down", "Down", show=False),
        Binding("k,up", "scroll_up", "Up", show=False),
        Binding("g", "scroll_home", "Top", show=False),
        Binding("G", "scroll_end", "Bottom", show=False),
    ]
    HELP = "Reading: j k scroll, g G jump to the ends, space and b page."

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._draw: Draw = lambda _width: []
        self._drawn: tuple[int, Draw] | None = None
        self.lines: list[Content] = []

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(markup=False, classes="document")

    def show(self, draw: Draw, keep_place: bool = False) -> None:
        """Shows another document, from its top unless the place is kept."""
        self._draw = draw
        self._redraw()
        if not keep_place:
            self.scroll_home(animate=False)

    def on_resize(self, _event: Resize) -> None:
        """Draws for the new width."""
        self._redraw()

    @property
    def text_width(self) -> int:
        """Cells that a line may take."""
        return max(
            10, self.size.width - 2 - (0 if self.show_vertical_scrollbar else self.styles.scrollbar_size_vertical)
        )

    def _redraw(self) -> None:
        if self.size.width == 0 or (self.text_width, self._draw) == self._drawn:
            return
        self._drawn = (self.text_width, self._draw)
        before, self.lines = len(self.lines), self._draw(self.text_width)
        self.query_one(Static).update(Content("\n").join(self.lines), layout=len(self.lines) != before)
