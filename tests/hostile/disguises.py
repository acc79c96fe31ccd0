"""Ways of writing a value, by the names that `docs/protection.md` gives them."""

from __future__ import annotations

import base64
import codecs
import unicodedata
from collections.abc import Callable
from urllib.parse import quote

_ALIKE = str.maketrans("aeopcxijsAEOPCXIJSHKMTBY", "аеорсхіјѕАЕОРСХІЈЅНКМТВУ")
_WIDE = {code: code + 0xFEE0 for code in range(33, 127)}
_MARKS = {"a": "a\u0301", "e": "e\u0300", "o": "o\u0302", "i": "i\u0308", "u": "u\u030a"}


def _between(sign: str) -> Callable[[str], str]:
    return lambda value: sign.join(value)


def _halves(value: str, before: str, after: str) -> str:
    """The longest word with something in its middle, and something behind it."""
    word = max(value.split(), key=len)
    middle = len(word) // 2
    return value.replace(word, word[:middle] + before + word[middle:] + after)


def _longest_word(value: str) -> str:
    return max(value.replace("@", " ").split(), key=len).rstrip(",.")


WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "in small letters": str.lower,
    "one word of several": _longest_word,
    "letters spaced": _between(" "),
    "letters hyphenated": _between("-"),
    "over a line's end": lambda value: value.replace(" ", "\r\n\t"),
    "look-alike letters": lambda value: value.translate(_ALIKE),
    "full width": lambda value: value.translate(_WIDE),
    "accents as marks of their own": lambda v: unicodedata.normalize("NFD", "".join(_MARKS.get(c, c) for c in v)),
    "invisible characters inside": _between("\u200b"),
    "percent-encoded": lambda value: quote(value, safe=""),
    "percent-encoded throughout": lambda value: "".join(f"%{byte:02X}" for byte in value.encode()),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 of a longer text": lambda value: base64.b64encode(f"to {value}, as agreed".encode()).decode().rstrip("="),
    "split by markup": lambda value: _halves(value, "<b>", "</b>"),
    "HTML entities": lambda value: "".join(f"&#{ord(char)};" for char in value),
    "backslash escapes": lambda value: "".join(f"\\u{ord(char):04x}" for char in value),
    "quoted-printable": lambda value: "".join(f"={byte:02X}" for byte in value.encode()),
    "in an e-mail address": lambda value: f"q.{_joined(value)}@example.org",
    "in a path": lambda value: f"/srv/files/{_joined(value)}/scan.pdf",
    "in a link": lambda value: f"https://example.org/p/{_joined(value)}?view=1",
    "hexadecimal": lambda value: value.encode().hex(),
    "backwards": lambda value: value[::-1],
    "letters shifted (ROT13)": lambda value: codecs.encode(value, "rot13"),
    "a letter left out of each word": lambda value: " ".join(word[:2] + word[3:] for word in value.split()),
}


def _joined(value: str) -> str:
    return value.replace("@", "-at-").replace(", ", "-").replace(" ", "-").replace("/", "-").replace("+", "")
