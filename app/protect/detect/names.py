"""Names of people, places and organisations, told by their capitals.

A run of words with capitals is a name where the words are no ordinary ones, or where what stands before says so.
At the start of a sentence every word has a capital: there more is asked.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from app.protect.detect.near_people import is_near_people, is_personal, is_personal_place, is_technical
from app.protect.detect.spans import Span
from app.protect.detect.things import acts_as_person, is_thing
from app.protect.detect.words import COMPANY, GIVEN, JOINS, LANDMARKS, TITLES, is_common, is_function, places

_CAP = r"[A-Z][A-Za-z]*+(?:['-][A-Za-z]+)*+"
_JOIN = (
    rf"(?:(?<=\b[A-Z])\. ?|(?<=\b[DMS]r)\. |(?<=\bMrs)\. |(?<=\bMs)\. |(?<=\bProf)\. |(?<=\bSt)\. | |, "
    rf"(?=(?:Inc|Ltd|LLC|Jr|Sr)\b)| (?:(?:{JOINS}) ){{1,2}}(?!I\b)| & )"
)
_RUN = re.compile(rf"(?<![\w@/\\.])(?<!\w-){_CAP}(?:{_JOIN}{_CAP})*+")
_TITLES, _JOINS = frozenset(TITLES.split("|")), frozenset(JOINS.split("|"))
_FIRMS_AND_PLACES = COMPANY | LANDMARKS
_WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*")

_STARTS = re.compile(r"(?:^|[.!?:;>*|\n\"(\[{]|\s-|--)[\s\"'(>*]*$")
# What makes the next words a name whatever they are. The same without capitals: spoken.py.
_CUED = re.compile(
    rf"(?:\bnames?(?:'s| is| was|:|\?)|\b(?:first|last|middle|maiden|family|full) name\W|\bcall(?:ed)? (?:me|him"
    rf"|her)|\bcalled|\bnamed|\b(?:{TITLES})\.?"
    r"|\bdear|\bsigned|\bsincerely,|\bregards,|\battn:?|\buser:|\bwritten by|\bby|\bsurname:?|\bpatient:?"
    r"|\bcustomer:?|\bclient:?)\s*$",
    re.I,
)
# Of these, the ones that no thing stands behind.
_PERSON_CUED = re.compile(
    rf"(?:name(?:'s| is| was|:|\?|\W)|\bcall me|\b(?:{TITLES})\.?|\bdear|\bsigned|sincerely,|\bregards,|\battn:?"
    rf"|\bsurname:?|\bpatient:?"
    r"|\bcustomer:?|\bclient:?)\s*$",
    re.I,
)
_TITLE_BEFORE = re.compile(rf"\b(?:{TITLES})\.? $", re.I)
_PLACE_BEFORE = re.compile(
    r"\b(?:in|from|at|to|near|of|where:|visit(?:ed|ing)?|across|around|via|leaving|toward|towards|outside|into)\s$",
    re.I,
)
_FIRM_BEFORE = re.compile(r"\b(?:from|at|for|by|with|joined|of|left|founded)\s$")
# A person does something, or owns something.
_ACTS = re.compile(
    r"(?:,|'s\b|\s*$|\s*\n|"
    r" (?:is|was|has|had|will|would|can|could|and|or|lives?|lived|works?|worked|says?|said|went|goes|came|comes"
    r"|spent|from|called"
    r"|told|asked|asks|wants?|needs?|moved|likes?|loves?|wrote|made|did|does|who|also|just|got|gets|never|always"
    r"|plays?|played|shouted|yelled|whispered|replied|laughed|smiled|cried|nodded|admitted|insisted|argued|agreed"
    r"|refused|promised"
    r"|sent|took|gave|thinks?|thought|joined|left|died|founded|became|married|received|reported|requested|applied"
    r"|complained|denied|explained|claimed|signed|paid|owes?|phoned|visited|stated|began|started)\b)"
)
_PRODUCT_AFTER = re.compile(r"[-_=(\d`]|[ ](?:v?\d|[A-Z]{1,3}\d)|\.[a-z_]")
_PRODUCT_BEFORE = re.compile(r"(?:[`_=\d<$#%+]|\d )$")
_LINE_BELOW = re.compile(r",?\n+ ?([A-Z][A-Za-z ]{2,40})")
_INNER = re.compile(r"(?!(?:Mc|Mac|De|Di|La|Le|Van|Von|Da|Du|Del|Fitz|O')[A-Z])[A-Za-z]*[a-z][A-Z]")


def names(folded: str, taken: list[Span]) -> list[Span]:
    """Kinds person, place, organisation, nationality, belief. `taken`, disjoint and in order, is passed over."""
    found: list[Span] = []
    starts = [span.start for span in taken]
    shouted = _is_shouted(folded)
    for hit in _RUN.finditer(folded):
        place = bisect_right(starts, hit.start()) - 1
        if place >= 0 and taken[place].end > hit.start():
            continue
        found += _run(folded, hit, shouted)
    return found


def _run(folded: str, hit: re.Match[str], shouted: bool) -> list[Span]:
    """The name within a run of capitals, if there is one."""
    if is_function(hit.group()):
        return []
    before = folded[max(0, hit.start() - 24) : hit.start()]
    words = [(hit.start() + word.start(), hit.start() + word.end()) for word in _WORD.finditer(hit.group())]
    starts = bool(_STARTS.search(before)) and not shouted
    cued = bool(_CUED.search(before))
    if hit.group().lower() in places():
        return [Span(*hit.span(), "place")] if is_personal_place(folded, hit.start(), hit.end()) else []
    words = _trimmed(folded, words, starts and not cued)
    if not words:
        return []
    first, end = words[0][0], words[-1][1]
    texts = [folded[a:b].removesuffix("'s") for a, b in words]
    if first != hit.start():
        before, starts = folded[max(0, first - 24) : first], False
        cued = bool(_CUED.search(before))
    if " ".join(texts).lower() in places():
        return [Span(first, end, "place")] if is_personal_place(folded, first, end) else []
    last = texts[-1].lower()
    thing = last not in _FIRMS_AND_PLACES and is_thing(folded, texts, before, end)
    thing = thing or (last in LANDMARKS and before.lower().endswith("the ") and not is_near_people(folded, first, end))
    if thing and not (cued and _PERSON_CUED.search(before)):
        return [span for span in _known(folded, words) if span.kind != "place"]
    if cued and not shouted and len(texts) < 5 and len(texts[0]) > 1:
        return [Span(first, end, "person")] if not all(map(is_function, texts)) and _cue_fits(texts, before) else []
    if shouted or _PRODUCT_AFTER.match(folded, end) or _PRODUCT_BEFORE.search(before):
        return _known(folded, words)
    if not _is_name(folded, texts, before, end, starts):
        return _known(folded, words)
    kind = _kind(texts, before)
    if kind in ("place", "nationality") and all(_is_country(text) for text in texts if text not in _JOINS):
        return [Span(first, end, kind)] if is_personal_place(folded, first, end) else []
    return [Span(first, end, kind)]


def _trimmed(folded: str, words: list[tuple[int, int]], starts: bool) -> list[tuple[int, int]]:
    """The words without those at both ends that belong to the sentence."""
    first, last = 0, len(words)
    while first < last:
        word = folded[slice(*words[first])]
        title = word.lower() in _TITLES
        follows = first + 1 < last and word.lower() in GIVEN and not is_common(folded[slice(*words[first + 1])])
        if title or follows or not (is_function(word) or (starts and is_common(word))):
            break
        first += 1
    while first < last and words[last - 1][1] - words[last - 1][0] > 1 and is_function(folded[slice(*words[last - 1])]):
        last -= 1
    return words[first:last]


def _cue_fits(texts: list[str], before: str) -> bool:
    """After a title or "name is" any word is a name; after "by" or "called" an ordinary one is not."""
    if all(map(is_common, texts)):
        return bool(_TITLE_BEFORE.search(before) or re.search(r"name\W", before[-12:], re.I)) and len(texts) < 3
    return True


def _is_name(folded: str, texts: list[str], before: str, end: int, starts: bool) -> bool:
    whole = [text for text in texts if len(text) > 1 and text not in _JOINS]
    strange = [text for text in whole if not is_common(text) and not _INNER.match(text)]
    if texts[-1].lower() in COMPANY and len(texts) > 1 and _FIRM_BEFORE.search(before):
        return True
    if texts[-1].lower() in _FIRMS_AND_PLACES and len(texts) > 1 and strange:
        return True
    if texts[0].lower() in _TITLES and len(texts) > 1:
        return True
    if not strange or 2 * len(strange) < len(whole):
        return False
    if all(text.isupper() for text in strange):
        return _is_loud_name(folded, strange, before, end)
    if len(whole) == 1 and len(texts) == 1:
        return _is_single(folded, strange[0], before, end, starts)
    # "Tukey and Ampere" is less sure than "Ada Tukey".
    pair = "and" in texts and len(texts) == 3
    return not pair or _is_somebody(folded, end - len(" ".join(texts)), end)


def _is_loud_name(folded: str, strange: list[str], before: str, end: int) -> bool:
    """Capitals throughout are a name after "in" or "from", and on a line above a country; another script's always."""
    if max(map(len, strange)) < 4:
        return False
    below = _LINE_BELOW.match(folded, end)
    return bool(
        _PLACE_BEFORE.search(before) or strange[0].startswith("QQ") or (below and below[1].lower().strip() in places())
    )


