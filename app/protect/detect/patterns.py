"""What a pattern alone can tell: e-mail, IP, links, ZIP codes, ages, dates of birth.

All patterns run on the folded copy. Each takes linear time: a repetition starts only where it cannot have started
one character earlier, and does not give back what it has taken.
"""

from __future__ import annotations

import ipaddress
import re

from app.protect.detect.spans import Span

_EMAIL = re.compile(
    r"(?<![\w.+%'~-])[\w.+%'~-]++@(?:[\w-]+\.)+[^\W\d_]{2,}|(?<![\w.+%'~-])[\w.+%'~-]++@\[[\d.]{7,15}\]"
)
# "name (at) example (dot) com"
_SPELT = re.compile(
    r"(?<![\w.+-])[\w.+-]++ ?[\[({] ?at ?[\])}] ?\w[\w-]*+(?: ?(?:\.|[\[({] ?dot ?[\])}]) ?\w[\w-]*+){1,4}", re.I
)

_IP4 = re.compile(r"(?<![\w.-])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\w|\.\w|-\w)")
_IP6 = re.compile(
    r"(?<![\w:.])(?=[\da-fA-F]{0,4}:)[\da-fA-F]{0,4}(?::[\da-fA-F]{0,4}){2,8}+(?:\d*\.\d+\.\d+\.\d+)?(?![\w:])"
)
_VERSION = re.compile(
    r"(?:versions?|ver|v|build|release|rev|revision|firmware|driver|section|chapter|clause|==?|>=|<=)[.:_]{0,3} "
    r"?[=:]? ?[\"']?$",
    re.I,
)
_HEADING_NUMBER = re.compile(r"(?:\d\.){3}\d")

_SUFFIXES = (
    "com|org|net|edu|gov|mil|int|info|biz|eu|uk|de|fr|nl|se|dk|fi|ch|cz|hu|ru|jp|cn|au|nz|br|mx|ar|za|kr|tv|ca|ie|io|"
    "dev|app|online|shop|site|xyz"
)
_URL = re.compile(r"\b(?:https?|ftp)://[^\s<>\"'`{}|\\^]++|\bwww\.[^\s<>\"'`{}|\\^]++", re.I)
_DOMAIN = re.compile(
    rf"(?<![\w@./\\-])(?:[A-Za-z0-9-]++\.)+(?:{_SUFFIXES})(?:\.[a-z]{{2}})?(?![\w(\[=-]|\.\w)(?:/[^\s<>\"'`]*+)?"
)

_ZIP_CUE = re.compile(
    r"\b(?:zip(?:[ -]?codes?|(?= ?[:#=]| is\b))|post(?:al)?[ -]?code|plz|c\.?p\.(?= ?\d))(?!\w)\D{0,24}?", re.I
)
_ZIP_WORDS = ("zip", "post", "plz", "cp", "c.p")
_ZIP_VALUE = re.compile(r"(?<!\w)(?:[A-Z]{1,2}[ -]?)?\d[\dA-Z]{1,8}(?:[ -][\dA-Z]{0,2}\d[\dA-Z]{0,3})?(?![\w])")
_POSTCODE = re.compile(r"\b(?:[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d)\b")

_YEARS = r"(?:years?|yrs?|yo|y/o|months?)"
_AGES = re.compile(
    rf"\b(\d{{1,3}})(?=[ -]{_YEARS}[ -]old\b|[ -]?(?:yo|y/o|y\.o\.)(?!\w)|[ -]year[ -]olds?\b|yo\b)"
    r"|\b(?:aged?|the age of|age[:=]|age is|age was|ages?)[ ]{0,2}(\d{1,3})\b(?!\s?%|[.,:/-]\d)"
    r"|\b(?:he|she|i|they|who)(?:'s|'m| am| was| is| will be| just)? (?:turn(?:s|ed|ing)? |only |about |already )?"
    r"(\d{1,3})(?=[.,;!?]?(?:\s*$|\s*\n| [A-Z])|,? (?:when|and|years)\b)"
    r"|\bturn(?:s|ed|ing)? (\d{2,3})(?=[.,;!?]?(?:\s*$|\s*\n| [A-Z])|,? (?:when|and|but|so|in|on|last|this|next|today"
    r"|tomorrow"
    r"|yesterday|soon)\b)",
    re.I,
)

