"""Long fields of a record: a case opens at once however large it is, and what is not shown is counted."""

from __future__ import annotations

from textual.content import Content

from app.protect.safe_text import hidden_characters
from screens.text import plain
from screens.widgets.explanations.layout import wrap

# A field shows so many characters, and of a field of short lines so many lines.
FIELD_LIMIT = 65_536
FIELD_LINES = 1_000
# A paper takes on nothing more once it has so many lines; `space` pages through them.
PAPER_LINES = 2_000
_MUTED = "$muted"


def left_out(count: int, what: str, width: int) -> list[Content]:
    """How much is not shown, and where it is."""
    return wrap(Content.styled(f"… {count:,} more {what}; `secondlook show ID --json` prints all", _MUTED), width)


def cut(text: str, limit: int = FIELD_LIMIT) -> str:
    """As much of a text as a field shows."""
    text = text[:limit]
    lines = text.split("\n", FIELD_LINES)
    return text if len(lines) <= FIELD_LINES else "\n".join(lines[:-1])


def field(text: str, width: int, limit: int = FIELD_LIMIT) -> list[Content]:
    """Untrusted text wrapped; below it, how much is left out and how many characters are hidden."""
    shown = cut(text, limit)
    lines = wrap(plain(shown), width)
    if len(shown) < len(text):
        lines += left_out(len(text) - len(shown), "characters", width)
    return lines + within(warn_hidden(text), width)


def within(lines: list[Content], width: int) -> list[Content]:
    """The lines, those that are too wide wrapped."""
    return [part for one in lines for part in ([one] if one.cell_length <= width else wrap(one, width))]


def warn_hidden(text: str, where: str = "") -> list[Content]:
    """The badge for characters that somebody may have hidden."""
    n = hidden_characters(text)
    return [Content.styled(f"▲ hidden characters: {n:,}{where}", "$warning")] if n else []