def _is_single(folded: str, word: str, before: str, end: int, starts: bool) -> bool:
    if len(word) < 3 or f" {word.lower()} " in folded:
        return False
    if not starts or word.lower() in places():
        return _is_somebody(folded, end - len(word), end)
    return bool(_ACTS.match(folded, end))


def _is_somebody(folded: str, start: int, end: int) -> bool:
    """Whether a single name is a person's: the sentence says so, or does not speak of work, machines or medicine."""
    return acts_as_person(folded, end) or is_near_people(folded, start, end) or not is_technical(folded, start, end)


def _known(folded: str, words: list[tuple[int, int]]) -> list[Span]:
    """Countries and peoples among words that are no name as a whole."""
    table = places()
    hits = ((a, b, table.get(folded[a:b].removesuffix("'s").lower())) for a, b in words)
    return [Span(a, b, entry[0]) for a, b, entry in hits if entry and is_personal(folded, a, b, entry[0])]


def _is_country(word: str) -> bool:
    return word.lower() in places() or is_common(word)


def _kind(texts: list[str], before: str) -> str:
    entry = places().get(texts[-1].lower())
    if entry:
        return entry[0]
    if texts[-1].lower() in COMPANY or "&" in texts:
        return "organisation"
    return "place" if _PLACE_BEFORE.search(before) else "person"


def _is_shouted(folded: str) -> bool:
    """Whether the text has capitals throughout, so that they tell nothing."""
    head = folded[:2000]
    upper = sum(map(str.isupper, head))
    return upper > 12 and upper > 3 * sum(map(str.islower, head))
