"""What to look for in order to find a sensitive value elsewhere.

A name is looked for in all ways of `app.protect.known.called`; an address by its lines and its postcode; an
e-mail address also by what stands before the @; a telephone number with and without its country's
code; a day in any notation. See `Form` for what counts as a hit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial

from app.protect.known import called, parts
from app.protect.known.base64_text import Look, looks_of, without_capital_inside
from app.protect.known.dates import Day, compact, day_of
from app.protect.known.everyday import NOTHING_SAID, ROLES
from app.protect.known.forms import WORD, Form, letters_of, of_words, weight, whole
from app.protect.known.skeleton import fold, merge
from app.protect.names import meaning

_MAIL = re.compile(r"([^\s@<>:]{2,})@[^\s@]+\.[^\s@]+")
_POSTCODE = re.compile(
    r"\b(?:[a-z]{1,2}\d[a-z\d]?\s*\d[a-z]{2}|[a-z]\d[a-z]\s?\d[a-z]\d|\d{4}\s?[a-z]{2}|\d{5}(?:-\d{4})?)\b"
)
_STREETS = "street st road rd avenue ave lane ln drive dr way court ct close place pl square boulevard blvd terrace"
_STREET = "(?:" + "|".join(_STREETS.split(" ")) + ")"
_STREET_LINE = re.compile(
    rf"\b\d+\w?\s+(?:[^\W\d_]+\s+){{1,4}}?{_STREET}\b|"
    r"\b[^\W\d_]*(?:strasse|str|weg|platz|allee|gasse|straat|laan)\b\.?\s*\d+\w?"
)
_SHORT_OR_LONG = {"street": "st", "road": "rd", "avenue": "ave", "lane": "ln", "drive": "dr", "place": "pl"}
_SHORT_OR_LONG |= {short: long for long, short in _SHORT_OR_LONG.items()}
_SHORTENED = re.compile(rf"\b({'|'.join(_SHORT_OR_LONG)})\b")
_HOUSE_NUMBER = re.compile(r"\b\d+\w?\b")
_BETWEEN_WORDS = re.compile(r"[\s,;/&()\"@.+_-]+")
_TELEPHONE = re.compile(r"[+(\d][\d\s().·/\-–]{5,}$")


@dataclass(frozen=True, slots=True)
class Spellings:
    """What to look for."""

    needles: tuple[str, ...]
    """One of these is in the squeezed text, or no form is."""
    forms: Callable[[], list[Form]] = list
    days: frozenset[Day] = frozenset()
    initials: tuple[str, ...] = ()
    """As they would stand in the text."""
    literal: str = ""
    """A value of signs rather than letters: folded, as it is."""
    number: str = ""
    """How the value reads where it stands as a number."""


@lru_cache(maxsize=4096)
def spellings(attribute: str, value: str) -> Spellings | None:
    """What to look for in order to find a value of this attribute; None where it is too unspecific to look for."""
    folded = " ".join(fold(value).split())
    if not folded or folded in NOTHING_SAID:
        return None
    letters = letters_of(folded)
    if is_number(folded):
        digits = sum(char.isdigit() for char in folded)
        return _made(_of_number(folded, letters), day_of(folded), number=folded) if digits >= 5 else None
    name = means_name(attribute, folded)
    if weight(letters) < (3 if name else 4):
        return Spellings((), literal=folded) if len(folded) >= 4 else None
    # Mostly signs: they are part of what is looked for.
    literal = folded if (len(folded) - len(letters)) * 3 > len(folded) else ""
    if name:
        return _of_name(value, folded, literal)
    if not folded.isalnum():
        if days := day_of(folded):
            written = {form for day in days for form in compact(day)}
            return _made([whole(folded), *(Form(each, frozenset(), digits=True) for each in sorted(written))], days)
        if _TELEPHONE.match(folded) and len(letters) >= 7:
            return _made(_of_number(folded, letters), number=folded)
        forms = [*_parts_of_address(attribute, value, folded), *_parts_of_mail(folded)]
        forms += [] if "://" in folded else _words_of(attribute, folded.partition("@")[0])
        if forms:
            return _made([*forms, whole(folded)], literal=literal)
    elif _is_address(attribute):
        return _made([*_parts_of_address(attribute, value, folded), whole(folded)])
    return Spellings((merge(letters),), partial(_only, folded), literal=literal)


@lru_cache(maxsize=4096)
def looks(attribute: str, value: str, capital_inside: bool) -> list[Look]:
    """What a value that `spellings` knows looks like in base64, word by word if its words count by themselves; in a
    text with or without capitals inside words."""
    words = [value.strip()]
    if not value.isalnum():
        folded = " ".join(fold(value).split())
        known = called.parts_of(folded) if means_name(attribute, folded) else _words_of(attribute, folded)
        if known:
            letters = {form.letters for form in known}
            words = [word for word in _BETWEEN_WORDS.split(value) if letters_of(fold(word)) in letters]
    found = looks_of(words)
    return found if capital_inside else without_capital_inside(found)


def _words_of(attribute: str, folded: str) -> list[Form]:
    """The words of a value that count by themselves."""
    return parts.parts_of_subject(folded) if attribute == "subject" else parts.parts_of(folded)


def means_name(attribute: str, folded: str) -> bool:
    """Whether a value is what a person is called: by its attribute; a subject by how it looks."""
    return called.looks_like_a_name(folded) if attribute == "subject" else _is_name(attribute)


def is_number(folded: str) -> bool:
    """Whether a folded value is a plain number."""
    return folded.replace(".", "", 1).replace("-", "", 1).isdigit()


_NAMING = frozenset(("alias", "nickname", "person", "author", "signature"))


@lru_cache(maxsize=1024)
def _is_name(attribute: str) -> bool:
    return meaning(attribute) == "name" or attribute.casefold() in _NAMING


@lru_cache(maxsize=1024)
def _is_address(attribute: str) -> bool:
    return meaning(attribute) == "address"


def _only(folded: str) -> list[Form]:
    return [whole(folded)]


def _made(forms: list[Form], days: frozenset[Day] = frozenset(), number: str = "", literal: str = "") -> Spellings:
    # Of equal letters the first says what counts.
    unique = list({form.letters: form for form in reversed(forms)}.values())
    return Spellings(_needles(unique), partial(list, unique), days, number=number, literal=literal)


def _needles(forms: Iterable[Form]) -> tuple[str, ...]:
    return tuple({merge(form.letters) for form in forms})


def _of_name(value: str, folded: str, literal: str) -> Spellings:
    parts = called.parts_of(folded)
    sought = [*parts, *called.transcribed(value, parts)]
    if not parts or called.has_short_parts(folded):
        sought += called.orders_of(folded)
    initials = called.initials_of(folded)
    return Spellings(_needles(sought), partial(_ways_of_a_name, value, folded), initials=initials, literal=literal)


def _ways_of_a_name(value: str, folded: str) -> list[Form]:
    parts = called.parts_of(folded)
    return [*called.orders_of(folded), *parts, *called.with_initials(folded), *called.transcribed(value, parts)]


def _of_number(folded: str, letters: str) -> list[Form]:
    """A number as it is; one that may be a telephone's with and without the code for its country."""
    forms = []
    if len(letters) >= 9 and _TELEPHONE.match(folded):
        # A code for a country has one to three digits; at home a zero stands in its place.
        abroad = folded.lstrip("(").startswith(("+", "00"))
        bare = letters.lstrip("0")
        cut = [bare[code:].lstrip("0") for code in (1, 2, 3)] if abroad else [bare]
        forms = [Form(each, frozenset(), digits=True, country=True) for each in cut if len(each) >= 7]
        if abroad:
            forms += [Form(front + each, frozenset(), digits=True) for front, each in (("", bare), ("00", bare))]
            forms += [Form("0" + each, frozenset(), digits=True) for each in cut if len(each) >= 7]
    forms.append(of_words(tuple(WORD.findall(folded)), digits=True))
    return forms


