"""Numbers that belong to somebody: cards, accounts, telephones, national numbers, licences.

A number is taken for what its check digit, its shape or the words around it say. What stands nearest before it
decides: "order 4111…" is an order, "card 4111…" a card.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module

from app.protect.detect.number_words import kind_by_words
from app.protect.detect.phones import is_mobile_somewhere, is_national_phone
from app.protect.detect.spans import Span

# Six digits or more, with at most three characters between two of them.
_NUMBER = re.compile(r"(?<![\w.,$\\-])(?<!\d[:/])[+(]{0,2}\d(?:[ ().\-/]{0,3}\d){5,}+")
_PHONE_AFTER = re.compile(r"[ ,(\n]{0,3}(?:office|home|work|direct|desk|fax|mobile|cell|tel)\b", re.I)
# Six digits are a number where it is labelled so: Greenland, the Faroes.
_SHORT_PHONE = re.compile(r"\d\d([ -])\d\d\1\d\d|\d{3}[ -]?\d{3}")
_PHONE_BEFORE = re.compile(
    r"\b(?:phone|tel|telefon|telephone|mobile|fax|cell|call(?: me)? (?:at|on))[.:]{0,2}\s{1,2}$", re.I
)
_DOTTED_QUAD = re.compile(r"\(?\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?\)?")
_NAME_AFTER = re.compile(r" [A-Z]")
_TWO_FOURS = re.compile(r"\d{4} \d{4}")
_EXTENSION = re.compile(r" ?(?:x|ext\.?|extension|#) ?\d{1,6}\b", re.I)
_DATE = re.compile(
    r"(?:19|20)\d\d([-/. ])[01]?\d\1[0-3]?\d(?!\d)|[0-3]?\d([-/. ])[0-3]?\d\2(?:19|20)\d\d(?!\d)|(?:19|20)\d\d ?[-/] "
    r"?(?:19"
    r"|20)\d\d$"
)
_MONEY = re.compile(r"(?:[$€£¥]|\b(?:usd|eur|gbp|chf|jpy|sek|nok|dkk|inr))[ ]?$", re.I)
_MONEY_AFTER = re.compile(
    r" ?(?:[%$€£¥]|(?:usd|eur|gbp|chf|jpy|sek|nok|dkk|inr|dollars|euros|pounds|[kmgt]?bytes|rows|people|users|units"
    r"|items"
    r"|tokens|records|inhabitants|shares|parameters|seconds|ms|km|kg|views|votes|copies)\b)",
    re.I,
)
# As issuers begin them: Visa, Mastercard, American Express, Diners, JCB, Discover, UnionPay, Maestro, RuPay, Mir.
_CARD = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[0-8]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[0689]\d{12}|35\d{14}|(?:1800|2131)\d{11}"
    r"|6\d{15}(?:\d{1,3})?|3[0689]\d{14}|8[12]\d{14}|(?:50[1-3]\d|5893|63(?:04|90)|67\d\d)\d{8,15}"
)
_CARD_SHAPE = re.compile(r"\d(?:[ .-]?\d)+")
_CARD_GROUPS = re.compile(
    r"\d{12,19}|\d{4}([ .-])\d{4}\1\d{4}\1\d{1,4}(?:\1\d{1,3})?|\d{4}([ .-])\d{6}\2\d{4,5}|\d{6}([ .-])\d{6,13}"
)
_PHONE_SHAPES = re.compile(
    r"(?:1[ .-])?\(?[2-9]\d\d\)?[ .-]{1,2}\d{3}[ .-]\d{4}"  # North America
    r"|\(\d{1,5}\) ?\d[\d .-]{4,11}\d"  # an area code in brackets
    r"|0\d{1,5}(?:[ ./-]{1,3}\d{2,8}){1,4}"  # a trunk zero
    r"|(?:0\d|\d\d)(?:[ .-]\d\d){3,5}"  # pairs
)
# National numbers that their check digits or their shape tell, and the module of stdnum that knows them.
_NATIONAL = (
    (re.compile(r"(?!000|666)\d{3}([- ])(?!00)\d\d\1(?!0000)\d{4}"), ""),  # United States: no check digit
    (re.compile(r"\d{3}\.\d{3}\.\d{3}-\d\d"), "br.cpf"),
    (re.compile(r"\d{6}-\d{4}"), "se.personnummer"),
    (re.compile(r"\d{6}-\d{4}"), "dk.cpr"),
    (re.compile(r"\d{4} \d{4} \d{4}"), "in_.aadhaar"),
    (re.compile(r"756\.\d{4}\.\d{4}\.\d\d"), "ch.ssn"),
    (re.compile(r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d"), "be.nn"),
    (re.compile(r"\d\d \d{3} \d{3} \d{3}"), "de.idnr"),
    (re.compile(r"[0-3]\d \d\d \d{3} \d{3} \d{3}"), "fr.nif"),
    (re.compile(r"[1278][ .]?\d\d[ .]?\d\d[ .]?\d\d[ .]?\d{3}[ .]?\d{3}[ .-]?\d\d"), "fr.nir"),
    (re.compile(r"\d{6}-[1-8]\d{6}"), "kr.rrn"),
    (re.compile(r"\d{18}"), "cn.ric"),
    (re.compile(r"\d{1,2}\.\d{3}\.\d{3}-\d"), "cl.rut"),
    (re.compile(r"[23]\d-\d{8}-\d"), "ar.cuit"),
)
_LETTERED = (
    (re.compile(r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]\b"), ""),  # British: no check digit
    (re.compile(r"\b[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]\b"), "it.codicefiscale"),
    (re.compile(r"\b[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z\d]\d\b"), "mx.curp"),
    (re.compile(r"\b(?:\d{8}-?|[XYZ]-?\d{7}-?)[A-Z]\b"), "es.dni"),
    (re.compile(r"\b[XYZ]\d{7}[A-Z]\b"), "es.nie"),
    (re.compile(r"\b\d{6}[-+A]\d{3}[\dA-Z]\b"), "fi.hetu"),
    (re.compile(r"\b[A-Z]{5}\d{4}[A-Z]\b"), "in_.pan"),
    (re.compile(r"\b[12] ?\d\d ?\d\d ?2[AB] ?\d{3} ?\d{3} ?\d\d\b"), "fr.nir"),  # Corsica
    (re.compile(r"\b\d{17}X\b"), "cn.ric"),
    (re.compile(r"\b\d{1,2}\.\d{3}\.\d{3}-[kK]\b"), "cl.rut"),
)
_LETTERED_START = re.compile(
    r"\b(?:[A-Z]{1,6}[ -]?\d\d|\d{6,17}[-+A-Z]|[12] ?\d\d ?\d\d ?2[AB]|\d{1,2}\.\d{3}\.\d{3}-[kK])"
)
_IBAN = re.compile(
    r"\b[A-Za-z]{2}\d\d(?:[ -]?[A-Za-z\d]{4}){2,7}+(?:[ -]?[A-Za-z\d]{1,4})?\b|\b[A-Za-z]{2}\d\d[A-Za-z\d]{11,30}\b"
)
_LICENCE_CUE = re.compile(
    r"\bdriv(?:er|ing)(?:'?s'?)? (?:licen[cs]e|permit)|\blicen[cs]e (?:number|num|no|id|#)|\bDL(?: ?#|:| no\b| "
    r"number\b)|\bpassport\b",
    re.I,
)
_LICENCE_WORDS = ("licen", "permit", "passport", "dl")
_LICENCE = re.compile(
    r"(?<![\w-])(?=(?:[ -]?[A-Za-z]){0,4}[ -]?\d)(?:[A-Za-z]{1,4}[ -]?)?\d[\dA-Za-z]*+(?:[ -]\d+){0,5}+(?![\w])"
)


def numbers(folded: str, small: str) -> list[Span]:
    """Kinds card, iban, phone, national_id, licence, account. `small` is the folded text in small letters."""
    found = _ibans(folded) + _lettered(folded)
    if any(word in small for word in _LICENCE_WORDS):
        found += _licences(folded)
    for hit in _NUMBER.finditer(folded):
        found += _parts(folded, hit.start(), hit.end())
    return found


def _parts(folded: str, start: int, end: int) -> list[Span]:
    """The numbers within a run: the run as a whole, else the longest of its pieces between spaces."""
    whole = _number(folded, start, end)
    if whole:
        return [whole]
    pieces = [(start + hit.start(), start + hit.end()) for hit in re.finditer(r"[^ ]+", folded[start:end])]
    found: list[Span] = []
    first = 0
    while first < len(pieces) and len(pieces) > 1:
        for last in range(min(len(pieces), first + 5) - 1, first - 1, -1):
            part = (
                _number(folded, pieces[first][0], pieces[last][1]) if pieces[last][1] - pieces[first][0] > 6 else None
            )
            if part:
                found.append(part)
                first = last
                break
        first += 1
    return found


def _number(folded: str, start: int, end: int) -> Span | None:
    """What the number from start to end is, if it is anybody's."""
    raw = folded[start:end]
    digits = "".join(filter(str.isdigit, raw))
    after = folded[end : end + 40]
    if not 6 <= len(digits) <= 19 or (after[:1].isalnum() and not _EXTENSION.match(after)) or after[:1] == "_":
        return None
    before = folded[max(0, start - 64) : start]
    if len(digits) == 6:
        return Span(start, end, "phone") if _SHORT_PHONE.fullmatch(raw) and _PHONE_BEFORE.search(before) else None
    cue = "phone" if _PHONE_AFTER.match(after) else kind_by_words(before, after)
    if _no_identifier(raw, digits, before, after, cue) and cue not in ("card", "national"):
        return None
    if before.endswith("#") and cue not in ("card", "national", "phone", "account"):
        return None
    if _is_national(raw, digits, cue):
        return Span(start, end, "national_id")
    if _is_card(raw, digits, cue):
        return Span(start, end, "card")
    if cue == "account" and not re.search(r"[+(/]", raw):
        return Span(start, end, "account")
    # "9543 1819 Oak Street" are a lot and a house.
    house = not cue and _NAME_AFTER.match(after) and _TWO_FOURS.fullmatch(raw)
    if cue != "thing" and not house and _is_phone(raw, digits, cue):
        more = _EXTENSION.match(after)
        return Span(start, end + (more.end() if more else 0), "phone")
    return None


