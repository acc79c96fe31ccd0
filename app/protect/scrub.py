"""Known values, searched and masked wherever else they stand in the same record.

A value counts when it is specific: at least four characters, at least five digits, and no
everyday word. Short values must stand alone, long ones (six characters) are found inside words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

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
    """Masks known values. `values` maps each, casefolded, to its attribute."""

    values: Mapping[str, str]
    pattern: re.Pattern[str] | None

    def text(self, text: str) -> tuple[str, list[Edit]]:
        """The masked text, and where it changed."""
        if self.pattern is None:
            return text, []
        edits: list[Edit] = []

        def mask(hit: re.Match[str]) -> str:
            constant = withheld(self.values.get(hit.group().casefold(), "value"))
            edits.append(Edit(hit.start(), hit.end(), len(constant)))
            return constant

        return self.pattern.sub(mask, text), edits

    def anything(self, value: Any) -> Any:
        """The same for every string, number and key inside a value."""
        if isinstance(value, str):
            return self.text(value)[0]
        if isinstance(value, dict):
            return {self.text(key)[0]: self.anything(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.anything(inner) for inner in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            attribute = self.values.get(str(value))
            return withheld(attribute) if attribute else value
        return value


def withheld(attribute: str) -> str:
    """What stands where a value was taken out: a constant, so that equal values cannot be told."""
    return f"[withheld: {attribute}]"


def known_values(pairs: list[tuple[str, Any]]) -> dict[str, str]:
    """Attribute and raw value → the specific strings among them, casefolded, with their attribute."""
    found: dict[str, str] = {}
    for attribute, value in pairs:
        for text in _strings(value):
            folded = text.strip().casefold()
            specific = sum(c.isdigit() for c in folded) >= 5 if _is_number(folded) else len(folded) >= 4
            if specific and folded not in _EVERYDAY:
                found[folded] = attribute
    return found


def scrubber(values: Mapping[str, str], document: bytes) -> Scrubber | None:
    """A scrubber for those values that occur in the serialised document; None where none does."""
    folded = document.decode().casefold()
    present = {v: a for v, a in values.items() if orjson.dumps(v)[1:-1].decode() in folded}
    if not present:
        return None
    longest_first = sorted(present, key=len, reverse=True)
    alternatives = "|".join(
        re.escape(v) if len(v) >= 6 and not _is_number(v) else rf"(?<!\w){re.escape(v)}(?!\w)" for v in longest_first
    )
    return Scrubber(present, re.compile(alternatives, re.IGNORECASE))


def moved(offset: int, edits: list[Edit]) -> int:
    """Where an offset of the old text lies in the new one; inside a masked stretch, its near end."""
    shift = 0
    for edit in edits:
        if offset >= edit.end:
            shift += edit.length - (edit.end - edit.start)
        elif offset > edit.start:
            return edit.start + shift
    return offset + shift


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit()
