"""`safe_text`: the one way by which stored text becomes text for a terminal.

Every code point maps to exactly one code point, so that offsets into a text stay valid.
Control characters become their pictures (U+2400…), what is invisible becomes a middle dot,
what cannot be encoded becomes U+FFFD. `hidden_characters` counts what was made visible.
"""

from __future__ import annotations

import re
from functools import cache
from operator import ne
from typing import NewType

Safe = NewType("Safe", str)

_INVISIBLE = "\u00b7"
_BROKEN = "\ufffd"

# Unicode 15 category Cf, variation selectors, and letters that draw nothing: of the first plane, and above it.
_INVISIBLE_LOW = (
    "\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
)
_INVISIBLE_HIGH = (
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# C1 controls, lone surrogates, noncharacters.
_BROKEN_LOW = "\x80-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
_BROKEN_HIGH = "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
_CONTROLS = "\x00-\x09\x0b-\x1f\x7f\u2028\u2029"
_UNSAFE_LOW = f"{_CONTROLS}{_INVISIBLE_LOW}{_BROKEN_LOW}"
# A class that ends with the first plane is one look-up a character; ranges above it are tried one by one. So
# everything above is suspect at first, and looked at closely where there is any.
_SUSPECT = re.compile(f"[{_UNSAFE_LOW}\U00010000-\U0010ffff]")
# One character that is replaced, floods of marks aside.
UNSAFE = re.compile(f"[{_UNSAFE_LOW}{_INVISIBLE_HIGH}{_BROKEN_HIGH}]")
_INVISIBLE_CLASS = re.compile(f"[{_INVISIBLE_LOW}{_INVISIBLE_HIGH}]")
# So many different unsafe characters are replaced one after the other, more of them by a table.
_FEW = 64
# So many marks a letter carries.
_FULL = 4

# Marks that stand on the letter before (categories Mn and Me of the first plane). A letter carries four at most;
# more of them climb over the neighbouring lines.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1-\u05c2\u05c4-\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7-\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u07a6-\u07b0\u07eb-\u07f3\u07fd"
    "\u0816-\u0819\u081b-\u0823\u0825-\u0827\u0829-\u082d\u0859-\u085b\u0898-\u089f\u08ca-\u08e1\u08e3-\u0902\u093a"
    "\u093c\u0941-\u0948\u094d\u0951-\u0957\u0962-\u0963\u0981\u09bc\u09c1-\u09c4\u09cd\u09e2-\u09e3\u09fe-\u0a02"
    "\u0a3c\u0a41-\u0a51\u0a70-\u0a71\u0a75\u0a81-\u0a82\u0abc\u0ac1-\u0ac8\u0acd\u0ae2-\u0ae3\u0afa-\u0b01\u0b3c"
    "\u0b3f\u0b41-\u0b44\u0b4d-\u0b56\u0b62-\u0b63\u0b82\u0bc0\u0bcd\u0c00\u0c04\u0c3c\u0c3e-\u0c40\u0c46-\u0c56"
    "\u0c62-\u0c63\u0c81\u0cbc\u0cbf\u0cc6\u0ccc-\u0ccd\u0ce2-\u0ce3\u0d00-\u0d01\u0d3b-\u0d3c\u0d41-\u0d44\u0d4d"
    "\u0d62-\u0d63\u0d81\u0dca\u0dd2-\u0dd6\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd"
    "\u0f18-\u0f19\u0f35\u0f37\u0f39\u0f71-\u0f7e\u0f80-\u0f84\u0f86-\u0f87\u0f8d-\u0fbc\u0fc6\u102d-\u1030"
    "\u1032-\u1037\u1039-\u103a\u103d-\u103e\u1058-\u1059\u105e-\u1060\u1071-\u1074\u1082\u1085-\u1086\u108d\u109d"
    "\u135d-\u135f\u1712-\u1714\u1732-\u1733\u1752-\u1753\u1772-\u1773\u17b7-\u17bd\u17c6\u17c9-\u17d3\u17dd"
    "\u1885-\u1886\u18a9\u1920-\u1922\u1927-\u1928\u1932\u1939-\u193b\u1a17-\u1a18\u1a1b\u1a56\u1a58-\u1a60\u1a62"
    "\u1a65-\u1a6c\u1a73-\u1a7f\u1ab0-\u1b03\u1b34\u1b36-\u1b3a\u1b3c\u1b42\u1b6b-\u1b73\u1b80-\u1b81\u1ba2-\u1ba5"
    "\u1ba8-\u1ba9\u1bab-\u1bad\u1be6\u1be8-\u1be9\u1bed\u1bef-\u1bf1\u1c2c-\u1c33\u1c36-\u1c37\u1cd0-\u1cd2"
    "\u1cd4-\u1ce0\u1ce2-\u1ce8\u1ced\u1cf4\u1cf8-\u1cf9\u1dc0-\u1dff\u20d0-\u20f0\u2cef-\u2cf1\u2d7f\u2de0-\u2dff"
    "\u302a-\u302d\u3099-\u309a\ua66f-\ua672\ua674-\ua67d\ua69e-\ua69f\ua6f0-\ua6f1\ua802\ua806\ua80b\ua825-\ua826"
    "\ua82c\ua8c4-\ua8c5\ua8e0-\ua8f1\ua8ff\ua926-\ua92d\ua947-\ua951\ua980-\ua982\ua9b3\ua9b6-\ua9b9\ua9bc-\ua9bd"
    "\ua9e5\uaa29-\uaa2e\uaa31-\uaa32\uaa35-\uaa36\uaa43\uaa4c\uaa7c\uaab0\uaab2-\uaab4\uaab7-\uaab8\uaabe-\uaabf"
    "\uaac1\uaaec-\uaaed\uaaf6\uabe5\uabe8\uabed\ufb1e\ufe20-\ufe2f"
)


