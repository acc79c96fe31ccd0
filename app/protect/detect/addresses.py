"""Postal addresses: a house number and a street to start from, then whatever belongs to the same lines."""

from __future__ import annotations

import re

from app.protect.detect.spans import Span
from app.protect.detect.words import JOINS, is_common, is_function, word_set

_STREETS = (
    "street|streets|str|st|road|roads|rd|avenue|ave|av|avenida|avda|lane|ln|drive|dr|court|courts|ct|crescent|cres|"
    "close|boulevard|blvd|bulevardi|way|terrace|terrasse|place|pl|square|squares|sq|parkway|pkwy|highway|hwy|route|"
    "rte|circle|cir|trail|trl|alley|row|walk|grove|hill|mews|gardens|park|loop|plaza|pike|rue|impasse|chemin|allee|"
    "quai|via|viale|vicolo|piazza|corso|strada|calle|paseo|camino|carrera|rua|travessa|largo|praca|praia|ulica|ul|"
    "ulice|aleja|trg|utca|ut|kapu|ter|tie|katu|vei|veien|vej|gade|gata|gatan|plein|straat|laan|weg|gasse|platz|"
    "strasse|namesti|nabrezi|prospekt|ulitsa|utja|poik"
)
_STREET_ENDINGS = (
    "stra(?:ss|s)e|gasse|weg|platz|allee|damm|gatan|vagen|gata|veien|vegen|vei|vej|gade|alle|katu|tie|kuja|polku|"
    "straat|laan|plein|dijk|kade|utca|ringen|svingen|bakken|lia|grend"
)
_STREET = re.compile(rf"\b(?:(?:{_STREETS})\b|\w{{3,}}(?:{_STREET_ENDINGS})\b)", re.I)
_ROOM = r"(?:suite|ste|apt|apartment|unit|floor|fl|room|rm|box|bsmt|flat|building|bldg|lot|dept|p\.?o\.? box)\b\.?"
_CAP = r"[A-Z][A-Za-z]*+(?:['.-]*[A-Za-z]+)*+"
# Those that are written small, or shortened, within a name.
_SMALL_STREET = (
    r"(?:street|st|str|road|rue|avenue|ave?|avda|via|calle|rua|r|strada|ul|ulica|trg|utca|utja|kapu|ter|tie|katu|poik|"
    r"platz|weg|gasse|vei|veien|vej|gade|gata|gatan|terrasse|straat|laan)\b\.?"
)
_BETWEEN = rf"(?:(?:(?<=\b[A-Z])|(?<=\bSt)|(?<=\bMt)|(?<=\bStr))\. ?|[ -]{{1,2}})(?:(?:{JOINS}) ){{0,2}}"
_NAME = (
    rf"(?:(?i:{_SMALL_STREET}) (?:(?:{JOINS}) ){{0,2}}(?:(?<= ..[ls] )[a-z]{{4,}} )?)?{_CAP}(?:{_BETWEEN}{_CAP}"
    rf"| {_SMALL_STREET}| u\.(?= \d)){{0,6}}+"
)

# A house number (or two), and a name.
_HOUSE = re.compile(rf"(?<![\w.,:/$#-])(?<!\$ )(\d{{1,6}}[A-Za-z]?(?:[ /-]\d{{1,5}}){{0,2}},? +)({_NAME})")
# A street whose name says so, and a house number behind it.
_NUMBER_LAST = re.compile(
    rf"(?<![\w-])((?:{_NAME})),? \d{{1,4}}[A-Za-z]?(?![\w-]|\.\d)(?P<street> {_SMALL_STREET}| (?:St|Street|Rd|Ave)\b)?"
)
_MILITARY = re.compile(
    r"\b(?:Unit|PSC) \d{3,5},? Box \d{2,5}|\bP\.? ?O\.? Box \d+|\bUS(?:S|NS|NV|CGC) [A-Z][a-z]+(?=[\n,])"
    r"|\b[AFD]PO,? A[AEP] \d{5}"
)
_CORNER = re.compile(
    rf"((?:\bthe )?\bcorner of (?:\d+ )?{_NAME}(?: \d{{1,4}}\b\.?)?(?: and (?:\d+ )?{_NAME}(?: \d{{1,4}}\b)?)?)"
)
# A town after a preposition, and its code.
_TOWN_CODE = re.compile(rf"\b(?:in|at|from|to|near) ((?:{_NAME}),? \d{{4,5}}(?:-\d{{3,4}})?)(?![\w-]|[.,:]\d)")
# The same without capitals.
_SMALL_TOWN_CODE = re.compile(
    r"\b(?:in|at|from|to|near) ((?:[a-z][a-z'.-]*+ ){1,4}?\d{5})(?= (?:in|at|and|to|for|with|on)\b|[,.!?]?\s*$|, )"
)
_STATES = word_set(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR "
    "PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR"
)
_STATE_ZIP = re.compile(r"\b[A-Z]{2},? \d{5}(?:-\d{4})?(?![\w-])")
_CUE_BEFORE = re.compile(r"(?:\b(?:at|on|to|in|near|from|address|is|of|into|until)|[:?>])[ \n]{0,2}$", re.I)
_YEAR = re.compile(r"(?:19|20)\d\d,? +$")

