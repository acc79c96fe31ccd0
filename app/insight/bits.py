"""Columns as sets of records, each a whole number whose bits are the records: sets meet with `&` and are counted with
`bit_count`, many records in one step. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.insight.association import NUMBER, TEXT, comparable

# Values of a category that are told apart; all rarer ones are one.
VALUES = 24
# A value that fewer records have is rare.
_RARE = 3


@dataclass(frozen=True, slots=True)
class Bits:
    """A column: the records of each of its values or groups of numbers, no two with a record in common. The first
    `ordered` of them are groups of numbers, smallest first."""

    bins: tuple[int, ...]
    ordered: int

    def tests(self) -> list[int]:
        """Yes-or-no questions about the column, each as the records for which the answer is yes: is it up to this
        number, is it this value?"""
        if len(self.bins) < 2:
            return []
        found, below = [], 0
        for records in self.bins[: self.ordered]:
            below |= records
            found.append(below)
        others = self.bins[self.ordered :]
        # Of two answers one is the other's opposite; that all numbers are up to the largest tells nothing.
        if not others:
            return found[:-1]
        return [*found, *(others[:1] if len(self.bins) == 2 else others)]


def bits_of(values: Sequence[Any]) -> Bits | None:
    """A column as sets of records; None where it cannot be compared: nearly all its texts are distinct."""
    plain = comparable(values)
    return None if plain is None else bits_from(plain)


def bits_from(plain: Sequence[Hashable]) -> Bits:
    """A column that `comparable` has made, as sets of records.

    Numbers are ten groups of like size; of other values the most frequent are told apart. A missing value is one of its
    own.
    """
    counts = Counter(plain)
    ordered = sorted(code for code in counts if isinstance(code, tuple) and code[0] in (NUMBER, TEXT))
    others = [code for code, n in counts.most_common(VALUES + len(ordered)) if n >= _RARE and code not in ordered]
    places: dict[Hashable, int] = {code: at for at, code in enumerate([*ordered, *others[:VALUES]])}
    sets = [bytearray((len(plain) + 7) // 8) for _ in range(len(places) + 1)]
    for record, code in enumerate(plain):
        sets[places.get(code, -1)][record >> 3] |= 1 << (record & 7)
    *told, rare = (int.from_bytes(records, "little") for records in sets)
    return Bits((*told, *([rare] if rare else [])), len(ordered))


def set_of(records: Iterable[int], size: int) -> int:
    """Records, by their numbers below `size`, as a set."""
    found = bytearray((size + 7) // 8)
    for record in records:
        found[record >> 3] |= 1 << (record & 7)
    return int.from_bytes(found, "little")


def records_of(records: int) -> Iterator[int]:
    """The numbers of the records in a set."""
    while records:
        lowest = records & -records
        yield lowest.bit_length() - 1
        records ^= lowest
