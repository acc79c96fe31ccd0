"""Personal data in free text, found by grammar, check digits, context and capitals; no model is involved.

`find_spans` finds what it can, `find_identifiers` only what is safe to mask without anybody looking.
Both work on a folded copy (`spans.skeleton`): width, accents, zero-width characters and kinds of digits, spaces
and dashes make no difference. Both take time in proportion to the text, whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from app.protect.detect.first_look import may_hold_identifier
from app.protect.detect.plugins import Detector, load_detectors
from app.protect.detect.spans import Span, anchored, disjoint, skeleton

__all__ = ["Detector", "Span", "disjoint", "find_identifiers", "find_spans", "holds_identifier", "load_detectors"]

# Shorter texts come again and again: words of a schema, names of methods and raters.
_SHORT = 40
_DIGIT = re.compile(r"\d")
_WORD = re.compile("[a-z]+")

# Texts and keys in JSON; no identifier is shorter.
_STRINGS = re.compile(rb'"([^"]{6,})"')

_NO_DIGITS = bytes(set(range(256)) - set(b"0123456789"))


class _Finder(NamedTuple):
    """Finds some kinds in the folded text and the same in small letters, where there is enough for any of them: digits,
    a word of a length, one of some words; or one of some signs."""

    find: Callable[[str, str], list[Span]]
    digits: int = 0
    longest: int = 0
    words: frozenset[str] | None = None
    signs: tuple[str, ...] = ()

    def is_worth_trying(self, digits: int, longest: int, words: frozenset[str]) -> bool:
        """Whether a text with these may hold what is found."""
        enough = digits >= self.digits and longest >= self.longest
        return enough and (self.words is None or not self.words.isdisjoint(words))


def find_identifiers(text: str) -> list[Span]:
    """The structured identifiers of a text: email, phone, card, iban, national_id, licence, ip, secret,
    crypto_address, coordinates, handle, number_plate, and complete ones of date_of_birth and address.

    Spans are in code points, sorted and disjoint. Never raises for a `str`.
    """
    return list(_found_in_short(text)) if len(text) <= _SHORT else _found(text)


@lru_cache(8192)
def _found_in_short(text: str) -> tuple[Span, ...]:
    return tuple(_found(text))


def _found(text: str) -> list[Span]:
    if not may_hold_identifier(text):
        return []
    folded, places = skeleton(text)
    found = [span for span in _identifiers(folded, folded.lower()) if span.kind != "account"]
    return anchored(disjoint(found), places)


def holds_identifier(data: bytes) -> bool:
    """Whether a text in JSON, as bytes, holds an identifier. Texts that come again and again cost next to nothing."""
    return any(map(_is_identified, set(_STRINGS.findall(data))))


@lru_cache(4096)
def _is_identified(text: bytes) -> bool:
    return bool(find_identifiers(text.decode("utf-8", "replace")))


def find_spans(text: str) -> list[Span]:
    """Everything that looks like personal data.

    Besides the kinds of `find_identifiers`: url, zip, address, age, date_of_birth, account, person, place,
    organisation, nationality, belief. Spans are in code points, sorted and disjoint. Never raises for a `str`.
    """
    # Here and not above: who masks identifiers only never loads the words.
    from app.protect.detect import addresses, names, patterns, spoken

    folded, places = skeleton(text)
    found = patterns.urls(folded) + patterns.spelt_emails(folded)
    if may_hold_identifier(folded):
        found += _identifiers(folded, folded.lower())
    if _DIGIT.search(folded):
        found += patterns.births(folded) + patterns.zips(folded) + patterns.ages(folded)
    found = disjoint(found + addresses.addresses(folded))
    found += names.names(folded, found) + spoken.spoken(folded)
    return anchored(disjoint(found), places)


def _identifiers(folded: str, small: str) -> list[Span]:
    digits = len(small.encode("ascii", "replace").translate(None, _NO_DIGITS))
    longest = max(map(len, small.split()), default=0)
    words = frozenset(_WORD.findall(small))
    return [
        span
        for finder in _finders()
        if finder.is_worth_trying(digits, longest, words) or any(sign in folded for sign in finder.signs)
        for span in finder.find(folded, small)
    ]


@lru_cache(1)
def _finders() -> tuple[_Finder, ...]:
    """Imported at the first text that is searched."""
    from app.protect.detect import births, coordinates, credentials, handles, numbers, patterns, plates, postal, wallets

    return (
        _Finder(patterns.emails),
        _Finder(patterns.machine_addresses),
        _Finder(numbers.numbers, digits=4),
        _Finder(credentials.keys, longest=12, signs=("-----BEGIN",)),
        _Finder(credentials.beside_words),
        _Finder(wallets.wallets, longest=25, signs=(".eth",)),
        _Finder(coordinates.coordinates, digits=4, signs=("+", "///")),
        _Finder(handles.handles, words=handles.FIRST_WORDS, signs=("@", "/", "#")),
        _Finder(plates.plates, digits=1, words=plates.FIRST_WORDS),
        _Finder(postal.full_addresses, digits=3),
        _Finder(births.full_births),
    )
