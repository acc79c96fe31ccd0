"""Colours, shapes, and the filter that takes every colour away for NO_COLOR."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

if TYPE_CHECKING:
    from app.model.words import Severity

# Blue and orange can be told apart by nearly everybody; nothing is said by colour alone.
DARK = Theme(
    name="secondlook",
    primary="#6ea8fe",
    secondary="#8b98a9",
    accent="#6ea8fe",
    warning="#f2a65a",
    error="#ff7b72",
    success="#7cc4a4",
    foreground="#dcdfe4",
    background="#14161b",
    surface="#1a1d23",
    panel="#23272f",
    dark=True,
    variables={"muted": "#8d97a5"},
)
LIGHT = Theme(
    name="secondlook-light",
    primary="#0b5cad",
    secondary="#5b6573",
    accent="#0b5cad",
    warning="#a85b00",
    error="#b3261e",
    success="#1c6e4a",
    foreground="#1b1f24",
    background="#ffffff",
    surface="#f6f7f9",
    panel="#e6e9ee",
    dark=False,
    variables={"muted": "#5f6875"},
)

SEVERITY_SHAPES: dict[Severity, str] = {"low": "○", "medium": "●", "high": "▲", "critical": "◆"}
SEVERITY_STYLES: dict[Severity, str] = {
    "low": "$muted",
    "medium": "",
    "high": "$warning",
    "critical": "bold $error",
}
# In place of a severity that may not be told before a first judgement.
UNTOLD = "—"


def severity_mark(severity: Severity | None) -> str:
    """A severity as shape and word."""
    return UNTOLD if severity is None else f"{SEVERITY_SHAPES[severity]} {severity}"


class NoColor(LineFilter):
    """Takes all colours away. What stood on a coloured ground (cursor, focus) is shown reversed."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Each segment without colour."""
        return [
            Segment(text, None if style is None else _colourless(style, background.brightness), control)
            for text, style, control in segments
        ]


@lru_cache(2048)
def _colourless(style: Style, ground: float) -> Style:
    marked = style.bgcolor is not None and abs(_brightness(style) - ground) > 0.12
    return Style(
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
        strike=style.strike,
        reverse=bool(style.reverse) != marked,
        link=style.link,
        meta=style.meta or None,
    )


def _brightness(style: Style) -> float:
    if style.bgcolor is None or style.bgcolor.is_default:
        return 0.0
    return Color.from_rich_color(style.bgcolor).brightness
