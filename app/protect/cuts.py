"""Cutting stretches out of a text: what stands in their place, and where offsets into the text go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.protect.names import CONSTANT

Span = tuple[int, int, str]
"""Beginning and end in code points, and what stands there."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement: `start` and `end` in the old text, `length` of what stands there now."""

    start: int
    end: int
    length: int


class Constant(str):
    """A text of ours, not of the record: nothing in it is masked."""

    __slots__ = ()


def withheld(attribute: str) -> Constant:
    """What stands where a value was taken out: a constant, so that equal values cannot be told."""
    return Constant(f"{CONSTANT}{attribute}]")


def cut(text: str, spans: Iterable[Span]) -> tuple[str, list[Edit]]:
    """The text with a constant for each span, and where it changed. Of spans that begin together the longest counts;
    of one that begins within another, what is left of it."""
    edits: list[Edit] = []
    pieces: list[str] = []
    end = 0
    for start, after, attribute in sorted(spans, key=lambda span: (span[0], -span[1])):
        if after <= end:
            continue
        constant, start = withheld(attribute), max(start, end)
        edits.append(Edit(start, after, len(constant)))
        pieces += (text[end:start], constant)
        end = after
    return ("".join((*pieces, text[end:])), edits) if edits else (text, edits)


def united(first: Iterable[Span], second: Iterable[Span]) -> list[Span]:
    """Spans of two kinds as one list without overlaps. Those that overlap become one, named after the longest of
    them; of equal ones the first counts."""
    merged: list[Span] = []
    longest = 0
    ranked = [(*span, 0) for span in first] + [(*span, 1) for span in second]
    for start, end, kind, _ in sorted(ranked, key=lambda span: (span[0], -span[1], span[3])):
        if merged and start < merged[-1][1]:
            before = merged[-1]
            merged[-1] = (before[0], max(before[1], end), kind if end - start > longest else before[2])
            longest = max(longest, end - start)
        else:
            merged.append((start, end, kind))
            longest = end - start
    return merged


def moved(offset: int, edits: list[Edit], end: bool = False) -> int:
    """Where an offset of the old text lies in the new one. Inside a masked stretch: its beginning, or its end."""
    shift = 0
    for edit in edits:
        if offset >= edit.end:
            shift += edit.length - (edit.end - edit.start)
        elif offset > edit.start:
            return edit.start + shift + (edit.length if end else 0)
    return offset + shift
