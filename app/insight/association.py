"""How much one column tells of another, and how alike two names are. Pure: columns and names in, numbers out.

The measure is mutual information, corrected for chance and normalised (adjusted mutual information):

    NMI(A, B) = (I(A;B) − E[I]) / (min(H(A), H(B)) − E[I]),   cut off to [0, 1]

I is mutual information and H entropy, in nats, by relative frequencies. E[I] is what columns with the same counts share
on average when their values are dealt out at random: the hypergeometric model and the sum of Vinh, Epps & Bailey,
"Information Theoretic Measures for Clusterings Comparison", JMLR 11 (2010), eq. 24a. Without it a column of ids would
tell everything of every other. The smaller entropy normalises (theirs is "min" among five), so that 0.31 reads: of what
there is to know about the coarser column, the other tells 31 %. 1 where one column settles the other, 0 where they
share no more than chance.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import erfc, exp, lgamma, log, sqrt
from typing import Any

from app.protect.names import tokens

# Groups of like size into which many different numbers are put.
BINS = 10
# Up to so many different numbers stay as they are if each stands ten times on average: codes of occupations, regions.
_CODES = 32
# Hypergeometric terms farther from the mean than this many standard deviations add less than 1e-12.
_TAIL = 9.0
# How a number, and a group of texts of digits, is told from other values.
NUMBER, TEXT = "number", "digits"
# Texts of digits have an order that means something: dates, postcodes, account numbers.
_IN_ORDER = re.compile(r"\d[\d .:/T+-]*Z?")
# One word that many harmless names hold as well: `company_name`.
_COMMON = frozenset({("name",)})


@dataclass(frozen=True, slots=True)
class Tie:
    """What two columns share: `information` is the normalised mutual information in [0, 1]; `by_chance`
    the probability that columns without any tie share as much."""

    information: float
    by_chance: float


def coded(values: Sequence[Any]) -> list[int] | None:
    """A column as small whole numbers, one for each distinct value; None where nearly all texts are distinct."""
    plain = comparable(values)
    return None if plain is None else codes_of(plain)


def codes_of(plain: Iterable[Hashable]) -> list[int]:
    """Small whole numbers in place of values, equal ones for equal values."""
    codes: dict[Hashable, int] = {}
    return [codes.setdefault(v, len(codes)) for v in plain]


def comparable(values: Sequence[Any]) -> list[Hashable] | None:
    """A column as values that can be counted; None where nearly all texts are distinct.

    Numbers become `(NUMBER, x)`: at most ten groups by quantiles, equal numbers in one group; few different ones stay
    as they are. Texts of digits that are nearly all distinct become groups in their order, `(TEXT, x)`. None is a value
    of its own. Lists and objects count as one value.
    """
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    few = max(BINS, min(_CODES, len(numbers) // 10))
    groups = _groups(numbers) if len(set(numbers)) > few else None
    plain = [_plain(v, groups) for v in values]
    texts = [v for v in plain if isinstance(v, str)]
    distinct = set(texts)
    if len(distinct) > max(BINS, len(texts) // 2):
        if not all(map(_IN_ORDER.fullmatch, distinct)):
            return None
        cuts = _groups(texts)
        plain = [(TEXT, bisect_right(cuts, v)) if isinstance(v, str) else v for v in plain]
    return plain


def _plain(value: Any, groups: list[Any] | None) -> Hashable:
    """A value that can be counted: 1, True and "1" are three, 1 and 1.0 are one."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, int | float):
        return (NUMBER, value if groups is None else bisect_right(groups, value))
    return ("other",)