def _no_identifier(raw: str, digits: str, before: str, after: str, cue: str) -> bool:
    """Dates, amounts, book numbers, decimals."""
    if _DATE.match(raw.lstrip("(")) or _MONEY.search(before) or _MONEY_AFTER.match(after):
        return True
    if len(digits) == 13 and digits.startswith(("978", "979")):
        return True
    if raw.count(".") != 1 or re.search(r"[ ()/+-]", raw):
        return False
    # 3.14159265, but 07436.083778 where a telephone is spoken of.
    return cue != "phone" or raw.index(".") < 3


def _is_card(raw: str, digits: str, cue: str) -> bool:
    if len(digits) < 12 or not _CARD_SHAPE.fullmatch(raw):
        return False
    if cue == "card":
        return True
    if cue == "thing" or (cue == "phone" and len(digits) < 16):
        return False
    return bool(_CARD_GROUPS.fullmatch(raw) and _CARD.fullmatch(digits)) and _is_luhn(digits)


def _is_national(raw: str, digits: str, cue: str) -> bool:
    if cue == "national" and 8 <= len(digits) <= 15:
        return True
    if cue in ("thing", "card", "phone"):
        return False
    return any(shape.fullmatch(raw) and (not module or _valid(module, raw)) for shape, module in _NATIONAL)


