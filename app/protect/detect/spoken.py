"""Names without capitals: what follows "my name is", "lives in", and countries in small letters."""

from __future__ import annotations

import re

from app.protect.detect.near_people import is_personal
from app.protect.detect.spans import Span
from app.protect.detect.words import TITLES, is_common, places, word_set

_PERSON = re.compile(
    rf"(?:names?(?: (?:on|of) (?:the|my) \w+)?(?:'s| is| was|:| ?\?|(?<=[a-z]'s name))(?: user:)?|call me|called"
    rf"|named|(?:{TITLES})\b\.?"
    r"|follow(?:ed|ing)?[ -]up with|(?:speak|spoke|talk|talked) (?:to|with)|met with|meet(?:ing)? with|signed by"
    r"|user:|surname(?: is|:)?)[ \n]+",
    re.I,
)
_PLACE = re.compile(
    r"(?:(?:live|lives|lived|living|reside|resides|resided|born|raised|based|stayed|staying) in|grew up in"
    r"|(?:moved|moving|relocated|move|returned|return|travelled|traveled|emigrated)(?: here| back)? (?:from|to)"
    r"|originally from"
    r"|(?:i'm|am|comes|came) from) ",
    re.I,
)
# The first words of the two, so that they are tried only where they can fit.
_PERSON_CUES = word_set(
    "name name's names call called named follow followed following speak spoke talk talked met meet meeting signed "
    "user surname"
) | frozenset(TITLES.split("|"))
_PLACE_CUES = word_set(
    "live lives lived living reside resides resided born raised based stayed staying grew moved moving relocated "
    "move returned return travelled traveled emigrated originally i'm am comes came"
)
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*", re.I)
_NEXT = re.compile(r"([a-z]+(?:['-][a-z]+)*)(?:\. ?|[ ]|(?=\W|$))", re.I)
_SMALL_JOINS = word_set("de la del di da van von der den el al bin le du")


def spoken(folded: str) -> list[Span]:
    """Kinds person, place, nationality, belief."""
    table = places()
    found = []
    for hit in _WORD.finditer(folded):
        word = hit.group()
        small = word.lower()
        entry = table.get(small.removesuffix("'s"))
        if entry and not (entry[1] and word.islower()):
            if is_personal(folded, hit.start(), hit.end(), entry[0]):
                found.append(Span(*hit.span(), entry[0]))
        elif small in _PERSON_CUES or small in _PLACE_CUES:
            pattern, kind = (_PERSON, "person") if small in _PERSON_CUES else (_PLACE, "place")
            cue = pattern.match(folded, hit.start())
            span = cue and _following(folded, cue.end(), kind)
            if span:
                found.append(span)
    return found


def _following(folded: str, start: int, kind: str) -> Span | None:
    """The words from start up to the first ordinary one."""
    end = place = start
    for _ in range(4):
        hit = _NEXT.match(folded, place)
        if not hit:
            break
        word = hit[1]
        if word.lower() not in _SMALL_JOINS:
            if is_common(word) and len(word) > 1:
                break
            end = hit.end(1)
        place = hit.end()
    return Span(start, end, kind) if end - start > 2 else None
