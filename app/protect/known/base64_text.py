"""What a value looks like inside base64.

Three bytes become four characters, so a value has one of three looks, by how many bytes stand before it. Searching for
these finds it inside longer encoded texts without decoding any.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# In the usual alphabet and in the one for addresses; in one line or in several.
_RUN = re.compile(r"[A-Za-z0-9+/_-]{4,}(?:\r?\n[A-Za-z0-9+/_-]+)*={0,2}")
_FOR_ADDRESSES = str.maketrans("+/", "-_")
_USUAL = str.maketrans("-_", "+/", "=\r\n")
# Of a value that begins 0, 1 or 2 bytes after a group of three, so many characters depend on what stands before it.
_SHARED = (0, 2, 3)
# So many characters say enough by themselves; fewer may stand in a word by chance.
_CERTAIN = 8
_FEWEST = 3


class Look(NamedTuple):
    """Characters that hold a value, and how far behind the beginning of a group of four they begin."""

    line: str
    shared: int


def looks_of(texts: Iterable[str]) -> tuple[Look, ...]:
    """The looks of texts as they are, in small letters, in capitals, and as titles."""
    found: dict[Look, None] = {}
    for written in {form for text in texts for form in (text, text.lower(), text.upper(), text.title())}:
        for form in (written,) if written.isascii() else _normal_forms(written):
            data = form.encode("utf-8", "replace")
            for offset, shared in enumerate(_SHARED):
                line = binascii.b2a_base64(bytes(offset) + data, newline=False).decode()
                line = line[shared : (offset + len(data)) * 8 // 6]
                if len(line) >= _FEWEST:
                    found[Look(line, shared)] = None
                    if "+" in line or "/" in line:
                        found[Look(line.translate(_FOR_ADDRESSES), shared)] = None
    return tuple(found)


def unwrapped(text: str) -> str:
    """A text without line breaks, in which looks are searched."""
    return text.replace("\r", "").replace("\n", "") if "\n" in text else text


def stretches(look: Look, text: str) -> Iterator[tuple[int, int]]:
    """Where base64 stands in a text that holds a value of this look."""
    for run in _RUN.finditer(text):
        written = unwrapped(run.group())
        at = written.find(look.line)
        if at >= 0 and (len(look.line) >= _CERTAIN or _is_text(written[(at - look.shared) % 4 :])):
            yield run.span()


def _normal_forms(text: str) -> set[str]:
    return {text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)}


def _is_text(line: str) -> bool:
    """Whether base64 that begins with a whole group says something that people read."""
    line = line.translate(_USUAL)
    line = line[: len(line) - (len(line) % 4 == 1)]
    data = binascii.a2b_base64(line + "=" * (-len(line) % 4))
    said = data.decode("utf-8", "ignore")
    # A letter may be cut in two at either end.
    return len(said.encode()) >= len(data) - 3 and all(char.isprintable() or char.isspace() for char in said)