def _parts_of_mail(folded: str) -> list[Form]:
    """What stands before the @, where it is somebody's own."""
    found = _MAIL.search(folded) if "@" in folded else None
    if not found or found[1] in ROLES or len(letters_of(found[1])) < 4:
        return []
    return [whole(found[1].partition("+")[0])]


def _parts_of_address(attribute: str, value: str, folded: str) -> list[Form]:
    """An address's lines, its street with and without the number, and its postcode."""
    if not _is_address(attribute):
        return []
    codes = [code.group() for code in _POSTCODE.finditer(folded)]
    texts = set(re.split(r"[,;\r\n]", fold(value)))
    texts |= {_POSTCODE.sub("", text) for text in texts}
    streets = {street.group() for street in _STREET_LINE.finditer(folded)}
    streets |= {_HOUSE_NUMBER.sub(" ", street) for street in streets}
    texts |= streets | {_SHORTENED.sub(lambda kind: _SHORT_OR_LONG[kind[1]], street) for street in streets}
    loose = [Form(letters_of(code), frozenset(range(1, 9))) for code in codes]
    letters = {text: letters_of(text) for text in texts}
    return loose + [whole(text) for text in sorted(texts) if weight(letters[text]) >= 4 and _says_where(letters[text])]


def _says_where(letters: str) -> bool:
    """Not a short number, nor a kind of street alone."""
    return not (letters.isdigit() and len(letters) < 5) and letters not in _SHORT_OR_LONG