_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DATE = (
    rf"(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/. ]\d{{1,2}}[-/. ]\d{{2,4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -]{_MONTH}\.?,?[ -]\d{{2,4}}|{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? "
    rf"\d{{2,4}}|{_MONTH} \d{{4}}|\d{{4}})"
)
_BIRTH = re.compile(
    rf"(?:\bd\.?o\.?b\b\.?|\bdates? of birth\b|\bbirth ?(?:date|day)\b|\bborn\b|\byear of birth\b|\bgeb(?:oren|\.))"
    rf"[^\d]{{0,30}}?\b({_DATE})(?!\w)",
    re.I,
)
_BORN_AFTER = re.compile(rf"(?<!\w)({_DATE})(?= is (?:my|his|her|the) (?:date of birth|birthday|dob)\b)", re.I)


def emails(folded: str, small: str) -> list[Span]:
    """E-mail addresses."""
    return [Span(*hit.span(), "email") for hit in _EMAIL.finditer(folded)] if "@" in folded else []


def spelt_emails(folded: str) -> list[Span]:
    """E-mail addresses with their signs in words: "name (at) example (dot) com"."""
    if not any(bracket in folded for bracket in "([{"):
        return []
    return [Span(*hit.span(), "email") for hit in _SPELT.finditer(folded)]


def machine_addresses(folded: str, small: str) -> list[Span]:
    """IP addresses of both versions; not what is called a version, nor the number of a section."""
    found = []
    if folded.count(".") > 2:
        found = [Span(*hit.span(), "ip") for hit in _IP4.finditer(folded) if not _is_version(folded, hit)]
    if folded.count(":") > 1:
        found += [Span(*hit.span(), "ip") for hit in _IP6.finditer(folded) if _is_ip6(hit.group())]
    return found


def urls(folded: str) -> list[Span]:
    """Links, and bare names of sites under a well-known suffix that is no common file ending."""
    if "." not in folded and "://" not in folded:
        return []
    found = []
    for pattern in (_URL, _DOMAIN):
        for hit in pattern.finditer(folded):
            length = len(hit.group().rstrip(".,;:!?)]'"))
            found.append(Span(hit.start(), hit.start() + length, "url"))
    return found


def zips(folded: str) -> list[Span]:
    """Postal codes: whatever is called one, and the shapes that only they have (British, Canadian)."""
    found = [Span(*hit.span(), "zip") for hit in _POSTCODE.finditer(folded)]
    small = folded.lower()
    for cue in _ZIP_CUE.finditer(folded) if any(word in small for word in _ZIP_WORDS) else ():
        hit = _ZIP_VALUE.search(folded, cue.end(), cue.end() + 40)
        if hit:
            found.append(Span(*hit.span(), "zip"))
    return found


def ages(folded: str) -> list[Span]:
    """Ages of people in years, where the words around say so."""
    found = []
    for hit in _AGES.finditer(folded):
        group = hit.lastindex or 0
        if 0 < int(hit[group]) < 125:
            found.append(Span(*hit.span(group), "age"))
    return found


def births(folded: str) -> list[Span]:
    """Dates of birth: dates that are called so."""
    small = folded.lower()
    if not any(word in small for word in ("birth", "born", "dob", "d.o.b", "geb")):
        return []
    hits = (hit for pattern in (_BIRTH, _BORN_AFTER) for hit in pattern.finditer(folded))
    return [Span(*hit.span(1), "date_of_birth") for hit in hits]


def _is_version(folded: str, hit: re.Match[str]) -> bool:
    before = folded[max(0, hit.start() - 12) : hit.start()]
    if _VERSION.search(before):
        return True
    starts_line = not before or before.endswith("\n")
    return bool(starts_line and _HEADING_NUMBER.fullmatch(hit.group()) and folded[hit.end() : hit.end() + 1] == " ")


def _is_ip6(text: str) -> bool:
    """Two groups at least, and a digit: `::` and `a::b` stand in programs."""
    if sum(map(bool, text.split(":"))) < 2 or not any(map(str.isdigit, text)):
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
