"""Whether a country or a nationality is said of a person, and not of trade, rivers or cheese."""

from __future__ import annotations

import re

from app.protect.detect.things import is_before_noun, is_trade_word

_REACH_CHARACTERS = 120
_SHORT_TEXT_CHARACTERS = 30
_PEOPLE = re.compile(
    r"\b(?:i|i'm|im|my|me|mine|we|we're|our|us|you|your|he|she|his|her|him|they|their|them|who|whose|person|man|woman"
    r"|boy|girl|citizens?"
    r"|passport|nationals?|nationality|immigra\w+|emigra\w+|refugees?|natives?|born|birth\w*|liv(?:e|es|ed|ing)"
    r"|resid\w+|grew up|raised"
    r"|moved?|moving|relocat\w+|visit\w*|travel\w*|trip|flew|vacation|stay(?:ed|ing)|home|famil(?:y|ies)|parents?"
    r"|mother|father|wife"
    r"|husband|married|students?|applicants?|patients?|customers?|employees?|drivers?|originally|mr|mrs|ms|dr|name"
    r"|singer|actor|actress|director|player|author|artist|producer|directed|starring|nurse|doctor|engineer)\b",
    re.I,
)
# The same without those that speak for a firm or a group.
_PERSONS = re.compile(
    r"\b(?:i|i'm|im|i'll|i've|my|me|mine|you|your|he|he's|she|she's|his|her|him|who|whose|someone|somebody|everyone"
    r"|everybody|nobody|person|man|woman|boy|girl"
    r"|kids?|child|guy|lady|dr|mr|mrs|ms|born|liv(?:es|ed|ing)|grew up|moved|moving|visit(?:ed)?|famil(?:y|ies)"
    r"|parents?|mother|father|mom|mum|dad|wife|husband"
    r"|married|student|applicant|patient|customer|employee|driver|neighbou?r|colleague|friends?|boss|manager|singer"
    r"|actor|actress|director|player|author"
    r"|artist|producer|directed|starring|nurse|doctor|engineer|assistant|ceo|founder|president|chairman|speaker|agent"
    r"|clerk|teacher|witness|suspect"
    r"|victim|defendant|plaintiff|tenant|landlord|claimant|debtor|owner|seller|buyer|passenger|resident|worker"
    r"|candidate|employer|works?|worked|said|says"
    r"|told|asked|called|wrote|signed|paid|owes|met|spoke|married|died|thanks|please|contact|novel|song|album|cousin"
    r"|employment|job|salary|career|school|city|town|village|home|celebrat(?:e[ds]?|ing)|invites?|joined|restaurant"
    r"|bus|offices?|located|street|address|weekend|birthday|wedding|became|founded|uncle|aunt|sister|brother|son"
    r"|daughter)\b",
    re.I,
)
# "European Union", "British Columbia", "American Heart Association".
_PART_OF_NAME = re.compile(
    r" (?:Union|Commission|Parliament|Council|Court|Columbia|Airways|Airlines|Express|Central|Stock|Medical|Heart"
    r"|Psychiatric|Cancer|Chemical"
    r"|Association|Standards?|Academy|Museum|Bank|Sea|Ocean|Open|Cup|League|Society|Institute|Journal|Post|Telecom"
    r"|Petroleum)\b"
)
_WORD = re.compile(r"[a-z]{3,}")
_SENTENCE_END = re.compile(r"[.!?;]\s|\n")
_LINE_AFTER = re.compile(r",?[ ]{0,2}(?:\([A-Z][a-z]+\))?[ ]{0,2}(?:\d{4,6}(?:-\d{3,4})?\b|$|\n)")
_LINE_BEFORE = re.compile(r"(?:^|[\n,>:|] ?|\n[ >]{0,3})$")


def is_near_people(folded: str, start: int, end: int) -> bool:
    """Whether the sentence speaks of a person, or is no sentence but a field or a line of its own."""
    before, after = _sentence(folded, start, end)
    if len(before.strip(" >-*")) < 3 and len(after.strip(" ,.")) < 3:
        return True
    return _PERSONS.search(f"{before} {after}") is not None


def is_technical(folded: str, start: int, end: int) -> bool:
    """Whether the sentence has words of a trade: computing, law, finance, medicine, science."""
    before, after = _sentence(folded, start, end)
    return any(is_trade_word(word) for word in _WORD.findall(f"{before} {after}".lower()))


def is_personal(folded: str, start: int, end: int, kind: str) -> bool:
    """Whether a word of this kind (place, nationality, belief) says something of a person."""
    if kind == "place":
        return is_personal_place(folded, start, end)
    return kind != "nationality" or not (is_before_noun(folded, end) or _PART_OF_NAME.match(folded, end))


def is_personal_place(folded: str, start: int, end: int) -> bool:
    """Whether a country is somebody's: a person is spoken of in the same sentence, or it ends an address or a field."""
    if len(folded) < _SHORT_TEXT_CHARACTERS and not re.search(r" [a-z]+s? ", folded[end:]):
        return True
    if _LINE_AFTER.match(folded, end) and _LINE_BEFORE.search(folded[max(0, start - 6) : start]):
        return True
    before, after = _sentence(folded, start, end)
    return _PEOPLE.search(f"{before} {after}") is not None


def _sentence(folded: str, start: int, end: int) -> tuple[str, str]:
    """What stands in the same sentence before and after."""
    before = folded[max(0, start - _REACH_CHARACTERS) : start]
    last = max((hit.end() for hit in _SENTENCE_END.finditer(before)), default=0)
    after = folded[end : end + _REACH_CHARACTERS]
    first = _SENTENCE_END.search(after)
    return before[last:], after[: first.start() if first else len(after)]
