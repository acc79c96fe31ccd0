"""A way of writing a value, as it is searched in a skeleton, and what such ways are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate

WORD = re.compile(r"[^\W_]+")
# Scripts without spaces, or whose letters are syllables: two of these say as much as four letters.
DENSE = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class Form:
    """One way of writing a value, as a skeleton; it counts where it makes up whole words."""

    letters: str
    breaks: frozenset[int]
    """Where the value itself has something between its letters."""
    inside: bool = False
    """Counts inside words as well."""
    everyday: bool = False
    """Counts in the position of a name only: with a capital."""
    initial: int | None = None
    """Which letter must be a capital standing alone, where it does not stand in one word with the rest."""
    dotted: bool = False
    """Counts only as capitals with a stop after each."""
    digits: bool = False
    """A number: any grouping; never part of a longer one, unless a code for a country stands before it."""
    country: bool = False
    """A telephone number without the code for its country: one may stand before it."""


def letters_of(folded: str) -> str:
    """Letters and digits only."""
    return "".join(WORD.findall(folded))


def weight(letters: str) -> int:
    """How much letters say, counted in Latin ones."""
    return len(letters) if letters.isascii() else len(letters) + len(DENSE.findall(letters))


def of_words(words: tuple[str, ...], **rules: bool | int) -> Form:
    """A form whose words may be separated."""
    return Form("".join(words), frozenset(accumulate(map(len, words[:-1]))), **rules)  # type: ignore[arg-type]


def whole(folded: str) -> Form:
    """A form of all words of a value."""
    words = tuple(WORD.findall(folded))
    letters = "".join(words)
    return of_words(words, inside=not letters.isdigit() and (len(letters) >= 6 or bool(DENSE.search(letters))))
