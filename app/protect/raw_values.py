"""The withheld values of one record, to be recognised where they stand alone in a sender's JSON.

Short values (`34`, `F`, `1977`) are too common to be searched in texts. Standing alone in a list or under a key that
says nothing (`"row": [34, 1977]`), an equal value is taken for the withheld one and masked.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from app.protect.known.everyday import NOTHING_SAID
from app.protect.word_sets import word_set

# The fewest characters of a value that is compared: single digits and letters are everywhere.
_SHORTEST = 2
_LONGEST = 300
_YES_OR_NO = word_set("yes no ja nein oui non si sí sim não on off y n t f na")


class RawValues:
    """Answers for a value that stands alone: which withheld attribute it is the value of."""

    def __init__(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """`pairs`: attribute and raw value, of any JSON type."""
        self._pairs: Iterable[tuple[str, Any]] = tuple(pairs)
        self._values: dict[float | str, str] | None = None

    def attribute(self, value: Any) -> str | None:
        """The attribute whose raw value equals this one, or None; lists and objects equal nothing."""
        if self._values is None:
            # Most records hold no JSON of a sender's own: nothing is asked of them.
            self._values = {}
            for attribute, raw in self._pairs:
                self._add(self._values, attribute, raw)
        key = _key(value) if self._values else None
        return None if key is None else self._values.get(key)

    def _add(self, found: dict[float | str, str], attribute: str, value: Any) -> None:
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for inner in value:
                self._add(found, attribute, inner)
        elif (key := _key(value)) is not None:
            found.setdefault(key, attribute)


def _key(value: Any) -> float | str | None:
    """What equal values have in common: 34, 34.0, "34" and " 34.00 " are one; None for what says too little."""
    if isinstance(value, str):
        if not _SHORTEST <= len(value) <= _LONGEST:
            return None
        text = (value if value.isascii() else unicodedata.normalize("NFKC", value)).strip().casefold()
        if text in NOTHING_SAID or text in _YES_OR_NO or len(text) < _SHORTEST:
            return None
        return _number(text) if text[0] in "+-.0123456789" else text
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return None if abs(value) < 10 and value == int(value) else float(value)


def _number(text: str) -> float | str | None:
    try:
        number = float(text)
    except ValueError:
        return text
    if number in (float("inf"), float("-inf")) or number != number:
        return text
    # A number with zeros in front, or one digit, is read as it is written.
    if abs(number) < 10 and number == int(number):
        return text if len(text) > _SHORTEST else None
    return number
