"""Values that a text states of withheld inputs: `age=34`, `"sex": "F"`, `20 < age <= 30`, `?age=34`.

Short values are too common to be searched in texts by themselves. Behind the name of their input and a sign such as `=`
or `:` they are known: in rules and conditions, in JSON, YAML or Python inside prose, in queries and in forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from app.protect.cuts import Span
from app.protect.names import CONSTANT
from app.protect.whose import is_a_thing
from app.protect.word_sets import word_set

# A name as it may be judged: the attribute that it speaks of, or None.
Judge = Callable[[str], str | None]

_SIGN = r"(?:!?[:=<>≤≥≠∈]{1,3}|->|→|(?:is|in|was|between)\b(?=[ \t]*[\d(\[{-]))"
# Between a name and the sign: the rest of the name, quotes and brackets closed, a unit.
_UP_TO_SIGN = rf"[\w.]{{0,40}}[\\\"'`\])]{{0,6}}[ \t]{{0,3}}(?:\([^()\n]{{1,20}}\)[ \t]{{0,3}})?{_SIGN}"
_NAMED = re.compile(_UP_TO_SIGN, re.IGNORECASE)
_VALUE = re.compile(
    r"[ \t]{0,4}(?:"
    r"(?P<quote>\\{0,8}[\"'`])(?P<quoted>[^\n]{1,300}?)(?P=quote)"
    r"|[\[({](?P<several>[^\])}\n]{1,300})"
    r"|(?P<bare>[^\s,;&|()\[\]{}\"'`<>\\]{1,200})"
    r")"
)
_NUMBER_BEFORE = r"(?P<before>[-+]?\d[\d.,]{0,30})[ \t]{0,3}[<>≤≥]=?[ \t]{0,3}[\w.]{0,40}?"
_REST = re.compile(r"[\w.]{0,40}")
_BEGINNING = re.compile(r"[\w.]{0,40}\Z")
_WORD_BEFORE = re.compile(r"(\w{1,40})[ _-]\Z")
# How far back a name, and the word before it, may begin.
_BACK = 40
_STRING_ENDS = ('",', '"}', '"]')
_COMPARING = frozenset("<>≤≥")
_MOST_BETWEEN = 2
_BETWEEN_WORDS = rf"[\W_]{{0,{_MOST_BETWEEN}}}"
_SAYS_NOTHING = word_set(
    "null none nil nan undefined int integer float double str string number bool boolean object array"
)


class StatedValues:
    """Finds what texts state of some inputs."""

    def __init__(self, names: Iterable[tuple[str, ...]], judge: Judge, visible: frozenset[str]) -> None:
        """`names`: the words of each name whose values are not shown. `visible`: names of inputs that are."""
        self._names = sorted(set(names), key=lambda words: -len("".join(words)))
        self._judge = judge
        self._visible = visible

    def may_be_in(self, text: str) -> bool:
        """Whether a text may state any; cheap, since most texts with such a name state nothing of it."""
        folded = text.casefold()
        compares = self._compares(folded)
        for first, *others in self._names:
            at = folded.find(first)
            while at >= 0:
                after = at + len(first)
                # Most names stand as the whole of a JSON string, with no key.
                if folded[after : after + 2] in _STRING_ENDS and not compares:
                    at = folded.find(first, after)
                    continue
                for word in others:
                    found = folded.find(word, after, after + len(word) + _MOST_BETWEEN)
                    after = found + len(word) if found >= 0 else len(folded)
                if _NAMED.match(folded, after):
                    return True
                if compares and self._compares(folded[max(0, at - _BACK) : at]):
                    return True
                at = folded.find(first, at + 1)
        return False

    @staticmethod
    def _compares(text: str) -> bool:
        return any(sign in text for sign in _COMPARING)

    def spans(self, text: str) -> list[Span]:
        """Where such values stand in a text, with their attribute."""
        return list(self._found(text))

    def _found(self, text: str) -> Iterator[Span]:
        if not self._names:
            return
        for hit in self._behind.finditer(text):
            sign = _NAMED.match(text, hit.end())
            value = _VALUE.match(text, sign.end()) if sign else None
            if value and (span := _span(value)) and (attribute := self._attribute(text, hit.start(), hit.end())):
                yield *span, attribute
        for hit in self._ahead.finditer(text) if self._compares(text) else ():
            if attribute := self._attribute(text, hit.start("name"), hit.end("name")):
                yield hit.start("before"), hit.end("before"), attribute

    # Made for the few records whose texts state something.

    @cached_property
    def _behind(self) -> re.Pattern[str]:
        return re.compile(rf"(?:{self._either})(?={_UP_TO_SIGN})", re.IGNORECASE)

    @cached_property
    def _ahead(self) -> re.Pattern[str]:
        return re.compile(rf"{_NUMBER_BEFORE}(?P<name>{self._either})", re.IGNORECASE)

    @property
    def _either(self) -> str:
        return "|".join(_BETWEEN_WORDS.join(map(re.escape, words)) for words in self._names)

    def _attribute(self, text: str, start: int, end: int) -> str | None:
        """What the whole name speaks of whose part stands here: `loan_age` and `loan age` are no person's.

        Nothing where it is part of what stands in place of a value: an input may be called "withheld".
        """
        if text.startswith(CONSTANT, max(0, start - 1)):
            return None
        beginning = _BEGINNING.search(text[max(0, start - _BACK) : start])
        start -= len(beginning[0]) if beginning else 0
        rest = _REST.match(text, end)
        name = text[start : rest.end() if rest else end].strip(".")
        before = _WORD_BEFORE.search(text[max(0, start - _BACK) : start])
        if before and (is_a_thing(before[1].casefold()) or f"{before[1]} {name}" in self._visible):
            return None
        return self._judge(name)


def _span(value: re.Match[str]) -> tuple[int, int] | None:
    """Where a value stands; None for what stands for one already, for nothing, or for a type."""
    kind = value.lastgroup
    if kind is None or value[kind].startswith((CONSTANT, CONSTANT[1:])):
        return None
    said = value[kind].rstrip(".:!?")
    if not said or said.casefold() in _SAYS_NOTHING:
        return None
    return value.start(kind), value.start(kind) + len(said)