def _is_phone(raw: str, digits: str, cue: str) -> bool:
    if len(digits) > 15:
        return False
    abroad = (
        raw.startswith(("+", "(+", "00")) and len(digits) >= 8 and _is_abroad(f"+{digits.lstrip('0')}", raw.isdigit())
    )
    if abroad or raw.startswith(("+", "(+")):
        return abroad
    if cue == "phone":
        # One piece that is a whole number already does not go on with the next.
        return " " not in raw or not any(len(piece) > 9 and _PHONE_SHAPES.fullmatch(piece) for piece in raw.split(" "))
    if cue == "measure" or raw.startswith("00") or "  " in raw or _DOTTED_QUAD.fullmatch(raw):
        return False
    if _PHONE_SHAPES.fullmatch(raw) and 8 <= len(digits) <= 13:
        return True
    if raw.isdigit():
        return 10 <= len(digits) <= 12 and digits[0] == "0" and digits[1] != "0" and is_mobile_somewhere(digits)
    groups = re.findall(r"\d+", raw)
    # Two groups of four are a number in Hong Kong and Singapore; those with 00 at the end are amounts.
    fours = len(raw) == 9 and len(groups[0]) == 4 and raw[0] in "689" and not raw.endswith("00")
    parted = len(groups) > 2 or "(" in raw or fours or (groups[0][0] == "0" and len(digits) > 8)
    return parted and is_national_phone(raw)


def _ibans(folded: str) -> list[Span]:
    """The longest stretch of each candidate that passes the check digits; all of it where it is called IBAN."""
    found = []
    for hit in _IBAN.finditer(folded):
        ends = [place for place in range(hit.end(), hit.start() + 14, -1) if not folded[place : place + 1].isalnum()]
        end = next((end for end in ends if _is_iban(folded[hit.start() : end])), None)
        if end is None and re.search(r"\biban\b", folded[max(0, hit.start() - 32) : hit.start()], re.I):
            end = hit.end()
        if end is not None:
            found.append(Span(hit.start(), end, "iban"))
    return found


def _is_iban(text: str) -> bool:
    compact = re.sub("[ -]", "", text)
    return 15 <= len(compact) <= 34 and int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def _licences(folded: str) -> list[Span]:
    found = []
    for cue in _LICENCE_CUE.finditer(folded):
        hits = [hit for hit in _LICENCE.finditer(folded, cue.end(), cue.end() + 64) if _is_licence(hit.group())][:1]
        hits = hits or [
            hit for hit in _LICENCE.finditer(folded, max(0, cue.start() - 40), cue.start()) if _is_licence(hit.group())
        ]
        found += [Span(*hit.span(), "licence") for hit in hits]
    return found


def _is_licence(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= 4 and len(text) <= 24 and not _DATE.fullmatch(text)


def _lettered(folded: str) -> list[Span]:
    found = []
    for start in _LETTERED_START.finditer(folded):
        for shape, module in _LETTERED:
            hit = shape.match(folded, start.start())
            if hit and (not module or _valid(module, hit.group())):
                found.append(Span(*hit.span(), "national_id"))
    return found


def _is_luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0


def _valid(module: str, number: str) -> bool:
    """Whether stdnum's module takes the number. Imported at its first use (20 ms); cards and IBAN do without."""
    return bool(import_module(f"stdnum.{module}").is_valid(number))


@lru_cache(256)
def _is_abroad(number: str, strictly: bool) -> bool:
    """Whether a number with its country code has a length that country uses; strictly: whether it is in use."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed) if strictly else phonenumbers.is_possible_number(parsed)
