"""Places for tokens that came without offsets.

A list of tokens (SHAP, integrated gradients) names each once for every time it stands in the text: they are followed
onward in order. A bag of words (LIME) names a word once, with one weight for every place it has.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

from app.intake.token_forms import Edge, Token, marked, positions, tokens
from app.intake.word_search import LEVELS, Place, Searched, as_phrase

# Places of one word, and of all words of an explanation, that are kept.
MOST_PLACES = 200
MOST_ADDED = 2_000


def placed(text: Searched, items: Sequence[dict[str, Any]], case_sensitive: bool) -> list[list[Place]]:
    """For each item the places of its words; none for one that stands nowhere, several for a word of a bag.

    `case_sensitive`: words in capitals are other words (LIME).
    """
    named = [str(item.get("text") or "") for item in items]
    read = tokens(named)
    words = [_bare(token) for token in read]
    if _is_list(named, read, words):
        return _in_order(text, read)
    with_offsets = [_at_positions(text.text, name) for name in named]
    level = _level(text, [t for t, known in zip(words, with_offsets, strict=True) if not known], case_sensitive)
    return [known or _everywhere(text, token, level) for known, token in zip(with_offsets, words, strict=True)]


def _is_list(named: Sequence[str], read: Sequence[Token], words: Sequence[Token]) -> bool:
    """Whether each item is one place: pieces of words, separators kept, or a word that is named more than once."""
    if marked(named) or any(name != name.strip() for name in named if name.strip()):
        return True
    counted = Counter(token.text for token, whole in zip(words, read, strict=True) if not whole.special)
    return any(count > 1 for count in counted.values())


def _bare(token: Token) -> Token:
    """A word without what stands around it, so that `no.` and `no` are one."""
    text = token.text
    start, end = 0, len(text)
    while start < end and not _of_a_word(text[start]):
        start += 1
    while end > start and not _of_a_word(text[end - 1]):
        end -= 1
    return Token(text[start:end], token.before, token.after, token.special) if start < end else token


def _of_a_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M"


def _level(text: Searched, words: Sequence[Token], case_sensitive: bool) -> int:
    """How closely the words were spelt: the first level at which most of them stand in the text."""
    levels = [level for level in LEVELS if level < 2 or not case_sensitive]
    missing = {}
    for level in levels:
        missing[level] = sum(not text.all(word, level, 1) for word in words if not word.special)
        if not missing[level]:
            return level
    return min(levels, key=lambda level: (missing[level], level))


def _everywhere(text: Searched, token: Token, level: int) -> list[Place]:
    """All places of a word; of a spelling that stands nowhere those of the next closest."""
    if token.special:
        return []
    for one in (level, *(other for other in LEVELS if other > level)):
        if found := text.all(token, one, MOST_PLACES):
            return found
    phrase = as_phrase(token)
    return text.all(phrase, level, 1) if phrase else []


def _at_positions(text: str, name: str) -> list[Place]:
    """The places that LIME wrote behind a word, where the word stands at all of them."""
    found = positions(name)
    if found is None or not all(text.startswith(found[0], start) for start in found[1]):
        return []
    return [(start, start + len(found[0])) for start in found[1]]


# -- lists of tokens ---------------------------------------------------------------------------------


def _in_order(text: Searched, read: Sequence[Token]) -> list[list[Place]]:
    """Each token one place: onward through the text, or, where they were sorted, repeats one after the other."""
    best: list[Place | None] = []
    for level in LEVELS:
        for follow in (_onward, _successive):
            found = follow(text, read, level)
            if not best or _lost(found, read) < _lost(best, read):
                best = found
            if not _lost(best, read):
                return [[place] if place else [] for place in best]
    return [[place] if place else [] for place in best]


def _lost(found: Sequence[Place | None], read: Sequence[Token]) -> int:
    return sum(place is None and not token.special for place, token in zip(found, read, strict=True))


def _onward(text: Searched, read: Sequence[Token], level: int) -> list[Place | None]:
    """Tokens in the order of the text; one that stands nowhere further on is left out."""
    found: list[Place | None] = []
    cursor, before = 0, None
    for token in read:
        if token.special:
            found.append(None)
            continue
        place = found[-1] if token is before and found else _ahead(text, token, level, cursor)
        found.append(place)
        before = token
        cursor = place[1] if place else cursor
    return found


def _ahead(text: Searched, token: Token, level: int, cursor: int) -> Place | None:
    """The next place of a token: a piece stands right at the end of the last one, if it can."""
    place = text.next(token, level, cursor) or text.next(token, level, cursor, loose=True)
    if place is None and token.before is Edge.WORD and token.after is Edge.WORD and not _has_letters(token):
        place = text.next(Token(token.text, Edge.ANY, Edge.ANY), level, cursor)
    return place


def _has_letters(token: Token) -> bool:
    return any(char.isalnum() for char in token.text)


def _successive(text: Searched, read: Sequence[Token], level: int) -> list[Place | None]:
    """Tokens that were sorted: the first of equal ones stands first."""
    reached: dict[Token, int] = {}
    found: list[Place | None] = []
    for token in read:
        place = None if token.special else _ahead(text, token, level, reached.get(token, 0))
        found.append(place)
        if place:
            reached[token] = place[1]
    return found
