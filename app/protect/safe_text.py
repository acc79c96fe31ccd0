"""`safe_text`: the one way by which stored text becomes text for a terminal.

Every code point maps to exactly one code point, so that offsets into a text stay valid.
Control characters become their pictures (U+2400…), what is invisible becomes a middle dot,
what cannot be encoded becomes U+FFFD. `hidden_characters` counts what was made visible.
"""

from __future__ import annotations

import re
from typing import NewType

Safe = NewType("Safe", str)

_INVISIBLE = "\u00b7"
_BROKEN = "\ufffd"

# Unicode 15 category Cf, variation selectors, tags, and letters that draw nothing.
_INVISIBLE_RANGES = (
    "\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
# C1 controls, lone surrogates, noncharacters.
_BROKEN_RANGES = "\x80-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000)
)
_SEPARATORS = "\u2028\u2029"
_UNSAFE = re.compile(f"[\x00-\x09\x0b-\x1f\x7f{_SEPARATORS}{_INVISIBLE_RANGES}{_BROKEN_RANGES}]")
_INVISIBLE_CLASS = re.compile(f"[{_INVISIBLE_RANGES}]")

# A base letter carries four marks at most; more of them climb over the neighbouring lines.
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_MARK_FLOOD = re.compile(f"(?<=[{_MARKS}]{{4}})[{_MARKS}]+")


def safe_text(text: str) -> Safe:
    """The text with everything that could act on a terminal made visible. Newlines stay."""
    if text.isascii() and text.isprintable():
        return Safe(text)
    text = _UNSAFE.sub(_picture, text)
    return Safe(_MARK_FLOOD.sub(lambda run: _INVISIBLE * len(run.group()), text))


def safe_line(text: str) -> Safe:
    """Like `safe_text`, on one line: a newline becomes its picture."""
    return Safe(safe_text(text).replace("\n", "\u2424"))


def hidden_characters(text: str) -> int:
    """How many characters `safe_text` had to make visible; tabs do not count."""
    if text.isascii() and text.isprintable():
        return 0
    return sum(shown != char != "\t" for char, shown in zip(text, safe_text(text), strict=True))


def _picture(hit: re.Match[str]) -> str:
    char = hit.group()
    code = ord(char)
    if code == 0x09:
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if char in _SEPARATORS:
        return "\u2424"
    return _INVISIBLE if _INVISIBLE_CLASS.match(char) else _BROKEN
