"""Tokens as explainers name them, and the words of the text they stand for.

Tokenisers mark pieces of words (`##ing`, `Ġword`, `▁word`, `word</w>`, `wo@@`), write bytes as signs (`Ã©`), and add
tokens that stand for nothing (`[CLS]`). LIME may put offsets behind a word (`no_17-26`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Edge(Enum):
    """What must stand at an end of a token: the end of a word, the rest of one, or either."""

    WORD = "word"
    INSIDE = "inside"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Token:
    """A token's words, and how it may stand. `special`: it stands for nothing in the text."""

    text: str
    before: Edge = Edge.WORD
    after: Edge = Edge.WORD
    special: bool = False


_SPECIAL = re.compile(
    r"\[(?:CLS|SEP|PAD|MASK|UNK|BOS|EOS)\]|</?s>|<(?:pad|unk|mask|bos|eos|cls|sep)>|<\|[\w ]{1,40}\|>", re.IGNORECASE
)
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_POSITIONS = re.compile(r"(?s)(.+)_(\d{1,9}(?:-\d{1,9})*)")
# The most tokens over which one character of four bytes is spread.
_MOST_BYTES = 4


def is_special(text: str) -> bool:
    """Whether a token stands for nothing that could be marked: a sign of the tokeniser, or blanks."""
    return not text.strip() or _SPECIAL.fullmatch(text.strip()) is not None


def marked(texts: Sequence[str]) -> bool:
    """Whether the tokens carry the marks of pieces of words."""
    return _family(texts) is not None or any(_BYTE.fullmatch(text) for text in texts)


def tokens(texts: Sequence[str]) -> list[Token]:
    """The tokens behind their marks. Bytes of one character that several tokens share are that character in each."""
    family = _family(texts)
    read = [_token(text, family) for text in texts]
    raw = [_bytes(text, family) for text in texts]
    at = 0
    while at < len(read):
        size = 1
        if raw[at] is not None and not _decodes(raw[at : at + 1]):
            sizes = range(2, _MOST_BYTES + 1)
            size = next((n for n in sizes if _decodes(raw[at : at + n])), 1)
            if size > 1:
                whole = b"".join(part or b"" for part in raw[at : at + size]).decode()
                beginning = read[at].before
                read[at : at + size] = [Token(whole.strip(), beginning, Edge.ANY)] * size
        at += size
    return read


def positions(text: str) -> tuple[str, list[int]] | None:
    """A word and where it begins, from LIME's `no_17-26`."""
    found = _POSITIONS.fullmatch(text)
    return (found[1], [int(place) for place in found[2].split("-")]) if found else None


def _family(texts: Sequence[str]) -> str | None:
    """Which marks the list uses; only one kind is used in a list."""
    for text in texts:
        if text.startswith("##") and len(text) > 2:
            return "##"
        if text.startswith(("Ġ", "Ċ")):
            return "Ġ"
        if text.startswith("▁"):
            return "▁"
        if text.endswith("</w>"):
            return "</w>"
        if text.endswith("@@") and len(text) > 2:
            return "@@"
    return None


def _token(text: str, family: str | None) -> Token:
    if is_special(text):
        return Token(text.strip(), special=True)
    match family:
        case "##":
            piece = text.startswith("##") and len(text) > 2
            return Token(text[2:] if piece else text, Edge.INSIDE if piece else Edge.WORD, Edge.ANY)
        case "Ġ":
            whole = (_bytes(text, family) or b"").decode("utf-8", "ignore")
            return _beginning(whole.strip(), whole[:1].isspace())
        case "▁":
            return _beginning(text.lstrip("▁"), text.startswith("▁"))
        case "</w>":
            ends = text.endswith("</w>")
            return Token(text.removesuffix("</w>"), Edge.ANY, Edge.WORD if ends else Edge.ANY)
        case "@@":
            goes_on = text.endswith("@@")
            return Token(text.removesuffix("@@"), Edge.ANY, Edge.INSIDE if goes_on else Edge.ANY)
        case _:
            return Token(text.strip())


def _beginning(text: str, begins: bool) -> Token:
    return Token(text, Edge.WORD if begins else Edge.ANY, Edge.ANY, special=not text)


def _bytes(text: str, family: str | None) -> bytes | None:
    """The bytes of a token that writes them as signs; None for any other."""
    if found := _BYTE.fullmatch(text):
        return bytes([int(found[1], 16)])
    if family != "Ġ" or not all(char in _SIGNS for char in text):
        return None
    return bytes(_SIGNS[char] for char in text)


def _decodes(parts: Sequence[bytes | None]) -> bool:
    if None in parts:
        return False
    try:
        b"".join(part or b"" for part in parts).decode()
    except UnicodeDecodeError:
        return False
    return True


def _signs_of_bytes() -> dict[str, int]:
    """How byte-level tokenisers (GPT-2) write bytes: printable ones as they are, others from U+0100 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in set(printable)]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + at): byte for at, byte in enumerate(others)}


_SIGNS = _signs_of_bytes()
