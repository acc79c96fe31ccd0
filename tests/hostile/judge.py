"""An independent judge: could a person still read a value in a document?

It shares nothing with the scrubber. Where that folds and compares exactly, this transliterates by the
letters' Unicode names and its own eyes, and compares roughly, with rapidfuzz.
"""

from __future__ import annotations

import base64
import calendar
import html
import itertools
import quopri
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

from rapidfuzz import fuzz

# What capitals and small letters of other scripts look like, case by case.
_EYES = {
    **dict(zip("АВЕЗКМНОРСТУХІЈЅԀԚԜҺӀ", "ABE3KMHOPCTYXIJSDQWHI", strict=True)),
    **dict(zip("аеорсухіјѕԁԛԝһӏкмтвн", "aeopcyxijsdqwhlkmtbh", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True)),
    **dict(zip("αικνορτυχη", "aikvoptuxn", strict=True)),
    "ß": "ss",
    "ẞ": "SS",
    "æ": "ae",
    "Æ": "AE",
    "œ": "oe",
    "þ": "th",
    "ð": "d",
    "ı": "i",
}
_NAMED = re.compile(r"LETTER (?:SMALL CAPITAL )?([A-Z])\b")
_MASK = re.compile(r"\[withheld: [^\]]*\]")
_SINGLE = re.compile(r"(?<![^\W_])(?:[^\W_][\W_]{1,3}){2,}[^\W_](?![^\W_])")
_PHONE = re.compile(r"\d(?:[\s().+/\-–]*\d){6,}")


def read_name(document: str, name: str) -> list[str]:
    """What of a person's name can be read: the whole, in either order, and each part."""
    text = _visible(document)
    parts = [part for part in re.split(r"[\s,]+", _visible(name).casefold()) if part]
    found = [part for part in parts if len(part) >= 3 and _word_is_there(part, text)]
    orders = {tuple(parts), tuple(reversed(parts)), (parts[0][0], parts[-1])}
    joined = ("".join(order) for order in orders if len(order) > 1)
    return [*found, *(order for order in joined if len(order) >= 5 and _stream_has(order, text))]


def read_number(document: str, number: str) -> bool:
    """Whether a telephone number can be read, in any grouping: its last seven digits or more."""
    tail = re.sub(r"\D", "", number)[-max(7, len(re.sub(r"\D", "", number)) - 3) :]
    runs = (re.sub(r"\D", "", run) for run in _PHONE.findall(unicodedata.normalize("NFKC", _MASK.sub(" ◆ ", document))))
    return any(tail in run for run in runs)


def read_date(document: str, year: int, month: int, day: int) -> bool:
    """Whether a day can be read: its three numbers next to one another, the month also by name."""
    text = unicodedata.normalize("NFKC", _MASK.sub(" ◆ ", document)).casefold()
    if any(written in text for written in (f"{year}{month:02}{day:02}", f"{day:02}{month:02}{year}")):
        return True
    names = {calendar.month_name[month].casefold(), calendar.month_abbr[month].casefold(), str(month), f"{month:02}"}
    wanted = ({str(day), f"{day:02}"}, names, {str(year), f"{year % 100:02}"})
    words = [
        word for word in re.findall(r"\d+|[^\W\d_]+|◆", text) if word not in ("th", "st", "nd", "rd", "of", "the", "t")
    ]
    triples = zip(words, words[1:], words[2:], strict=False)
    return any(
        all(word in one for word, one in zip(triple, order, strict=True))
        for triple in triples
        for order in itertools.permutations(wanted)
    )


def read_words(document: str, words: str) -> bool:
    """Whether words can be read, however they are separated."""
    return _squeezed(_visible(words)) in _squeezed(_visible(document))


def _visible(document: str) -> str:
    """What the eye sees in Latin letters; a mark where something was taken out."""
    return "".join(map(_letter, _MASK.sub(" ◆ ", document)))


def _letter(char: str) -> str:
    if char in _EYES or char.isascii():
        return _EYES.get(char, char)
    if unicodedata.category(char) in ("Cf", "Mn", "Me", "Cc"):
        return "" if not char.isspace() else " "
    compatible = unicodedata.normalize("NFKD", char)
    if compatible != char:
        return "".join(_letter(part) for part in compatible if part != char)
    named = _NAMED.search(unicodedata.name(char, ""))
    return named[1].lower() if named and "LATIN" in unicodedata.name(char) else char


