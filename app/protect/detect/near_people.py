"""Whether a country or a nationality is said of a person, and not of trade, rivers or cheese."""

from __future__ import annotations

import re

from app.protect.detect.things import is_before_noun, is_trade_word
from app.protect.detect.words import word_set

_REACH_CHARACTERS = 120
_SHORT_TEXT_CHARACTERS = 30
# Words of a sentence that speaks of a person.
_PERSON_WORDS = word_set(
    "i i'm im my me mine you your he she his her him who whose person man woman boy girl born live lives lived living "
    "grew moved moving visit visited family families parent parents mother father wife husband married student "
    "applicant "
    "patient customer employee driver mr mrs ms dr singer actor actress director player author artist producer "
    "directed "
    "starring nurse doctor engineer"
)
# More of them, for a country: one's own, and those who come from it.
_PEOPLE = _PERSON_WORDS | word_set(
    "we we're our us they their them citizen citizens passport national nationals nationality immigrant immigrants "
    "immigrated immigration emigrated emigrant refugee refugees native natives birth birthplace birthday resides "
    "resided "
    "residing residence resident raised move relocate relocated relocating visits visiting visitor visitors travel "
    "travels travelled traveled travelling traveling trip flew vacation stayed staying home students applicants "
    "patients "
    "customers employees drivers originally name"
)
# More of them, for a name: what people are and do.
_PERSONS = _PERSON_WORDS | word_set(
    "i'll i've he's she's someone somebody everyone everybody nobody kid kids child guy lady mom mum dad neighbor "
    "neighbour colleague friend friends boss manager assistant ceo founder president chairman speaker agent clerk "
    "teacher "
    "witness suspect victim defendant plaintiff tenant landlord claimant debtor owner seller buyer passenger resident "
    "worker candidate employer work works worked said says told asked called wrote signed paid owes met spoke died "
    "thanks "
    "please contact novel song album cousin employment job salary career school city town village home celebrate "
    "celebrated celebrates celebrating invite invites joined restaurant bus office offices located street address "
    "weekend "
    "birthday wedding became founded uncle aunt sister brother son daughter"
)
# "European Union", "British Columbia", "American Heart Association".
_PART_OF_NAME = re.compile(
    r" (?:Union|Commission|Parliament|Council|Court|Columbia|Airways|Airlines|Express|Central|Stock|Medical|Heart"
    r"|Psychiatric|Cancer|Chemical"
    r"|Association|Standards?|Academy|Museum|Bank|Sea|Ocean|Open|Cup|League|Society|Institute|Journal|Post|Telecom"
    r"|Petroleum)\b"
)
_WORD = re.compile(r"[a-z][a-z']*")
_SENTENCE_END = re.compile(r"[.!?;]\s|\n")
_LINE_AFTER = re.compile(r",?[ ]{0,2}(?:\([A-Z][a-z]+\))?[ ]{0,2}(?:\d{4,6}(?:-\d{3,4})?\b|$|\n)")
_LINE_BEFORE = re.compile(r"(?:^|[\n,>:|] ?|\n[ >]{0,3})$")


def is_near_people(folded: str, start: int, end: int) -> bool:
    """Whether the sentence speaks of a person, or is no sentence but a field or a line of its own."""
    before, after = _sentence(folded, start, end)
    if len(before.strip(" >-*")) < 3 and len(after.strip(" ,.")) < 3:
        return True
    return not _PERSONS.isdisjoint(_words(before, after))


def is_technical(folded: str, start: int, end: int) -> bool:
    """Whether the sentence has words of a trade: computing, law, finance, medicine, science."""
    before, after = _sentence(folded, start, end)
    return any(map(is_trade_word, _words(before, after)))


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
    return not _PEOPLE.isdisjoint(_words(before, after))


def _words(before: str, after: str) -> list[str]:
    return _WORD.findall(f"{before} {after}".lower())


def _sentence(folded: str, start: int, end: int) -> tuple[str, str]:
    """What stands in the same sentence before and after."""
    before = folded[max(0, start - _REACH_CHARACTERS) : start]
    last = max((hit.end() for hit in _SENTENCE_END.finditer(before)), default=0)
    after = folded[end : end + _REACH_CHARACTERS]
    first = _SENTENCE_END.search(after)
    return before[last:], after[: first.start() if first else len(after)]
