"""Spans, and the folded copy of a text in which they are searched."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """A stretch of a text, `start` to `end` in code points, and what it is."""

    start: int
    end: int
    kind: str


def disjoint(spans: Iterable[Span]) -> list[Span]:
    """The spans in order; those that overlap become one, named after the longest of them. Empty ones are left out."""
    merged: list[Span] = []
    longest = 0
    for span in sorted(spans):
        size = span.end - span.start
        if size <= 0:
            continue
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Span(last.start, max(last.end, span.end), span.kind if size > longest else last.kind)
            longest = max(longest, size)
        else:
            merged.append(span)
            longest = size
    return merged


def skeleton(text: str) -> tuple[str, Sequence[int]]:
    """The text in plain letters with its case kept, and for each of its characters where it stands in the text.

    Accents and characters that draw nothing are gone; digits, spaces and dashes are ASCII; a letter outside of
    ASCII is `Q` or `q` as it is a capital or not. A code point becomes one character or none.
    """
    if text.isascii():
        return text, range(len(text))
    folded = text.translate(_PLAIN)
    if len(folded) == len(text):
        return folded, range(len(text))
    return folded, [place for place, char in enumerate(text) if _PLAIN[ord(char)]]


def anchored(spans: list[Span], places: Sequence[int]) -> list[Span]:
    """Spans of the folded copy, put where they are in the text."""
    if isinstance(places, range):
        return spans
    return [Span(places[start], places[end - 1] + 1, kind) for start, end, kind in spans]


_LETTERS = dict(zip("øØłŁđĐðÐßþÞæÆœŒıħĦ’‘ʼ", "oOlLdDdDstTaAoOihH'''", strict=True))


class _Plain(dict[int, str]):
    """Code point → the one character that stands for it, or nothing."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = _LETTERS.get(char) or _plain(char)
        return self[code]


def _plain(char: str) -> str:
    if char.isascii():
        return char
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf"):
        return ""
    if category in ("Zs", "Zl", "Zp"):
        return " " if category == "Zs" else "\n"
    if category == "Pd":
        return "-"
    if category == "Nd":
        return str(unicodedata.decimal(char))
    base = unicodedata.normalize("NFKD", char)[0]
    if base.isascii():
        return base
    return {"Lu": "Q", "Ll": "q"}.get(category, char)


_PLAIN = _Plain()
