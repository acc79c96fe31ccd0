"""A first look at a text: whether it may hold an identifier.

Most texts hold none. Words that say nothing are remembered, so that a text of known words costs one operation on sets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.protect.detect.spans import skeleton

# Nearly every identifier has one of these in one of its words.
_SIGN = re.compile(r"[\d@＠﹫:]")
# Most have an @, two colons, three digits close together, or are a British postal code or plate.
_DOOR = re.compile(r"[@＠﹫]|\d\D{0,4}\d\D{0,4}\d|:[\da-fA-F]{0,4}:|\d[A-Z]? \d[A-Z]{2}\b|\d\d ?[A-Z]{3}\b")
# The others have a word as long as a key, or stand beside one of these words (in small letters).
_KEY_CHARACTERS = 20
_CUES = (
    "pass", "pwd", "secret", "token", "kennwort", "contrase", "clave", "senha", "phrase", "mnemonic", "user", "handle",
    "nick", "insta", "telegram", "snap", "tiktok", "discord", "skype", "signal", "twitter", "t.me", "u/", "plate",
    "registration", "kennzeichen", "born", "birth", "dob", "geb", "naiss", "ne(e)", "naci", "nasc", "mdp",
    "key", "pin", "cvv", "otp", "parola", "wachtwoord", "haslo", "losenord", "schlussel", "jeton", "login", "alias",
    "placa", "plaque", "matricul", "usuario", "credential", "bearer", "linkedin", "reddit", "facebook", "///",
)  # fmt: skip
# Cues of two words, and the first word of one.
_TWO_WORDS = ("nee ", "ne le", "mot de")
_FIRST = re.compile(r"(?:^|[^a-z])(?:nee?|mot)$")
# Below this length a plain word is no identifier.
_WORD_CHARACTERS = 20

_PLAIN, _CUED, _SIGNED, _LONG, _BEGINS = range(5)
_REMEMBERED = 20_000
_plain: set[str] = set()


def may_hold_identifier(text: str) -> bool:
    """Whether a text is worth searching: a look so cheap that every text can have it."""
    words = text.split()
    if _plain.issuperset(words) or (len(text) < _WORD_CHARACTERS and text.replace("_", "").isalpha()):
        return False
    kinds = {_kind(word) for word in words if word not in _plain}
    if _LONG in kinds or _CUED in kinds:
        return True
    return (_SIGNED in kinds and _DOOR.search(text) is not None) or (_BEGINS in kinds and _has_two_words(words))


def _kind(word: str) -> int:
    """What a word may tell; one that tells nothing is remembered."""
    if len(word) >= _KEY_CHARACTERS:
        return _LONG
    # Letters of other alphabets, of other widths and with accents are looked at in their plain form.
    small = (word if word.isascii() else skeleton(word)[0]).lower()
    if any(map(small.__contains__, _CUES)):
        return _CUED
    if _SIGN.search(word):
        return _SIGNED
    if _FIRST.search(small):
        return _BEGINS
    if len(_plain) >= _REMEMBERED:
        _plain.clear()
    _plain.add(word)
    return _PLAIN


def _has_two_words(words: Sequence[str]) -> bool:
    text = " ".join(words)
    small = (text if text.isascii() else skeleton(text)[0]).lower()
    return any(map(small.__contains__, _TWO_WORDS))
