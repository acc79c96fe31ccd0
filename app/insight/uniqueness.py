"""How many records are the only ones with what they show. Pure: columns in, counts out.

A record is *unique* among others if none has the same values in all columns: k = 1 in the terms of Sweeney,
"k-anonymity: a model for protecting privacy", International Journal of Uncertainty, Fuzziness and Knowledge-Based
Systems 10 (2002). Who knows these values of somebody from elsewhere then knows whose record it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# A record is rare where fewer than this many show the same: the usual least k.
K = 5


@dataclass(frozen=True, slots=True)
class Uniqueness:
    """Of `n` records, how many are the only ones with their values, and how many are among fewer than five."""

    n: int
    unique: int
    rare: int


def of_columns(columns: Iterable[Sequence[int]], n: int) -> Uniqueness:
    """How unique `n` records are by columns of codes, equal ones for equal values."""
    classes = [0] * n
    for column in columns:
        classes = _finer(classes, column)
    sizes = Counter(Counter(classes).values())
    rare = sum(size * count for size, count in sizes.items() if size < K)
    return Uniqueness(n, sizes[1], rare)


def singling_out(columns: Mapping[str, Sequence[int]], n: int, most: int) -> list[tuple[str, int]]:
    """Up to `most` columns that together single out many records: each the one that adds most to those before it, with
    how many are unique then. Other sets may single out more: not all are tried."""
    chosen: list[tuple[str, int]] = []
    classes = [0] * n
    rest = dict(columns)
    while rest and len(chosen) < most:
        tried = {name: _finer(classes, column) for name, column in rest.items()}
        # Before any record is unique, the column that parts them into the most classes.
        count = {name: (Counter(Counter(made).values())[1], len(set(made))) for name, made in tried.items()}
        best = max(count, key=lambda name: count[name])
        if chosen and count[best][0] <= chosen[-1][1]:
            break
        chosen.append((best, count[best][0]))
        classes = tried[best]
        del rest[best]
    return chosen


def _finer(classes: Sequence[int], column: Sequence[int]) -> list[int]:
    """Classes that are parted by one more column."""
    codes: dict[tuple[int, int], int] = {}
    return [codes.setdefault(both, len(codes)) for both in zip(classes, column, strict=True)]
