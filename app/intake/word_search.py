"""Words of a text, found at word boundaries and in other spellings of the same letters.

The text is searched as it is first, then with normal forms made equal (é as one or as two code points), then in lower
case, then without accents: what tokenisers may have made of it. Places are code points of the text as it came.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from dataclasses import dataclass, field

from app.intake.token_forms import Edge, Token

LEVELS = (0, 1, 2, 3)
"""As it is; normal forms equal; and lower case; and without accents."""

Place = tuple[int, int]

# Scripts that are written without blanks have no word boundaries.
_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x2FFF),
    (0x3005, 0x3007),
    (0x3040, 0x30FF),
    (0x3400, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
# Words that are not found at boundaries are searched inside of others from this length on, or where they are several.
_PHRASE = 12
# Work that one record may cost, in characters passed by; a candidate counts as some of them.
_BUDGET = 500_000_000
_CANDIDATE = 500


@dataclass(slots=True)
class Budget:
    """What searching may still cost for one record."""

    left: int = _BUDGET


@dataclass(slots=True)
class _Folded:
    """A text at a level. `starts` and `ends` are the places of its characters in the original; None: the same."""

    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None

    def place(self, start: int, end: int) -> Place:
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]

    def at(self, original: int) -> int:
        """The first character that lies at or behind a place of the original."""
        return original if self.starts is None else bisect_left(self.starts, original)


@dataclass(slots=True)
class Searched:
    """A text that is searched for many words."""

    text: str
    budget: Budget
    _levels: dict[int, _Folded] = field(default_factory=dict)

    def next(self, token: Token, level: int, start: int = 0, loose: bool = False) -> Place | None:
        """Where a token stands first from a place on; `loose`: combining marks end a word (as for `\\W+`)."""
        folded, wanted = self._folded(level), fold(token.text, level)
        at = folded.at(start)
        while wanted and self.budget.left > 0:
            found = folded.text.find(wanted, at)
            self.budget.left -= (found if found >= 0 else len(folded.text)) - at + _CANDIDATE
            if found < 0:
                return None
            if _stands(folded.text, found, found + len(wanted), token, loose):
                return folded.place(found, found + len(wanted))
            at = found + 1
        return None

    def nearest(self, token: Token, level: int, near: int) -> Place | None:
        """The place of a token that begins closest to an offset."""
        for loose in (False, True):
            before, after = self._last(token, level, near, loose), self.next(token, level, near, loose)
            if before and after:
                return before if near - before[0] < after[0] - near else after
            if before or after:
                return before or after
        return None

    def _last(self, token: Token, level: int, near: int, loose: bool) -> Place | None:
        """The last place of a token that begins at an offset or before."""
        folded, wanted = self._folded(level), fold(token.text, level)
        at = min(folded.at(near), len(folded.text)) + len(wanted)
        while wanted and self.budget.left > 0:
            found = folded.text.rfind(wanted, 0, at)
            self.budget.left -= at - max(found, 0) + _CANDIDATE
            if found < 0:
                return None
            if _stands(folded.text, found, found + len(wanted), token, loose):
                return folded.place(found, found + len(wanted))
            at = found + len(wanted) - 1
        return None

    def all(self, token: Token, level: int, most: int) -> list[Place]:
        """Every place of a token, up to `most`; at strict word boundaries, else at loose ones."""
        for loose in (False, True):
            found: list[Place] = []
            start = 0
            while len(found) < most and (place := self.next(token, level, start, loose)):
                found.append(place)
                start = max(place[1], start + 1)
            if found:
                return found
        return []

    def _folded(self, level: int) -> _Folded:
        known = self._levels.get(level)
        if known is None:
            known = self._levels[level] = _fold_text(self.text, level)
        return known


def as_phrase(token: Token) -> Token | None:
    """The same words wherever they stand, also inside of others; None for a short word."""
    long = len(token.text) >= _PHRASE or any(char.isspace() for char in token.text)
    return Token(token.text, Edge.ANY, Edge.ANY) if long else None


def fold(text: str, level: int) -> str:
    """A text's letters at a level."""
    if level == 0:
        return text
    found = unicodedata.normalize("NFD" if level < 3 else "NFKD", text)
    if level == 3:
        found = "".join(char for char in found if not unicodedata.combining(char))
    return found.casefold() if level >= 2 else found


def _fold_text(text: str, level: int) -> _Folded:
    if level == 0 or (text.isascii() and level == 1):
        return _Folded(text)
    if text.isascii():
        return _Folded(text.lower())
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    while at < len(text):
        # A letter with its marks is folded whole: the order of marks may differ.
        end = at + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        for char in fold(text[at:end], level):
            letters.append(char)
            starts.append(at)
            ends.append(end)
        at = end
    return _Folded("".join(letters), starts, ends)


def _stands(text: str, start: int, end: int, token: Token, loose: bool) -> bool:
    """Whether both ends of a token stand as they must."""
    return _ends(text, start, start - 1, token.before, loose) and _ends(text, end - 1, end, token.after, loose)


def _ends(text: str, inner: int, outer: int, edge: Edge, loose: bool) -> bool:
    """Whether a word ends, or goes on, between its last character and the one outside."""
    if edge is Edge.ANY:
        return True
    if not 0 <= outer < len(text):
        return edge is Edge.WORD
    joined = _joins(text[outer], loose) and _joins(text[inner], loose)
    return joined == (edge is Edge.INSIDE)


def _joins(char: str, loose: bool) -> bool:
    """Whether a character is part of a word beside another one."""
    if char.isascii():
        return char.isalnum() or char == "_"
    code = ord(char)
    if any(low <= code <= high for low, high in _UNSPACED):
        return False
    return char.isalnum() or (not loose and unicodedata.category(char)[0] == "M")
