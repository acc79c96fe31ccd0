"""Known values, searched and masked wherever else they stand in the same record.

A value counts when it is specific: at least four characters, at least five digits, and no
everyday word. Short values must stand alone, long ones (six characters) are found inside words.
Upper and lower case, diacritics, width, invisible characters and kinds of space make no difference.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.protect.names import CONSTANT

_EVERYDAY = frozenset(
    ("true", "false", "none", "null", "unknown", "other", "missing", "n/a", "prefer_not_to_say", "medium", "high")
)


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement: `start` and `end` in the old text, `length` of what stands there now."""

    start: int
    end: int
    length: int


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Masks known values. `values` maps each, folded, to its attribute."""

    values: Mapping[str, str]
    pattern: re.Pattern[str]

    def text(self, text: str) -> tuple[str, list[Edit]]:
        """The masked text, and where it changed."""
        folded, places = _folded_with_places(text)
        edits: list[Edit] = []
        pieces: list[str] = []
        end = 0
        for hit in self.pattern.finditer(folded):
            constant = withheld(self.values.get(" ".join(hit.group().split()), "value"))
            start, after = max(places[hit.start()], end), places[hit.end() - 1] + 1
            edits.append(Edit(start, after, len(constant)))
            pieces += (text[end:start], constant)
            end = after
        return ("".join((*pieces, text[end:])), edits) if edits else (text, edits)

    def number(self, number: float) -> float | str:
        """A number, or what stands where a known one was taken out."""
        attribute = self.values.get(str(number))
        return withheld(attribute) if attribute else number


class Constant(str):
    """A text of ours, not of the record: nothing in it is masked."""

    __slots__ = ()


def withheld(attribute: str) -> Constant:
    """What stands where a value was taken out: a constant, so that equal values cannot be told."""
    return Constant(f"{CONSTANT}{attribute}]")


def known_values(pairs: list[tuple[str, Any]]) -> dict[str, str]:
    """Attribute and raw value → the specific strings among them, folded, with their attribute."""
    found: dict[str, str] = {}
    for attribute, value in pairs:
        for text in _strings(value):
            if text == withheld(attribute):
                continue
            folded = " ".join(fold(text).split())
            specific = sum(c.isdigit() for c in folded) >= 5 if _is_number(folded) else len(folded) >= 4
            if specific and folded not in _EVERYDAY:
                found[folded] = attribute
    return found


def scrubber(values: Mapping[str, str], texts: str) -> Scrubber | None:
    """A scrubber for those values that occur in the texts; None where none does."""
    squeezed = " ".join(fold(texts).split())
    present = {value: attribute for value, attribute in values.items() if value in squeezed}
    if not present:
        return None
    longest_first = sorted(present, key=len, reverse=True)
    return Scrubber(present, re.compile("|".join(map(_spelling, longest_first))))


def fold(text: str) -> str:
    """The text without what makes equal words look different; may be shorter or longer."""
    return text.lower() if text.isascii() else text.translate(_FOLDED)


def moved(offset: int, edits: list[Edit], end: bool = False) -> int:
    """Where an offset of the old text lies in the new one. Inside a masked stretch: its beginning, or its end."""
    shift = 0
    for edit in edits:
        if offset >= edit.end:
            shift += edit.length - (edit.end - edit.start)
        elif offset > edit.start:
            return edit.start + shift + (edit.length if end else 0)
    return offset + shift


class _Folded(dict[int, str]):
    """Code point → its compatibility form without case and marks; nothing for one that draws nothing."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", chr(code)).casefold())
        self[code] = "".join(char for char in plain if unicodedata.category(char) not in ("Mn", "Cf"))
        return self[code]


_FOLDED = _Folded()


def _folded_with_places(text: str) -> tuple[str, range | list[int]]:
    """The folded text, and for each of its characters where it stands in the text."""
    if text.isascii():
        return text.lower(), range(len(text))
    parts = [_FOLDED[ord(char)] for char in text]
    return "".join(parts), [place for place, part in enumerate(parts) for _ in part]


def _spelling(value: str) -> str:
    """A pattern for a folded value, with any run of spaces between its words."""
    words = r"\s+".join(map(re.escape, value.split()))
    return words if len(value) >= 6 and not _is_number(value) else rf"(?<![^\W_]){words}(?![^\W_])"


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit()
