"""The list of cases: a vector of ids, and windows of rows fetched as they come into view.

A million cases take one array and a few hundred rows. The cursor keeps to the case, not the line.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from app.protect.safe_text import safe_line
from screens.clock import due, now_ms
from screens.theme import severity_mark

if TYPE_CHECKING:
    from app.model.case import CaseRow

_WINDOW = 200
_KEPT_ROWS = 3000
_HEADER = 1
# Cells of the first two columns.
_SEVERITY, _WHEN = 12, 10


class CaseList(ScrollView, can_focus=True):
    """One line a case. Posts `Opened` for the chosen one."""

    DEFAULT_CSS = """
    CaseList { background: $background; scrollbar-size-vertical: 1; }
    CaseList > .case-list--header { color: $muted; text-style: bold; background: $surface; }
    CaseList > .case-list--cursor { background: $primary 25%; text-style: bold; }
    CaseList > .case-list--muted { color: $muted; }
    CaseList > .case-list--high { color: $warning; }
    CaseList > .case-list--critical { color: $error; text-style: bold; }
    CaseList > .case-list--late { color: $warning; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "case-list--header",
        "case-list--cursor",
        "case-list--muted",
        "case-list--high",
        "case-list--critical",
        "case-list--late",
    }
    HELP = "The cases, most urgent first. enter opens the one under the cursor, n the most urgent one."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Next line", show=False, id="list.down"),
        Binding("k,up", "move(-1)", "Previous line", show=False, id="list.up"),
        Binding("ctrl+d,pagedown,space", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("ctrl+u,pageup,b", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("g,home", "first", "First case", show=False, id="list.first"),
        Binding("G,end", "last", "Last case", show=False, id="list.last"),
        Binding("enter,o", "open", "Open this case", show=False, id="list.open"),
    ]

    class Opened(Message):
        """A case was chosen."""

        def __init__(self, case_id: int) -> None:
            super().__init__()
            self.case_id = case_id

    class Moved(Message):
        """Another case is under the cursor, or none."""

        def __init__(self, case_id: int | None) -> None:
            super().__init__()
            self.case_id = case_id

    class Wanted(Message):
        """Rows of these cases are needed."""

        def __init__(self, case_ids: list[int]) -> None:
            super().__init__()
            self.case_ids = case_ids

    def __init__(self, *, id: str) -> None:  # noqa: A002  # Textual's own name for it
        super().__init__(id=id)
        self._ids: array[int] = array("q")
        self._rows: LRUCache[int, CaseRow] = LRUCache(_KEPT_ROWS)
        self._asked: set[int] = set()
        self._cursor = 0
        self._now = now_ms()
        self._layout: tuple[int, int, int] = (12, 18, 0)

    # -- content --------------------------------------------------------------------------------

    def set_ids(self, ids: array[int], forget_rows: bool = True) -> None:
        """Shows these cases; the cursor stays on its case if that is still among them."""
        current = self.current
        self._ids = ids
        if forget_rows:
            self._rows.clear()
            self._asked.clear()
        self._now = now_ms()
        if current is not None and not (self._cursor < len(ids) and ids[self._cursor] == current):
            try:
                self._cursor = ids.index(current)
            except ValueError:
                self._cursor = min(self._cursor, max(0, len(ids) - 1))
        self._cursor = min(self._cursor, max(0, len(ids) - 1))
        self.virtual_size = Size(self.size.width, len(ids) + _HEADER)
        self._show_cursor()
        if self.current != current:
            self.post_message(self.Moved(self.current))
        self.refresh()

    def put_rows(self, rows: dict[int, CaseRow]) -> None:
        """Rows that were wanted."""
        for case_id, row in rows.items():
            self._rows[case_id] = row
        self._asked.difference_update(rows)
        self.refresh()

    @property
    def current(self) -> int | None:
        """The case under the cursor."""
        return self._ids[self._cursor] if self._cursor < len(self._ids) else None

    @property
    def count(self) -> int:
        """How many cases are listed."""
        return len(self._ids)

    @property
    def cursor(self) -> int:
        """The cursor's line, from 0."""
        return self._cursor

    # -- moving ---------------------------------------------------------------------------------

    def action_move(self, lines: int) -> None:
        """Moves the cursor."""
        self._go(self._cursor + lines)

    def action_page(self, pages: int) -> None:
        """Moves by a screenful."""
        self._go(self._cursor + pages * max(1, self.size.height - 2))

    def action_first(self) -> None:
        """To the most urgent case."""
        self._go(0)

    def action_last(self) -> None:
        """To the least urgent case."""
        self._go(len(self._ids) - 1)

    def action_open(self) -> None:
        """Opens the case under the cursor."""
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a second one opens."""
        line = event.y - _HEADER + self.scroll_offset.y
        if event.y >= _HEADER and 0 <= line < len(self._ids):
            again = line == self._cursor
            self._go(line)
            if again:
                self.action_open()

    def _go(self, line: int) -> None:
        line = max(0, min(line, len(self._ids) - 1))
        if line != self._cursor:
            old, self._cursor = self._cursor, line
            self._refresh_line(old)
            self._refresh_line(line)
            self._show_cursor()
            self.post_message(self.Moved(self.current))

    def _show_cursor(self) -> None:
        top, height = self.scroll_offset.y, max(1, self.size.height - _HEADER)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, immediate=True)

    def _refresh_line(self, line: int) -> None:
        y = line - self.scroll_offset.y + _HEADER
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    # -- drawing --------------------------------------------------------------------------------

    def on_resize(self, _event: events.Resize) -> None:
        """Columns follow the width: the id, then the flag, then the text that tells most."""
        width = self.size.width
        self.virtual_size = Size(width, len(self._ids) + _HEADER)
        ids = 20 if width >= 100 else 14
        self._layout = (10 if width >= 80 else 0, ids, 22 if width >= 110 else 0)

    def render_line(self, y: int) -> Strip:
        """One line of the widget."""
        width = self.size.width
        if y == 0:
            style = self.get_component_rich_style("case-list--header")
            return self._strip(
                [(self._cells("", "due", "queue", "case", "flag", "what", "held by"), style)], width, style
            )
        line = y - _HEADER + self.scroll_offset.y
        base = self.rich_style
        if line >= len(self._ids):
            return Strip.blank(width, base)
        case_id = self._ids[line]
        row = self._rows.get(case_id)
        chosen = line == self._cursor
        ground = self.get_component_rich_style("case-list--cursor") if chosen else base
        if row is None:
            self._want(line)
            return self._strip([("  …", ground)], width, ground)
        return self._strip(self._parts(row, ground, chosen), width, ground)

    def _parts(self, row: CaseRow, ground: Style, chosen: bool) -> list[tuple[str, Style]]:
        mark = "▸" if chosen else " "
        severity = self._style(row.severity if row.severity in ("high", "critical") else "muted", ground)
        late = row.due_at < self._now and row.state != "settled"
        text = self._cells(
            f"{mark}{severity_mark(row.severity)}",
            row.verdict or due(row.due_at, self._now),
            row.queue,
            row.id if row.revision == 1 else f"{row.id} r{row.revision}",
            row.flag,
            row.title,
            self._held(row),
        )
        return [
            (text[:_SEVERITY], severity),
            (text[_SEVERITY : _SEVERITY + _WHEN], self._style("late", ground) if late else ground),
            (
                text[_SEVERITY + _WHEN :],
                self._style("muted", ground) if row.state not in ("open", "leased") else ground,
            ),
        ]

    def _held(self, row: CaseRow) -> str:
        if row.state == "leased":
            return row.holder or ""
        if row.state == "open" and row.stage == "adjudication":
            return "to settle"
        return "" if row.state in ("open", "settled") else row.state

    def _cells(self, severity: str, when: str, queue: str, name: str, flag: str, what: str, held: str) -> str:
        """A line's text, columns padded and cut; every cell is safe and on one line."""
        queues, ids, flags = self._layout
        held_width = 10 if self.size.width >= 80 else 0
        fixed = _SEVERITY + _WHEN + (queues + 1 if queues else 0) + ids + 1 + (flags + 1 if flags else 0) + held_width
        rest = max(8, self.size.width - fixed - 1)
        cells = [_fit(severity, _SEVERITY), _fit(when, _WHEN)]
        if queues:
            cells.append(_fit(queue, queues) + " ")
        cells.append(_fit(name, ids) + " ")
        if flags:
            cells.append(_fit(flag, flags) + " ")
        cells.append(_fit(what, rest) + " ")
        if held_width:
            cells.append(_fit(held, held_width))
        return "".join(cells)

    def _style(self, name: str, ground: Style) -> Style:
        found = self.get_component_rich_style(f"case-list--{name}", partial=True)
        return ground + found

    def _strip(self, parts: list[tuple[str, Style]], width: int, ground: Style) -> Strip:
        return Strip([Segment(text, style) for text, style in parts]).adjust_cell_length(width, ground)

    def _want(self, line: int) -> None:
        """Asks for a window of rows around a line, once."""
        if self._ids[line] in self._asked:
            return
        start = max(0, line - _WINDOW // 4)
        wanted = [
            case_id
            for case_id in self._ids[start : start + _WINDOW]
            if case_id not in self._asked and case_id not in self._rows
        ]
        self._asked.update(wanted)
        self.post_message(self.Wanted(wanted))


def _fit(text: str, width: int) -> str:
    """The text in exactly `width` cells, wide characters counted."""
    safe = safe_line(text)
    if safe.isascii():
        return safe[: width - 1] + "…" if len(safe) > width else safe.ljust(width)
    from rich.cells import cell_len, set_cell_size

    return set_cell_size(safe, width - 1) + "…" if cell_len(safe) > width else set_cell_size(safe, width)
