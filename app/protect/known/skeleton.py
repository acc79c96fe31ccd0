"""What a reader sees of a text: its letters and digits, without what makes equal words look different.

Case, diacritics, width, invisible characters, letters that look like Latin ones, and everything
between words are gone; where each letter stands in the text is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# Letters of other scripts, and rare Latin ones, that look like common Latin ones; after case is folded.
_ALIKE_PAIRS = (
    "аa вb еe кk мm нh оo рp сc тt уy хx іi јj ѕs ԁd ԛq ԝw һh ӏl ьb ԍg єe ѡw "
    "αa βb γy εe ζz ηh ιi κk μm νn οo ρp σo τt υy χx ϲc ϳj "
    "օo ոn սu հh յj ցg ıi ɩi ƨs ʋu ɡg ɑa ɪi"
)
_LOOKALIKES = {pair[0]: pair[1] for pair in _ALIKE_PAIRS.split()}
_DIGRAPHS = {"æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ŋ": "n"}
# Small Greek letters that read as another Latin letter than their capitals do, beside Latin ones only.
_BESIDE_LATIN = re.compile("(?<=[A-Za-z])[νυη]|[νυη](?=[A-Za-z])")
_SMALL = {"ν": "v", "υ": "u", "η": "n"}
# Letters by category that draw nothing.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5")
_LATIN_NAME = re.compile(
    r"(?:LATIN (?:SMALL|CAPITAL) LETTER|LATIN LETTER SMALL CAPITAL|SYMBOL LETTER)(?: DOTLESS)? ([A-Z])(?: WITH .*)?$"
)
_WORD = re.compile(r"[^\W_]+")
# Inside a token a word may also begin where a capital follows a small letter, or letters meet digits.
_TURN = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
# Signs that are read as one another: a text is searched with them merged, and a hit is then looked at closely.
_ALIKE = str.maketrans("i1034578", "lloeastb")
READ_AS = {"1": "il", "0": "o", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b"}


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The letters and digits of a text."""

    letters: str
    """Folded; nothing between them."""
    merged: str
    """The same, with signs that are read as one another merged; equally long."""
    places: Sequence[int]
    """Where each letter stands in the text."""
    starts: frozenset[int]
    """Before which letters something visible separates; the beginning and the end are among them."""
    turns: frozenset[int]
    """Where else a word may begin or end: `janeSmith`, `jane84`."""


class _Folded(dict[int, str]):
    """Code point → its form without case, marks and look; nothing for one that draws nothing."""

    def __missing__(self, code: int) -> str:
        self[code] = _fold(chr(code))
        return self[code]


class _Squeezed(dict[int, str]):
    """Code point → its folded letters and digits, merged."""

    def __missing__(self, code: int) -> str:
        self[code] = "".join(_WORD.findall(_FOLDED[code])).translate(_ALIKE)
        return self[code]


_FOLDED = _Folded()
_SQUEEZED = _Squeezed()
_ASCII_MERGED = bytes(range(256)).lower().translate(bytes.maketrans(b"i1034578", b"lloeastb"))
_ASCII_BETWEEN = bytes(code for code in range(128) if not chr(code).isalnum())


def _fold(char: str) -> str:
    if char in _BLANK:
        return ""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    return "".join(map(_fold_plain, plain))


def _fold_plain(char: str) -> str:
    if char.isascii():
        return char if char.isprintable() or char.isspace() else ""
    category = unicodedata.category(char)
    if category[0] == "M" or category == "Cf" or char in _BLANK or (category == "Cc" and not char.isspace()):
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if char in _LOOKALIKES or char in _DIGRAPHS:
        return _LOOKALIKES.get(char) or _DIGRAPHS[char]
    latin = _LATIN_NAME.search(unicodedata.name(char, ""))
    return latin[1].lower() if latin else char


def fold(text: str) -> str:
    """The text without what makes equal words look different; may be shorter or longer."""
    return _visible(text.lower()) if text.isascii() else _beside_latin(text).translate(_FOLDED)


def squeezed(text: str) -> str:
    """Only its folded letters and digits, merged: a cheap first look at whether something can occur."""
    if text.isascii():
        return text.encode().translate(_ASCII_MERGED, _ASCII_BETWEEN).decode()
    return _beside_latin(text).translate(_SQUEEZED)


def merge(letters: str) -> str:
    """Folded letters with signs that are read as one another merged."""
    return letters.translate(_ALIKE)


def folded_with_places(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and for each of its characters where it stands in the text."""
    if text.isascii() and _visible(text) is text:
        return text.lower(), range(len(text))
    parts = [_FOLDED[ord(char)] for char in _beside_latin(text)]
    return "".join(parts), [place for place, part in enumerate(parts) for _ in part]


def skeleton(text: str) -> Skeleton:
    """The skeleton of a text."""
    folded, where = folded_with_places(text)
    words: list[str] = []
    places: list[int] = []
    starts, length = {0}, 0
    for word in _WORD.finditer(folded):
        starts.add(length)
        words.append(word.group())
        places += where[word.start() : word.end()]
        length += word.end() - word.start()
    starts.add(length)
    letters = "".join(words)
    turning = {turn.start() for turn in _TURN.finditer(text)}
    turns = {at for at, place in enumerate(places) if place in turning} if turning else ()
    return Skeleton(letters, merge(letters), places, frozenset(starts), frozenset(turns))


_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")


def _visible(text: str) -> str:
    """An ASCII text without control characters; the same object where it has none."""
    return text if text.isprintable() or not _UNSEEN.search(text) else _UNSEEN.sub("", text)


def _beside_latin(text: str) -> str:
    """The same length, with small Greek letters among Latin ones read as what they look like."""
    return _BESIDE_LATIN.sub(lambda found: _SMALL[found.group()], text)
