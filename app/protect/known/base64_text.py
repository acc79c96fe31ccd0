"""What a value looks like inside base64.

Three bytes become four characters, so a value has one of three looks, by how many bytes stand before it. Searching for
these finds it inside longer encoded texts without decoding any.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import partial

# In the usual alphabet and in the one for addresses; in one line or in several.
_RUN = re.compile(r"[A-Za-z0-9+/_-]{4,}(?:\r?\n[A-Za-z0-9+/_-]+)*={0,2}")
_FOR_ADDRESSES = str.maketrans("+/", "-_")
_USUAL = str.maketrans("-_", "+/", "=\r\n")
# How many first characters depend on what stands before a value that begins 0, 1 or 2 bytes after a group of three.
_OFFSETS = ((0, 0), (1, 2), (2, 3))
_BEFORE = (b"", b"\0", b"\0\0")
# The fewest characters that are specific by themselves; fewer may stand in a word by chance.
_CERTAIN = 8
_FEWEST = 3
_plain_one = re.compile(r"(?<![^ ])(?![^ ]*[A-Za-z0-9+/][A-SU-Y])[^ ]").search
_encoded = partial(binascii.b2a_base64, newline=False)

Look = tuple[str, int]
"""Characters that hold a value, and how far behind the beginning of a group of four they begin."""


def looks_of(texts: Iterable[str]) -> list[Look]:
    """The looks of texts as they are, and of words in small letters and in capitals as well."""
    found: list[Look] = []
    for text in texts:
        for form in {text, text.lower(), text.upper()} if text.isalpha() else (text,):
            for data in (form.encode(),) if form.isascii() else _normal_forms(form):
                for offset, shared in _OFFSETS:
                    line = _encoded(_BEFORE[offset] + data)[shared : (offset + len(data)) * 8 // 6].decode()
                    found.append((line, shared))
                    if "+" in line or "/" in line:
                        found.append((line.translate(_FOR_ADDRESSES), shared))
    return [look for look in found if len(look[0]) >= _FEWEST]


def without_capital_inside(looks: list[Look]) -> list[Look]:
    """Those of the looks that can stand in a text without capitals inside words."""
    if _plain_one(" ".join([line for line, _ in looks])) is None:
        return []
    return [look for look in looks if _plain_one(look[0])]


def unwrapped(text: str) -> str:
    """A text without line breaks, in which looks are searched."""
    return text.replace("\r", "").replace("\n", "") if "\n" in text else text


def stretches(look: Look, text: str) -> Iterator[tuple[int, int]]:
    """Where base64 stands in a text that holds a value of this look."""
    line, shared = look
    for run in _RUN.finditer(text):
        written = unwrapped(run.group())
        at = written.find(line)
        if at >= 0 and (len(line) >= _CERTAIN or _is_text(written[(at - shared) % 4 :])):
            yield run.span()


def _normal_forms(text: str) -> set[bytes]:
    return {unicodedata.normalize(form, text).encode("utf-8", "replace") for form in ("NFC", "NFD")}


def _is_text(line: str) -> bool:
    """Whether base64 that begins with a whole group says something that people read."""
    line = line.translate(_USUAL)
    line = line[: len(line) - (len(line) % 4 == 1)]
    data = binascii.a2b_base64(line + "=" * (-len(line) % 4))
    said = data.decode("utf-8", "ignore")
    # A letter may be cut in two at either end.
    return len(said.encode()) >= len(data) - 3 and all(char.isprintable() or char.isspace() for char in said)
