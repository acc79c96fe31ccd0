"""Short withheld values in prose, where the name of their field stands beside them: `age = 34`, `sex: F`.

A value of two digits or one letter is everywhere; beside its name it is what the name says. Of an age the years count
as well: `34 years old`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from app.protect.cuts import Span
from app.protect.known.spellings import spellings
from app.protect.names import meaning, tokens
from app.protect.whose import is_a_thing

# What may stand between a name and its value: signs, and at most one of these words.
_BETWEEN = r"[\"'`\s_]{0,4}(?:[:=<>~(\[|-]{1,3}|\b(?:is|was|of|equals|being|ist|est|es|era|war)\b)?[\"'`\s(\[]{0,4}"
_VALUE = r"(?P<value>[+-]?\d+(?:\.\d+)?(?![\d.]*\w)|[^\W\d_]{1,40}(?![\w]))"
_YEARS = re.compile(
    r"(?<![\w.])(?P<value>\d{1,3})(?=[\s-]{0,2}(?:years?|yrs?|yo|y/o|jahre?|ans|años|anos|anni)\b)", re.I
)
_YEAR_WORDS = ("year", "yr", "yo", "y/o", "jahr", " ans", "años", "anni", "age")
_MORE_NAMES = {"age": ("aged", "age")}
_LONGEST_NAME = 60
_WORD_BEFORE = re.compile(r"([^\W\d_]{1,40})[ _-]\Z")
_BACK = 40


class BesideNames:
    """Finds values that are too short to be searched alone."""

    def __init__(self, fields: Iterable[tuple[str, str, Any]]) -> None:
        """`fields`: name of a field, its attribute, and its withheld value of any JSON type."""
        self._values: dict[str, dict[str, str]] = {}
        self._years: dict[str, str] = {}
        for name, attribute, value in fields:
            for text in _short_values(attribute, value):
                for one in (name, *_MORE_NAMES.get(meaning(name) or attribute, ())):
                    words = " ".join(tokens(one))
                    if 0 < len(words) <= _LONGEST_NAME:
                        self._values.setdefault(words, {})[text] = attribute
                if (meaning(name) or attribute) == "age" and text.isdigit():
                    self._years[text] = attribute
        self._first_words = tuple({words.partition(" ")[0] for words in self._values})

    def __bool__(self) -> bool:
        return bool(self._values)

    def spans(self, text: str) -> list[Span]:
        """Beginning, end and attribute of each value that stands beside its name."""
        return list(self._found(text))

    def _found(self, text: str) -> Iterator[Span]:
        small = text.lower()
        if any(word in small for word in self._first_words):
            for hit in _pattern(tuple(sorted(self._values))).finditer(text):
                known = self._values.get(" ".join(tokens(hit["name"])), {})
                attribute = known.get(_key(hit["value"]))
                if attribute is not None and not _is_of_a_thing(text, hit.start("name")):
                    yield *hit.span("value"), attribute
        for hit in _YEARS.finditer(text) if self._years else ():
            if hit["value"] in self._years:
                yield *hit.span("value"), self._years[hit["value"]]


def may_stand_in(text: str, fields: Iterable[tuple[str, str, Any]]) -> bool:
    """Whether a name of one of the fields may stand in a text, or an age: cheap, and seldom wrong."""
    return any(map(text.lower().__contains__, _first_words(tuple([(name, what) for name, what, _ in fields]))))


@lru_cache(maxsize=1024)
def _first_words(names: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """With which words names begin, and those beside which an age stands, if one is withheld."""
    found: set[str] = set()
    for name, attribute in names:
        words = tokens(name)
        found.add(words[0] if words else name.lower())
        if (meaning(name) or attribute) == "age":
            found.update(_YEAR_WORDS)
    return tuple(found)


@lru_cache(maxsize=256)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """A name, what stands between, and a value; the longest name first."""
    spelt = (r"[\W_]{0,2}".join(map(re.escape, name.split(" "))) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![^\W\d_])(?P<name>{'|'.join(spelt)})(?![^\W\d_]){_BETWEEN}{_VALUE}", re.I)


def _is_of_a_thing(text: str, start: int) -> bool:
    """Whether the word before a name says that it is a thing's: `loan age`, `vehicle_age`."""
    before = _WORD_BEFORE.search(text[max(0, start - _BACK) : start])
    return before is not None and is_a_thing(before[1].casefold())


def _short_values(attribute: str, value: Any) -> Iterator[str]:
    """The values that are not searched alone."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _short_values(attribute, inner)
    elif value is not None and not isinstance(value, bool):
        text = str(value).strip()
        if text and spellings(attribute, text) is None:
            yield _key(text)


def _key(text: str) -> str:
    """34, 34.0 and +34 are one."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return text.casefold()