def _squeezed(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _words(text: str) -> Iterator[str]:
    """Words of letters, also those in camel case, and what is spelt letter by letter."""
    yield from re.findall(r"[^\W\d_]+", text.casefold())
    yield from re.findall(r"[A-Z]?[a-z]+", text)
    for run in _SINGLE.findall(text):
        yield _squeezed(run)


def _word_is_there(part: str, text: str) -> bool:
    """Whether a word of the text is this one, or nearly: with a plural's or possessive's s, or one letter of twelve."""
    squeezed = _squeezed(part)
    if not part.isascii() and squeezed in _squeezed(text):
        return True
    return any(
        word in (squeezed, squeezed + "s") or (len(squeezed) >= 6 and fuzz.ratio(word, squeezed) >= 92)
        for word in map(str.casefold, _words(text))
    )


def _stream_has(name: str, text: str) -> bool:
    """Whether the letters of the name follow one another, whatever stands between; or nearly."""
    stream, name = _squeezed(text.replace("◆", " ")), _squeezed(name)
    return name in stream or (len(name) >= 8 and fuzz.partial_ratio(name, stream) >= 95)


def read_anywhere(document: str, words: list[str]) -> list[str]:
    """Which of the words can be read in a document, as it stands or by undoing encodings, two of a kind at most."""
    undone = [document, *(undo(undo(document)) for undo in (unquote, _without_markup, _unescaped, _unquoted))]
    streams = [_squeezed(_visible(text)) for text in dict.fromkeys(undone)]
    decoded = "\n".join(_decoded(document)).casefold()
    # In base64 of something else the first and last letter may be cut.
    return [w for w in words if w[1:-1] in decoded or any(_squeezed(_visible(w)) in stream for stream in streams)]


def _without_markup(document: str) -> str:
    return html.unescape(re.sub(r"<[^<>]*>", "", document))


def _unescaped(document: str) -> str:
    return re.sub(r"\\+u([0-9a-fA-F]{4})", lambda hit: chr(int(hit[1], 16)), document)


def _unquoted(document: str) -> str:
    return quopri.decodestring(document.encode()).decode("utf-8", "replace")


def _decoded(document: str) -> Iterator[str]:
    """Everything that looks like base64, decoded from each of its first four characters."""
    for run in re.findall(r"[A-Za-z0-9+/_-]{8,}", document):
        for skipped in range(4):
            line = run[skipped:].replace("-", "+").replace("_", "/")
            yield base64.b64decode(line[: len(line) // 4 * 4]).decode("latin-1")


def disguised_in(content: bytes, head: str) -> bytes | None:
    """A stretch of bytes in which words can be read that begin so, in one of the usual disguises; quick enough for
    whole files. `head`: ASCII letters that nothing else has."""
    found = _patterns(head).search(content)
    return content[max(0, found.start() - 60) : found.end() + 60] if found else None


@lru_cache
def _patterns(head: str) -> re.Pattern[bytes]:
    """Each letter as itself, percent-encoded, as an entity, escaped, wide or alike, with anything small in between; or
    the base64 of all of them, at any of the three places in a group."""
    letters = [_forms_of(letter) for letter in head]
    between = rb"(?:[ .\-_*~`\r\n\t]|\xe2\x80[\x8b-\x8f]|\xcc[\x80-\xbf]|<[^<>]{0,20}>){0,3}"
    encoded = []
    for word in (head, head.upper(), head.lower()):
        for offset in range(3):
            line = base64.b64encode(bytes(offset) + word.encode())
            encoded.append(re.escape(line[(0, 2, 3)[offset] : (offset + len(word)) * 8 // 6]))
    return re.compile(between.join(letters) + b"|" + b"|".join(encoded))


def _forms_of(letter: str) -> bytes:
    forms = []
    for one in {letter.lower(), letter.upper()}:
        code = ord(one)
        alike = [char for char, seen in _EYES.items() if seen == one]
        forms += [one.encode(), chr(code + 0xFEE0).encode(), *(char.encode() for char in alike)]
        forms += [b"%%%02X" % code, b"&#%d;" % code, b"\\u%04x" % code, b"\\\\u%04x" % code, b"=%02X" % code]
    return b"(?:" + b"|".join(re.escape(form) for form in forms) + b")"
