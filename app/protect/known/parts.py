"""Which words of a value count by themselves.

A value of several words may be met one word at a time: of "Kozilofab Didimapem" either is enough to know it. A
word counts from four letters, a number from five digits; not a word that says little alone, as most of "prefer not to
say" or "Business & Management" do. A value of more words than `MOST` is prose, and is known as a whole only.
"""

from __future__ import annotations

from functools import lru_cache

from app.protect.known.everyday import ADDRESSED, ELSEWHERE, NOTHING_SAID, OF_FORMS, ROLES
from app.protect.known.forms import DENSE, WORD, Form, of_words, weight

MOST = 8
_FEWEST_LETTERS = 4
_FEWEST_DIGITS = 5
_ENDINGS = ("ments", "ment", "ness", "able", "ible", "ful", "less", "ship", "hood", "ations", "ation", "ions", "ion",
            "ity", "ive", "ance", "ence", "ism")  # fmt: skip

_SAY_LITTLE = ELSEWHERE | OF_FORMS | ROLES | ADDRESSED | NOTHING_SAID


def parts_of(folded: str) -> list[Form]:
    """The forms of those words of a folded value that count by themselves; none for a value of one word."""
    words = dict.fromkeys(WORD.findall(folded))
    if not 1 < len(words) <= MOST:
        return []
    return [_form(word) for word in words if _is_specific(word)]


def parts_of_subject(folded: str) -> list[Form]:
    """The same of a subject. In `german-person-1` the words only say whose number it is: they do not count, where the
    last one before the number is an ordinary word."""
    words = WORD.findall(folded)
    number = next((at for at, word in enumerate(words) if word.isdigit()), 0)
    if number and _says_little(words[number - 1]):
        said = frozenset(words[:number])
        return [form for form in parts_of(folded) if form.letters not in said]
    return parts_of(folded)


def _form(word: str) -> Form:
    if word.isdigit():
        return of_words((word,), digits=True)
    return of_words((word,), inside=len(word) >= 6 or bool(DENSE.search(word)))


@lru_cache(maxsize=4096)
def _is_specific(word: str) -> bool:
    if word.isdigit():
        return len(word) >= _FEWEST_DIGITS
    if weight(word) < (_FEWEST_LETTERS if word.isalpha() else _FEWEST_DIGITS):
        return False
    return not _says_little(word)


def _says_little(word: str) -> bool:
    if word in _SAY_LITTLE:
        return True
    # Here and not above: the list is read when the first value of several words comes.
    from app.protect.detect.words import is_listed

    stems = (word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending))
    return is_listed(word) or any(len(stem) > 2 and (is_listed(stem) or is_listed(f"{stem}e")) for stem in stems)
