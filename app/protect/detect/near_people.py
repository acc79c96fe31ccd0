"""Whether a country or a nationality is said of a person, and not of trade, rivers or cheese."""

from __future__ import annotations

import re

from app.protect.detect.things import is_before_noun

_REACH_CHARACTERS = 120
_SHORT_TEXT_CHARACTERS = 30
_PEOPLE = re.compile(
    r"\b(?:i|i'm|im|my|me|mine|we|we're|our|us|you|your|he|she|his|her|him|they|their|them|who|whose|person|man|woman|boy|girl|citizens?"
    r"|passport|nationals?|nationality|immigra\w+|emigra\w+|refugees?|natives?|born|birth\w*|liv(?:e|es|ed|ing)|resid\w+|grew up|raised"
    r"|moved?|moving|relocat\w+|visit\w*|travel\w*|trip|flew|vacation|stay(?:ed|ing)|home|famil(?:y|ies)|parents?|mother|father|wife"
    r"|husband|married|students?|applicants?|patients?|customers?|employees?|drivers?|originally|mr|mrs|ms|dr|name"
    r"|singer|actor|actress|director|player|author|artist|producer|directed|starring|nurse|doctor|engineer)\b",
    re.I,
)
_SENTENCE_END = re.compile(r"[.!?;]\s|\n")
_LINE_AFTER = re.compile(r",?[ ]{0,2}(?:\([A-Z][a-z]+\))?[ ]{0,2}(?:\d{4,6}(?:-\d{3,4})?\b|$|\n)")
_LINE_BEFORE = re.compile(r"(?:^|[\n,>:|] ?|\n[ >]{0,3})$")


def is_personal(folded: str, start: int, end: int, kind: str) -> bool:
    """Whether a word of this kind (place, nationality, belief) says something of a person."""
    if kind == "place":
        return is_personal_place(folded, start, end)
    return kind != "nationality" or not is_before_noun(folded, end)


def is_personal_place(folded: str, start: int, end: int) -> bool:
    """Whether a country is somebody's: a person is spoken of in the same sentence, or it ends an address or a field."""
    if len(folded) < _SHORT_TEXT_CHARACTERS and not re.search(r" [a-z]+s? ", folded[end:]):
        return True
    if _LINE_AFTER.match(folded, end) and _LINE_BEFORE.search(folded[max(0, start - 6) : start]):
        return True
    before = folded[max(0, start - _REACH_CHARACTERS) : start]
    last = max((hit.end() for hit in _SENTENCE_END.finditer(before)), default=0)
    after = folded[end : end + _REACH_CHARACTERS]
    first = _SENTENCE_END.search(after)
    sentence = f"{before[last:]} {after[: first.start() if first else len(after)]}"
    return _PEOPLE.search(sentence) is not None
