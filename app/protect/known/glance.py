"""A first look at a text, so cheap that every record can have it: what need not be searched in it any closer."""

from __future__ import annotations

from dataclasses import dataclass

# One of these is in every text that has another reading (`app.protect.known.readings`).
_SIGNS = frozenset("%&<\\\x1b*~`=")
# Almost all base64 has a capital inside a word, and few texts have one. T and Z, which times have, do not count.
CAPITALS = frozenset("ABCDEFGHIJKLMNOPQRSUVWXY")
_SIGN, _CAPITAL, _INSIDE = b"S", b"A", b"a"


def _kind(char: str) -> bytes:
    if char in _SIGNS:
        return _SIGN
    if char in CAPITALS:
        return _CAPITAL
    return _INSIDE if char.isalnum() or char in "+/" else b" "


_KINDS = b"".join(_kind(chr(code)) for code in range(128)) + b" " * 128


@dataclass(frozen=True, slots=True)
class Glance:
    """What there is in a text."""

    encoded: bool
    """Signs of encodings or markup."""
    capital_inside: bool
    """A capital inside a word."""


def glance(text: str) -> Glance:
    """The first look."""
    kinds = text.encode("utf-8", "replace").translate(_KINDS)
    return Glance(_SIGN in kinds or "[/" in text, _INSIDE + _CAPITAL in kinds or _CAPITAL * 2 in kinds)
