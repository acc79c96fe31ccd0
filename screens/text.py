"""Text for widgets: the only place where stored text becomes `Content`, and what is typed is drawn.

`plain` takes any text; markup in it stays text. Style names start with `$` where they are theme
variables.
"""

from __future__ import annotations

from rich.highlighter import Highlighter
from rich.text import Text
from textual.content import Content

from app.protect.safe_text import safe_line, safe_text


def plain(text: str, style: str = "") -> Content:
    """Untrusted text as content, newlines kept."""
    return Content.styled(safe_text(text), style)


def line(text: str, style: str = "") -> Content:
    """Untrusted text as content on one line."""
    return Content.styled(safe_line(text), style)


def join(*parts: Content) -> Content:
    """Parts one after the other."""
    return Content("").join(parts)


class Visible(Highlighter):
    """For `Input`: what was pasted into it is drawn as safely as stored text."""

    def highlight(self, text: Text) -> None:
        """Makes the text safe in its place."""
        text.plain = safe_line(text.plain)


def shorten(text: str, width: int) -> str:
    """The text in at most `width` code points, with an ellipsis where it was cut."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def value_text(value: object, limit: int = 200) -> str:
    """A record's value as a person reads it: numbers grouped and rounded, lists in short."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.4g}"
    if isinstance(value, dict):
        return shorten(", ".join(f"{k}={value_text(v, 60)}" for k, v in value.items()), limit)
    if isinstance(value, list):
        return shorten(", ".join(value_text(v, 60) for v in value), limit)
    return shorten(str(value), limit)