# What goes on after the first name: separators, then a room, a number, a name.
_SEPARATOR = r"(?:[,.]? ?\n[ >]{0,3},? ?|, ?|\.? ){1}"
_MORE = re.compile(
    rf"(?:{_SEPARATOR})(?:(?P<room>{_ROOM} ?\w{{1,6}}\b)"
    rf"|(?P<number>(?:[A-Z]{{1,2}}-)?\d{{1,6}}(?:-\d{{1,4}})?[A-Za-z]?(?![\w:/]|[.,]\d))"
    rf"|(?P<nan>nan\b)|(?P<name>{_NAME}))",
)
_ROOM_NEXT = re.compile(rf"[,.]?[ \n]{{1,3}}(?:{_ROOM} ?\w{{1,6}}\b|\d{{1,5}}[A-Za-z]?\.?(?![\w.,:%/-]))", re.I)
_ROOM_SOON = re.compile(rf"[\s\d,.]{{1,8}}{_ROOM}", re.I)
_LAST_LINE = re.compile(r"[,.]?\s{1,4}>?(?:[A-Z][A-Za-z .-]{1,40}?)?,? ?\d{4,6}(?!\w)")

# The same without capitals.
_SMALL = re.compile(
    rf"(?<![\w.,:/$#-])\d{{1,6}}(?: \d{{1,5}})? (?:[a-z][a-z'.-]*+ ){{0,4}}?(?:(?:{_STREETS})\b\.?"
    rf"|[a-z]{{3,}}(?:{_STREET_ENDINGS})\b"
    rf"|[a-z'.-]+,? (?={_ROOM} ?\d))(?: [a-z]{{2,}}(?= \d))?(?:[ ,]{{1,2}}(?:{_ROOM} ?)?\d{{1,5}}\b)*(?:, ?[a-z'. "
    rf"-]{{2,30}}?(?: \d{{3,6}})?(?=,|[.?!]|$))*(?:[ ,]+\d{{4,6}}\b)?"
)


def addresses(folded: str) -> list[Span]:
    """Postal addresses, from the house number (or the street) to the country and its code, kind `address`."""
    found = []
    if re.search(r"\d", folded):
        found = [_grown(folded, span) for span in _starts(folded)]
        found += [Span(*hit.span(), "address") for hit in _STATE_ZIP.finditer(folded) if hit.group()[:2] in _STATES]
        if not re.search("[A-Z][a-z]", folded):
            found += [Span(*hit.span(), "address") for hit in _SMALL.finditer(folded)]
            found += [Span(*hit.span(1), "address") for hit in _SMALL_TOWN_CODE.finditer(folded) if _has_name(hit[1])]
    found += [Span(*hit.span(1), "address") for hit in _CORNER.finditer(folded)]
    return found


def _starts(folded: str) -> list[Span]:
    """What an address may grow from."""
    found = [Span(*hit.span(), "address") for hit in _MILITARY.finditer(folded)]
    found += [Span(*hit.span(), "address") for hit in _HOUSE.finditer(folded) if _is_house(folded, hit)]
    found += [
        Span(*hit.span(), "address") for hit in _NUMBER_LAST.finditer(folded) if hit["street"] or _STREET.search(hit[1])
    ]
    for hit in _TOWN_CODE.finditer(folded):
        name, code = hit[1].rsplit(" ", 1)
        if not _YEAR.fullmatch(f"{code} ") and not all(map(is_common, re.findall("[A-Za-z]+", name))):
            found.append(Span(*hit.span(1), "address"))
    return found


def _has_name(town: str) -> bool:
    return not all(map(is_common, re.findall("[a-z']+", town)))


def _is_house(folded: str, hit: re.Match[str]) -> bool:
    """Whether a number before a name is a house: the street says so, or what is around."""
    name = hit[2]
    words = re.findall(r"[A-Za-z']+", name)
    if _STREET.search(name) and not all(map(is_function, words)):
        return True
    if all(map(is_common, words)):
        return False
    if _ROOM_NEXT.match(folded, hit.end()) and not (
        _YEAR.fullmatch(hit[1]) and not _ROOM_SOON.match(folded, hit.end())
    ):
        return True
    if _YEAR.fullmatch(hit[1]):
        return False
    before = folded[max(0, hit.start() - 12) : hit.start()]
    own_line = not before.strip(" >") or before.rstrip(" >").endswith("\n")
    return own_line or bool(_CUE_BEFORE.search(before) and sum(map(str.isdigit, hit[1])) > 1)


def _grown(folded: str, span: Span) -> Span:
    """The address with the rooms, towns, codes and countries that follow."""
    end = span.end
    for _ in range(12):
        hit = _MORE.match(folded, end)
        if not hit or not _goes_on(folded, end, hit):
            break
        end = hit.end()
    last = _LAST_LINE.match(folded, end)
    return Span(span.start, last.end() if last else end, "address")


def _goes_on(folded: str, end: int, hit: re.Match[str]) -> bool:
    """Whether the next piece still belongs to the address, and is no new sentence."""
    name = hit["name"]
    if not name:
        return True
    first = re.findall(r"[A-Za-z']+", name)[0]
    if is_function(first) and first.lower() not in ("the", "no", "us", "new", "west", "east"):
        return False
    # "St. Louis" goes on, "Poland. Please" does not.
    return not (folded.startswith(". ", end) and folded[end - 4 : end].isalpha())