def _groups(values: Iterable[Any]) -> list[Any]:
    """Where to cut so that groups are of like size; ties stay together, so there may be fewer of them."""
    ordered = sorted(values)
    cuts = {ordered[len(ordered) * i // BINS] for i in range(1, BINS)}
    return sorted(cuts - {ordered[0]})


def tie(one: Sequence[int], other: Sequence[int]) -> Tie:
    """What two columns of codes, of the same length, share. Equal in both directions."""
    n = len(one)
    if n == 0:
        return Tie(0.0, 1.0)
    a, b, both = Counter(one), Counter(other), Counter(zip(one, other, strict=True))
    shared = sum(count * log(count * n / (a[x] * b[y])) for (x, y), count in both.items()) / n
    expected = expected_information(a, b, n)
    room = min(_entropy(a, n), _entropy(b, n)) - expected
    if room <= 1e-9:
        # No more is left than chance explains already, as with a column of ids.
        return Tie(0.0, 1.0)
    return Tie(min(1.0, max(0.0, (shared - expected) / room)), _by_chance(2 * n * shared, 2 * n * expected))


def expected_information(a: Mapping[int, int], b: Mapping[int, int], n: int) -> float:
    """Mutual information, in nats, that columns with these counts of values share on average by chance."""
    rows, columns = Counter(a.values()), Counter(b.values())
    # Cells with the same two counts expect the same: a column of ids has one kind of row.
    return sum(
        times * others * _cell(*sorted((row, column)), n)
        for row, times in rows.items()
        for column, others in columns.items()
    )


@lru_cache(maxsize=65_536)
def _cell(row: int, column: int, n: int) -> float:
    """What a cell adds to mutual information on average; its count is hypergeometric."""
    mean = row * column / n
    width = _TAIL * sqrt(mean * (n - row) * (n - column) / n / max(1, n - 1)) + _TAIL
    low = max(1, row + column - n, int(mean - width))
    high = min(row, column, int(mean + width) + 1)
    if low > high:
        return 0.0
    p = exp(
        _log_choose(row, low) + _log_choose(n - row, column - low) - _log_choose(n, column)
    )  # P(low); the others follow from it
    scale, total = n / (row * column), 0.0
    for count in range(low, high + 1):
        total += p * count * log(count * scale)
        p *= (row - count) * (column - count) / ((count + 1) * (n - row - column + count + 1))
    return total / n


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _entropy(counts: Mapping[int, int], n: int) -> float:
    """In nats."""
    return -sum(count / n * log(count / n) for count in counts.values())


def _by_chance(statistic: float, mean: float) -> float:
    """P(G ≥ statistic) for the G statistic 2nI of untied columns.

    G is about χ². Its degrees of freedom are taken from its exact mean, which holds for thin tables too; the
    tail is Wilson and Hilferty's (1931) cube root of a normal variable.
    """
    if mean <= 0:
        return 1.0
    spread = 2 / (9 * mean)
    z = ((statistic / mean) ** (1 / 3) - (1 - spread)) / sqrt(spread)
    return 0.5 * erfc(z / sqrt(2))


def likeness(name: str, others: Iterable[str]) -> float:
    """How much a name looks like one of others, in [0, 1].

    1 for the same words; 0.9 where all words of the other are in it (`applicant_sex`) and for abbreviations
    (`gndr`, `ethn_grp`, `yob` for year of birth); 0.85 for one mistyped letter; less where only some words are met.
    """
    words = tokens(name)
    return max((_alike(words, tokens(other)) for other in others), default=0.0) if words else 0.0


@lru_cache(maxsize=65_536)
def _alike(words: tuple[str, ...], wanted: tuple[str, ...]) -> float:
    if not wanted:
        return 0.0
    if words == wanted or "".join(words) == "".join(wanted):
        return 1.0
    if wanted in _COMMON and len(words) > 1:
        return 0.5 if wanted[0] in words else 0.0
    if len(wanted) > 2 and "".join(word[0] for word in wanted) in words:
        return 0.9
    found = sum(len(want) * max(_same_word(word, want) for word in words) for want in wanted)
    return round(found / sum(map(len, wanted)) * (1.0 if len(words) <= len(wanted) else 0.9), 3)


@lru_cache(maxsize=65_536)
def _same_word(word: str, want: str) -> float:
    """1 for the same word, less for its abbreviation or a slip in it, otherwise 0."""
    if word == want:
        return 1.0
    if word[0] != want[0]:
        return 0.0
    if len(word) < len(want):
        short, long = _without_vowels(word), _without_vowels(want)
        if want.startswith(word) and len(word) > 2:
            # Three letters begin many words.
            return 0.9 if len(word) > 3 or short == long else 0.7
        if _within(word, want) and (short == long or (short == word and len(word) > 2)):
            return 0.9
    from rapidfuzz.distance import OSA

    return 0.85 if min(len(word), len(want)) >= 5 and OSA.distance(word, want, score_cutoff=1) <= 1 else 0.0


def _without_vowels(word: str) -> str:
    return word[0] + "".join(letter for letter in word[1:] if letter not in "aeiou")


def _within(short: str, long: str) -> bool:
    """Whether all letters of one word stand in another, in their order."""
    rest = iter(long)
    return all(letter in rest for letter in short)
