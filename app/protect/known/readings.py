"""What a text says once its encodings are undone: percent-encoding, HTML entities and markup, backslash escapes,
quoted-printable.

Each reading keeps where its characters stand in the text, so that a hit in it can be masked there.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

# How many layers of encodings within encodings are undone.
_DEPTH = 3
_LONGEST_TAG = 500

# With one of these everything that is written otherwise begins.
_BEGINNING = re.compile(r"[%=&\\<\x1b\[*~_`]")
_WRITTEN = re.compile(
    r"(?P<percent>(?:%[0-9A-Fa-f]{2})+)"
    r"|(?P<quoted>(?:=[0-9A-F]{2}){2,}|=(?:20|2E|2D|5F))"
    r"|(?P<wide>%u[0-9A-Fa-f]{4})"
    r"|(?P<entity>&(?:\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)"
    r"|(?P<escape>\\(?:u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|[0-7]{3}))"
    r"|(?P<space>\\[nrtbfv])"
    r"|(?P<plain>\\[\\/\"'])"
    # Nothing is drawn for these: tags, comments, colours of a terminal, soft line breaks, emphasis inside a word.
    rf"|(?P<nothing></?[A-Za-z][^<>]{{0,{_LONGEST_TAG}}}>|<!--[^<>]{{0,{_LONGEST_TAG}}}-->|\x1b\[[0-9;]*[A-Za-z]"
    r"|\[/?[A-Za-z]{1,10}(?:=[^\]\s]{0,100})?\]|=\r?\n|(?<=\w)(?:\*{1,3}|~~|__|`{1,3})(?=\w))"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it reads, and where each of its characters begins and ends in the text it was written as."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def readings(text: str) -> Iterator[Reading]:
    """The text with one layer of encodings undone, with two, and so on, as long as that changes anything."""
    now = text
    starts: Sequence[int] = range(len(text))
    ends: Sequence[int] = range(1, len(text) + 1)
    for _ in range(_DEPTH):
        undone = _undone(now)
        if undone is None:
            return
        now = undone.text
        starts = [starts[at] for at in undone.starts]
        ends = [ends[at - 1] for at in undone.ends]
        yield Reading(now, starts, ends)


def may_be_encoded(text: str) -> bool:
    """Whether a text may have another reading; cheap."""
    return _BEGINNING.search(text) is not None


def _undone(text: str) -> Reading | None:
    """One layer undone; None where there is nothing to undo."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    end = 0
    for sign in _BEGINNING.finditer(text):
        found = _WRITTEN.match(text, sign.start()) if sign.start() >= end else None
        if found is None:
            continue
        start, after = found.span()
        parts.append(text[end:start])
        starts += range(end, start)
        ends += range(end + 1, start + 1)
        said = _said(found)
        parts.append(said)
        starts += [start] * len(said)
        ends += [after] * len(said)
        end = after
    if not end:
        return None
    parts.append(text[end:])
    starts += range(end, len(text))
    ends += range(end + 1, len(text) + 1)
    return Reading("".join(parts), starts, ends)


def _said(found: re.Match[str]) -> str:
    """What an encoded stretch stands for."""
    written = found.group()
    match found.lastgroup:
        case "percent":
            return unquote_to_bytes(written).decode("utf-8", "replace")
        case "quoted":
            return bytes.fromhex(written.replace("=", "")).decode("utf-8", "replace")
        case "entity":
            return html.unescape(written)
        case "wide":
            return _char(written[2:], 16)
        case "escape":
            digits = written[1:] if written[1].isdigit() else written[2:].strip("{}")
            return _char(digits, 8 if written[1].isdigit() else 16)
        case "space":
            return " "
        case "plain":
            return written[1]
    return ""


def _char(digits: str, base: int) -> str:
    """A character by its number; nothing for half of a pair, and for none."""
    number = int(digits, base)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else ""
