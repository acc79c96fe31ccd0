"""Personal data in free text, found by grammar, check digits, context and capitals; no model is involved.

`find_spans` finds what it can, `find_identifiers` only what is safe to mask without anybody looking.
Both work on a folded copy (`spans.skeleton`): width, accents, zero-width characters and kinds of digits, spaces
and dashes make no difference. Both take time in proportion to the text, whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from app.protect.detect.plugins import Detector, load_detectors
from app.protect.detect.spans import Span, anchored, disjoint, skeleton
from app.protect.detect.words import any_of

__all__ = ["Detector", "Span", "disjoint", "find_identifiers", "find_spans", "holds_identifier", "load_detectors"]

# Without one of these there is no need to try the pattern below.
_SIGN = re.compile(r"[\d@＠﹫:]")
# Most identifiers have an @, two colons, three digits close together, or a British postal code or plate.
_DOOR = re.compile(r"[@＠﹫]|\d\D{0,4}\d\D{0,4}\d|:[\da-fA-F]{0,4}:|\d[A-Z]? \d[A-Z]{2}\b|\d\d ?[A-Z]{3}\b")
# The others have a word as long as a key, or stand beside one of these words (in small letters).
_KEY_CHARACTERS = 20
_CUES = any_of((
    "pass", "pwd", "secret", "token", "kennwort", "contrase", "clave", "senha", "phrase", "mnemonic", "user", "handle",
    "nick", "insta", "telegram", "snap", "tiktok", "discord", "skype", "signal", "twitter", "t.me", "u/", "plate",
    "registration", "kennzeichen", "born", "birth", "dob", "geb", "naiss", "nee ", "ne le", "ne(e)", "naci", "nasc",
    "mdp",
    "key", "pin", "cvv", "otp", "parola", "wachtwoord", "haslo", "losenord", "schlussel", "jeton", "login", "alias",
    "placa", "plaque", "matricul", "usuario", "credential", "bearer", "mot de", "linkedin", "reddit", "facebook",
    "///",
))  # fmt: skip
# Below this length a plain word is no identifier.
_WORD_CHARACTERS = 20
_DIGIT = re.compile(r"\d")
_WORD = re.compile("[a-z]+")

# Texts and keys in JSON; no identifier is shorter.
_STRINGS = re.compile(rb'"([^"]{6,})"')

# Takes the folded text, and the same in small letters.
Finder = Callable[[str, str], list[Span]]


def find_identifiers(text: str) -> list[Span]:
    """The structured identifiers of a text: email, phone, card, iban, national_id, licence, ip, secret,
    crypto_address, coordinates, handle, number_plate, and complete ones of date_of_birth and address.

    Spans are in code points, sorted and disjoint. Never raises for a `str`.
    """
    if not _may_hold_identifier(text):
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
    if _may_hold_identifier(folded):
        found += _identifiers(folded, folded.lower())
    if _DIGIT.search(folded):
        found += patterns.births(folded) + patterns.zips(folded) + patterns.ages(folded)
    found = disjoint(found + addresses.addresses(folded))
    found += names.names(folded, found) + spoken.spoken(folded)
    return anchored(disjoint(found), places)


def _may_hold_identifier(text: str) -> bool:
    """Whether a text is worth searching: a cheap look that most values do not pass."""
    if len(text) < _WORD_CHARACTERS and text.replace("_", "").isalpha():
        return False
    if (_SIGN.search(text) and _DOOR.search(text)) or max(map(len, text.split()), default=0) >= _KEY_CHARACTERS:
        return True
    # Letters of other alphabets, of other widths and with accents are looked at in their plain form.
    return _CUES.search((text if text.isascii() else skeleton(text)[0]).lower()) is not None


def _identifiers(folded: str, small: str) -> list[Span]:
    words = frozenset(_WORD.findall(small))
    return [
        span
        for find, first_words, signs in _finders()
        if not (first_words and first_words.isdisjoint(words)) or any(sign in folded for sign in signs)
        for span in find(folded, small)
    ]


@lru_cache(1)
def _finders() -> tuple[tuple[Finder, frozenset[str], str], ...]:
    """Each with the words and signs of which one has to stand in the text. Imported at the first text searched."""
    from app.protect.detect import births, coordinates, credentials, handles, numbers, patterns, plates, postal, wallets

    always: frozenset[str] = frozenset()
    return (
        (patterns.emails, always, ""),
        (patterns.machine_addresses, always, ""),
        (numbers.numbers, always, ""),
        (credentials.credentials, always, ""),
        (wallets.wallets, always, ""),
        (coordinates.coordinates, always, ""),
        (handles.handles, handles.FIRST_WORDS, "@/#"),
        (plates.plates, plates.FIRST_WORDS, ""),
        (postal.full_addresses, always, ""),
        (births.full_births, always, ""),
    )
