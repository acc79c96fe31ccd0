"""What a person is called, in the ways people write it.

Whole, in parts, with the last word first, with initials, as a handle, with umlauts spelt out. Parts
count from three letters; one that is an everyday word counts where it stands like a name.
"""

from __future__ import annotations

import re

from app.protect.known.everyday import ADDRESSED, NOTHING_SAID, ROLES, WORDS
from app.protect.known.forms import DENSE, WORD, Form, letters_of, of_words, weight, whole
from app.protect.known.skeleton import fold

_BETWEEN_NAMES = re.compile(r"[\s,;/&()\"]+")
_LOOKS_LIKE_A_NAME = re.compile(r"[^\W\d_]+(?:[-'’.]+[^\W\d_]+)*\.?(?:,? [^\W\d_]+(?:[-'’.]+[^\W\d_]+)*\.?){1,4}")
# Letters that are something else than initials even with stops.
_ABBREVIATIONS = frozenset(["us", "uk", "eu", "un", "am", "pm", "eg", "ie", "ad", "bc", "dc", "la", "ny", "no", "vs"])
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"}
_SHARP = {"ß": "s"}
_SPELT_OUT = re.compile(r"(?<=[aou])e")


def looks_like_a_name(folded: str) -> bool:
    """Whether a value is two to five words of letters."""
    return _LOOKS_LIKE_A_NAME.fullmatch(folded) is not None


def parts_of(folded: str) -> list[Form]:
    """The parts of a name that count by themselves."""
    parts = {
        tuple(WORD.findall(part))
        for word in _BETWEEN_NAMES.split(folded)
        if word not in ADDRESSED
        for part in (word, *(word.split("-") if "-" in word else ()), *_given_names(word))
    }
    found = []
    for part in sorted(parts):
        letters = "".join(part)
        if weight(letters) >= 3 and letters not in ROLES and letters not in NOTHING_SAID:
            found.append(of_words(part, inside=_may_be_inside(letters), everyday=letters in WORDS))
    return found


def orders_of(folded: str) -> list[Form]:
    """The whole name in the orders in which its words are given."""
    words, core = _words(folded)
    if len(core) == 1:
        return [] if parts_of(folded) else [whole(folded)]
    orders = (
        words,
        core,
        (*core[1:], core[0]),
        (core[-1], *core[:-1]),
        (core[0], core[-1]),
        (core[-1], core[0]),
    )
    return [of_words(each, inside=_may_be_inside("".join(each))) for each in dict.fromkeys(orders)]


def has_short_parts(folded: str) -> bool:
    """Whether the whole name may be met without one of the parts that count by themselves."""
    return any(weight(word) < 3 or word in ROLES or word in NOTHING_SAID for word in _words(folded)[1])


def initials_of(folded: str) -> tuple[str, ...]:
    """`J.S.` and `J. S.`, as they would stand in a text; nothing where they would mean something else."""
    _, core = _words(folded)
    initials = tuple(word[0] for word in core)
    if len(initials) < 2 or "".join(initials) in _ABBREVIATIONS or not all(map(str.isalpha, initials)):
        return ()
    both = {initials, (initials[0], initials[-1])}
    return tuple(between.join(f"{letter.upper()}." for letter in each) for each in both for between in ("", " "))


def with_initials(folded: str) -> list[Form]:
    """`J. Smith`, `Smith, J.`, `jsmith`, `J. M. Smith`, `Jane S.`, `J.S.`"""
    _, core = _words(folded)
    if len(core) < 2:
        return []
    first, last = core[0], core[-1]
    initials = tuple(word[0] for word in core)
    forms = []
    if len(last) >= 3:
        rules = {"everyday": last in WORDS}
        forms = [
            of_words((initials[0], last), initial=0, **rules),
            of_words((last, initials[0]), initial=len(last), **rules),
            of_words((*initials[:-1], last), initial=0, **rules),
            of_words((first, *initials[1:-1], last)),
        ]
    if len(core) > 2 and len(core[-2]) >= 3:
        forms.append(of_words((*initials[:-2], core[-2]), initial=0, everyday=core[-2] in WORDS))
    if len(first) >= 3:
        forms.append(of_words((first, initials[-1]), initial=len(first), everyday=first in WORDS))
    if initials_of(folded):
        forms += [of_words(each, dotted=True) for each in (initials, (initials[0], initials[-1]))]
    return forms


def transcribed(value: str, parts: list[Form]) -> list[Form]:
    """`Mueller` for Müller, and the other way round."""
    lower = value.lower()
    tables = () if lower.isascii() else (_UMLAUTS, _SHARP)
    others = {"".join(table.get(char, char) for char in lower) for table in tables} - {lower}
    forms = []
    for other in sorted(others):
        words = tuple(filter(None, (letters_of(fold(word)) for word in _BETWEEN_NAMES.split(other))))
        forms.append(of_words(words, inside=_may_be_inside("".join(words))))
        forms += [of_words((word,), inside=_may_be_inside(word)) for word in words if len(word) >= 4]
    if forms:
        return forms
    shorter = [(_SPELT_OUT.sub("", form.letters), form) for form in parts if not form.everyday]
    return [of_words((letters,)) for letters, form in shorter if letters != form.letters and len(letters) >= 4]


def _words(folded: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A name's words in the usual order, with and without titles and the like."""
    if folded.count(",") == 1:
        folded = " ".join(reversed(folded.split(",")))
    words = tuple(word for word in map(letters_of, _BETWEEN_NAMES.split(folded)) if word)
    return words, tuple(word for word in words if word not in ADDRESSED) or words


def _given_names(word: str) -> tuple[str, ...]:
    """What stands behind the family name of a name in three Chinese or Korean letters."""
    return (word[1:],) if len(word) == 3 and len(DENSE.findall(word)) == 3 else ()


def _may_be_inside(letters: str) -> bool:
    return (len(letters) >= 6 and letters not in WORDS) or bool(DENSE.search(letters))
