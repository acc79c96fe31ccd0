"""Whether a detector covers a stretch of a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.protect.detect import Span

Detector = Callable[[str], list[Span]]


def is_covered(find: Detector, text: str, part: str) -> bool:
    """Whether every letter and digit of the part would be masked."""
    start = text.index(part)
    covered = {place for span in find(text) for place in range(span.start, span.end)}
    return all(place in covered for place in range(start, start + len(part)) if text[place].isalnum())


def missed(find: Detector, rows: Iterable[tuple[str, str]]) -> list[str]:
    """The texts of (text, part) whose part is not covered."""
    return [text for text, part in rows if not is_covered(find, text, part)]
