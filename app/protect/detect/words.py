"""What the words of a language tell: which are ordinary, which name a country or its people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

_HERE = Path(__file__).parent


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds any of the words, the longest first.

    It shares their beginnings, which makes it several times as fast as the words in a row.
    """
    return re.compile(_shared(frozenset(words)))


def _shared(words: frozenset[str]) -> str:
    rests: dict[str, set[str]] = {}
    for word in words - {""}:
        rests.setdefault(word[0], set()).add(word[1:])
    parts = [re.escape(first) + _shared(frozenset(rest)) for first, rest in sorted(rests.items())]
    if "" in words:
        return f"(?:{'|'.join(parts)})?" if parts else ""
    return f"(?:{'|'.join(parts)})" if len(parts) > 1 else "".join(parts)


def word_set(words: str) -> frozenset[str]:
    """The words of a line."""
    return frozenset(words.split())


# Ordinary words that are given names as well: they stay where a surname follows.
GIVEN = word_set(
    "mark frank grace rose will may april june art bill rob dean faith hope joy drew chase grant miles pat sue penny "
    "jean olive ivy amber ruby pearl daisy lily crystal robin carol dawn eve guy max sandy summer autumn violet clay "
    "cliff dale glen heath lance nick reed rich stone troy wade ray jack victor angel christian paris chance lane "
    "jay kit gene wally brook young king prince"
)
# Parts of names that have no capital: "Anna van der Berg", "Chiclana de la Frontera".
JOINS = (
    "de|dei|del|degli|della|delle|di|da|do|dos|das|du|des|la|le|las|los|van|von|zu|zum|der|den|ter|ten|auf|bei|sur|"
    "sous|en|el|al|bin|ibn|y|e|na|nad|pod|u|og|z|pri|upon|and|of|the"
)
TITLES = (
    "mr|mrs|ms|miss|mx|dr|prof|professor|sir|dame|rev|herr|frau|mme|mlle|senor|senora|fr|sr|hon|capt|sgt|lt|col|gen"
)
COMPANY = word_set(
    "inc ltd llc gmbh corp corporation plc ag sa bv nv oy ab as aps co company group holdings partners technologies "
    "technology solutions systems labs laboratories industries enterprises bank university institute foundation "
    "hospital clinic college associates capital ventures media networks insurance pharmaceuticals brothers bros sons "
    "motors airlines energy consulting"
)
# What ends the name of a street, a town or a landscape.
LANDMARKS = word_set(
    "street st road rd avenue ave lane drive boulevard court square terrace parkway highway bridge county city town "
    "village island islands river lake valley hills hill beach bay creek springs heights park mountain mountains "
    "harbor harbour station airport club hotel"
)
BELIEFS = word_set(
    "christian catholic protestant jewish jew muslim islamic hindu buddhist sikh mormon atheist orthodox lutheran "
    "methodist baptist evangelical anglican sunni shia republican democrat communist socialist hispanic latino "
    "latina caucasian"
)

_ENDINGS = (
    "s",
    "es",
    "ed",
    "d",
    "ing",
    "er",
    "ers",
    "or",
    "ors",
    "est",
    "ly",
    "r",
    "rs",
    "st",
    "y",
    "n",
    "al",
    "ally",
    "ist",
    "ists",
)
_FORMED = re.compile(
    r".{2,}(?:ations?|[stx]ions?|icians?|ments?|ness|ab(?:le|ly)|ible|ibly|ously|ous|fully?|less|ively?|i[tc]y"
    r"|ities|isms?|ically"
    r"|olog(?:y|ical|ist)|wards?|wise|ships?|hood|ances?|ences?|[ea]nc(?:y|ies)|izing|ized?|izes?|ised|ising|ifying"
    r"|ified|metric|graphy)"
)
_APOSTROPHE = re.compile(r"(?:n't|'(?:s|re|ve|ll|d|m|t))$")


@lru_cache(1)
def _tables() -> tuple[frozenset[str], frozenset[str]]:
    """Function words, and all ordinary words."""
    function, every = set[str](), set[str]()
    section = 0
    for line in (_HERE / "words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            section += 1
        else:
            every.update(line.split())
            if section == 2:
                function.update(line.split())
    return frozenset(function), frozenset(every)


@lru_cache(1)
def trade_words() -> frozenset[str]:
    """The words of work, law, risk and computing."""
    words, wanted = set[str](), False
    for line in (_HERE / "words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            wanted = "computing" in line
        elif wanted:
            words.update(line.split())
    return frozenset(words)


@lru_cache(1)
def places() -> dict[str, tuple[str, bool]]:
    """Words of countries and peoples, in small letters → kind, and whether they need a capital."""
    table: dict[str, tuple[str, bool]] = {}
    for line in (_HERE / "places.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            countries, _, people = line.partition("|")
            for name in countries.strip().split(";"):
                mark = "~" if name.startswith("~") else ""
                table[name.lstrip("~").strip().lower()] = ("place", True)
                table.update(_entries([mark + name.lstrip("~").split()[-1]], "place"))
            table.update(_entries(people.split(), "nationality"))
    table.update((word, ("belief", word in ("orthodox", "republican", "democrat"))) for word in BELIEFS)
    return {word: entry for word, entry in table.items() if not is_common(word)}


def _entries(names: list[str], kind: str) -> Iterator[tuple[str, tuple[str, bool]]]:
    for name in names:
        word = name.lstrip("~").lower().rsplit("-", 1)[-1]
        yield word, (kind, name.startswith("~") or len(word) < 4)
        if kind == "nationality":
            yield f"{word}s", (kind, name.startswith("~"))


def is_function(word: str) -> bool:
    """Whether a word (any case) only holds sentences together."""
    small = word.lower()
    function = _tables()[0]
    return small in function or _APOSTROPHE.sub("", small) in function


def is_listed(word: str) -> bool:
    """Whether a word (in small letters) is in the list of ordinary words, or formed from one that is."""
    every = _tables()[1]
    return word in every or any(stem in every for stem in _stems(word))


@lru_cache(8192)
def is_common(word: str) -> bool:
    """Whether a word (any case) is an ordinary one: listed, or formed from a listed one, or formed like one."""
    small = word.lower()
    every = _tables()[1]
    if small in every:
        return True
    small = _APOSTROPHE.sub("", small)
    if "-" in small:
        return all(not part or is_common(part) for part in small.split("-"))
    if small in every or (len(small) > 6 and _FORMED.fullmatch(small)):
        return True
    return any(stem in every for stem in _stems(small))


def _stems(word: str) -> Iterator[str]:
    for ending in _ENDINGS:
        if word.endswith(ending):
            stem = word[: -len(ending)]
            if len(stem) > 2:
                yield stem
                yield f"{stem}e"
                if stem[-1] == "i":
                    yield f"{stem[:-1]}y"
                if stem[-1] == stem[-2]:
                    yield stem[:-1]
    for beginning in ("un", "re", "non", "pre", "over", "mis", "in", "dis", "sub", "co", "multi", "out"):
        if word.startswith(beginning) and len(word) > len(beginning) + 3:
            stem = word[len(beginning) :]
            if stem in _tables()[1]:
                yield stem
