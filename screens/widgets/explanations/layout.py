"""Layout in terminal cells: fitting, wrapping, columns and signed bars.

Everything measures in cells, so that wide characters (CJK) keep columns straight. Nothing here
sees raw text: callers pass `Content` made by `screens.text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TypeVar

from textual.content import Content

from screens.text import join, plain, shorten

MUTED = "$muted"
POSITIVE = "$warning"
NEGATIVE = "$accent"
MOST_ITEMS = 50
MOST_CHARACTERS = 20_000
GAP = 2

T = TypeVar("T")


def fit(content: Content, width: int, right: bool = False) -> Content:
    """Content in exactly `width` cells: cut with an ellipsis, or padded."""
    width = max(0, width)
    cut = content.truncate(width, ellipsis=True)
    missing = max(0, width - cut.cell_length)
    return cut.pad_left(missing) if right else cut.pad_right(missing)


def row(*cells: Content) -> Content:
    """Cells that were fitted, side by side; no blanks at the end."""
    return Content(" " * GAP).join(cells).rstrip()


def wrap(content: Content, width: int, most: int | None = None) -> list[Content]:
    """Content over several lines of at most `width` cells; past `most` lines it is cut with an ellipsis."""
    width = max(4, width)
    lines = [one.rstrip() for one in content.wrap(width)]
    if most is None or len(lines) <= most:
        return lines
    return [*lines[: most - 1], join(lines[most - 1].truncate(width - 1), Content("…"))]


def hang(mark: Content, body: Content, width: int, most: int | None = None) -> list[Content]:
    """A mark with the body beside it; the body's further lines stand under its first one."""
    margin = mark.cell_length
    lines = wrap(body, width - margin, most=most)
    return [join(mark, lines[0]), *(line.pad_left(margin) for line in lines[1:])] if lines else [mark]


def beside(left: Sequence[Content], right: Sequence[Content], left_width: int) -> list[Content]:
    """Two blocks of lines in columns, with a rule between them."""
    blank = Content("")
    rule = Content.styled("│ ", MUTED)
    pairs = zip_longest(left, right, fillvalue=blank)
    return [join(fit(one, left_width), rule, two).rstrip() for one, two in pairs]


def paragraph(text: str, width: int, style: str = "") -> list[Content]:
    """Untrusted text wrapped, newlines kept; past `MOST_CHARACTERS` it says how much is left out."""
    lines = wrap(plain(text[:MOST_CHARACTERS], style), width)
    left_out = len(text) - MOST_CHARACTERS
    return [*lines, more(left_out, "characters")] if left_out > 0 else lines


def quoted(text: str, limit: int = 2_000) -> Content:
    """Untrusted text between quotation marks, in at most `limit` characters."""
    return join(Content("“"), plain(shorten(text, limit)), Content("”"))


def capped(items: Sequence[T], most: int = MOST_ITEMS) -> tuple[list[T], int]:
    """The first items, and how many were left out."""
    return list(items[:most]), max(0, len(items) - most)


def more(count: int, what: str = "") -> Content:
    """The line that says how much is not shown."""
    return Content.styled(f"… {count:,} more {what}".rstrip(), MUTED)


def bars(values: Sequence[float], width: int) -> list[Content]:
    """One signed bar a value, all on one scale and around one axis: `◀◀│` or `│▶▶`.

    The axis stands where the largest values of both signs leave it; what is not zero shows at
    least one mark.
    """
    top = max((abs(value) for value in values), default=0.0) or 1.0
    shares = [value / top for value in values]
    low, high = max(0.0, -min(shares, default=0.0)), max(0.0, max(shares, default=0.0))
    room = max(2, width - 1)
    left = min(room - 1, max(1, round(room * low / (low + high)))) if low + high else room // 2
    scale = min(left / low if low else room, (room - left) / high if high else room)
    return [_bar(share, scale, left, room - left) for share in shares]


def _bar(share: float, scale: float, left: int, right: int) -> Content:
    length = max(1, round(abs(share) * scale)) if share else 0
    length = min(length, left if share < 0 else right)
    before = Content.styled("◀" * length, NEGATIVE) if share < 0 else Content("")
    after = Content.styled("▶" * length, POSITIVE) if share > 0 else Content("")
    return join(before.pad_left(left - before.cell_length), Content.styled("│", MUTED), after)