@cache
def _mark_flood() -> re.Pattern[str]:
    # One mark first: then the search looks for that alone. Made when first needed, for it takes two milliseconds.
    return re.compile(f"([{_MARKS}][{_MARKS}]{{{_FULL - 1}}})[{_MARKS}]+")


def safe_text(text: str) -> Safe:
    """The text with everything that could act on a terminal made visible. Newlines stay."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return Safe(text)
    if _SUSPECT.search(text):
        text = _made_visible(text)
    return Safe(text if text.isascii() else _thinned(text))


def safe_line(text: str) -> Safe:
    """Like `safe_text`, on one line: a newline becomes its picture."""
    return Safe(safe_text(text).replace("\n", "\u2424"))


def safe_json(document: str) -> Safe:
    """JSON with everything that could act on a terminal written as an escape; it means the same.

    JSON itself lets C1 controls, bidi overrides and other format characters through as they are.
    """
    if document.isascii() and "\x7f" not in document:
        return Safe(document)
    return Safe(UNSAFE.sub(_escape, document))


def hidden_characters(text: str) -> int:
    """How many characters `safe_text` had to make visible; tabs do not count."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return 0
    n = 0
    if _SUSPECT.search(text):
        before, few, text = text, _unsafe_in(text), _made_visible(text)
        n = sum(map(before.count, few)) if len(few) <= _FEW else sum(map(ne, before, text))
        n -= before.count("\t")
    return n if text.isascii() else n + sum(len(run.group()) - _FULL for run in _mark_flood().finditer(text))


def _unsafe_in(text: str) -> list[str]:
    """The different unsafe characters of a text."""
    return UNSAFE.findall("".join(set(text)))


def _made_visible(text: str) -> str:
    """Each unsafe character replaced by what stands for it."""
    unsafe = _unsafe_in(text)
    if len(unsafe) > _FEW:
        return text.translate({ord(char): char for char in set(text)} | {ord(char): _picture(char) for char in unsafe})
    for char in unsafe:
        text = text.replace(char, _picture(char))
    return text


def _thinned(text: str) -> str:
    """Every mark behind the fourth on one letter made a dot."""
    return _mark_flood().sub(lambda run: run.group(1) + _INVISIBLE * (len(run.group()) - _FULL), text)


def _picture(char: str) -> str:
    """What stands for an unsafe character."""
    code = ord(char)
    if code == 0x09:
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code in (0x2028, 0x2029):
        return "\u2424"
    return _INVISIBLE if _INVISIBLE_CLASS.match(char) else _BROKEN


def _escape(hit: re.Match[str]) -> str:
    code = ord(hit.group())
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"
