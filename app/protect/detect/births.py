"""Dates of birth, in digits or in words, in English, German, French, Spanish, Portuguese and their neighbours."""

from __future__ import annotations

import re

from app.protect.detect.spans import Span
from app.protect.detect.words import any_of, word_set

_CUE = re.compile(
    r"\b(?:d\.?o\.?b\b\.?|dates? of birth|birth ?(?:date|day)|day of birth|born(?: and raised)?|year of birth"
    r"|geburts(?:datum|tag)"
    r"|geb(?:oren)?\b\.?|(?:date|jour|lieu et date) de naissance|naissance|nee?s?(?:\(e\))?(?= (?:le|en|a|au|dans|un"
    r"|d')\b)"
    r"|anniversaire|fecha de nac(?:imiento|\.)?|nacimiento|nacio|nacid[oa]s?|nac\.|naci|cumpleanos|data de "
    r"nasc(?:imento|\.)?"
    r"|nascimento|nascid[oa]s?|nasceu|nasci|aniversario|nat[oa](?= (?:il|a|l'|nel)\b)|nascita|geboortedatum"
    r"|urodz(?:ony|ona|il|ila)|ur\.|fodt|fodd|fodselsdato|fodelsedatum|syntynyt)"
)
_CUE_WORDS = any_of((
    "born", "birth", "dob", "d.o.b", "gebor", "geburt", "geb.", "naiss", "ne le", "nee le", "ne en", "nee en", "nee a",
    "ne a", "nee un", "ne(e)", "nee au", "ne au", "anniversa", "nac", "nasc", "cumple", "aniversario", "nato ",
    "nata ",
    "urodz", "ur. ", "fodt", "fodd", "fods", "fodel", "syntynyt",
))  # fmt: skip
_TOKEN = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,4}(?:st|nd|rd|th|er|ere|o|a)?(?![\w])|[a-z]+(?:'(?=[a-z]))?|[^\sa-z\d]"
)
_REACH_CHARACTERS, _LEAD_WORDS, _MOST_TOKENS = 110, 7, 24
_MONTHS = word_set(
    "january february march april may june july august september october november december jan feb mar apr jun jul "
    "aug "
    "sep sept oct nov dec januar janner februar feber marz mai juni juli oktober dezember dez janvier fevrier mars "
    "avril "
    "juin juillet aout septembre octobre novembre decembre enero febrero marzo abril mayo junio julio agosto "
    "septiembre "
    "setiembre octubre noviembre diciembre ene abr ago dic janeiro fevereiro marco maio junho julho setembro outubro "
    "novembro dezembro gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre januari februari maart "
    "mei augustus stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia "
    "marts augusti"
)
_NUMBER_WORDS = word_set(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand oh first second third fourth "
    "fifth "
    "sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth "
    "eighteenth "
    "nineteenth twentieth thirtieth "
    "un une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt vingts trente "
    "quarante cinquante soixante septante huitante octante nonante cent cents mil mille premier premiere "
    "uno una dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete "
    "dieciocho diecinueve veinte veintiuno veintiun veintidos veintitres veinticuatro veinticinco veintiseis "
    "veintisiete veintiocho veintinueve treinta cuarenta cincuenta sesenta setenta ochenta noventa cien ciento "
    "novecientos ochocientos primero "
    "um uma dois duas quatro sete oito nove dez doze treze quatorze dezesseis dezasseis dezessete dezassete dezoito "
    "dezenove dezanove vinte trinta quarenta cinquenta sessenta setenta oitenta novecentos oitocentos primeiro "
    "primo due quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici diciassette "
    "diciotto diciannove venti trenta"
)
_GERMAN_PART = (
    "(?:ein|eins|zwei|zwo|drei|vier|funf|sechs|sech|sieben|sieb|acht|neun|zehn|elf|zwolf|zwanzig|und|zig|s{1,2}ig"
    "|hundert|tausend|ers|drit)"
)
_GERMAN_NUMBER = re.compile(rf"{_GERMAN_PART}{{1,9}}(?:s?ten?|s?ter|s?tes)?|siebten?|siebter")
_LINKS = word_set(
    "of the de d' del do da le la el em en et and y e in on am den der im , . - ' anno year ano ano l' dell' van dia "
    "jour day tag the anos"
)
_FULL_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}")
_YEAR = re.compile(r"(?:19|20)\d\d")


def full_births(folded: str, small: str) -> list[Span]:
    """Dates beside a word for birth that say the day and the month, or the month and the year. Kind date_of_birth.

    `small` is the folded text in small letters.
    """
    if not _CUE_WORDS.search(small):
        return []
    found = []
    end = 0
    for cue in _CUE.finditer(small):
        if cue.start() >= end and (span := _date_after(small, cue.end())):
            found.append(span)
            end = span.end
        elif cue.group().startswith("gebor") and (span := _date_before(small, max(end, cue.start() - 60), cue.start())):
            found.append(span)
    return found


def _date_before(small: str, start: int, end: int) -> Span | None:
    """The date that "geboren" ends a clause with."""
    lead = small.rfind(" am ", start, end)
    span = _date_after(small, lead + 4) if lead >= 0 else None
    return span if span and span.end <= end else None


def _date_after(small: str, start: int) -> Span | None:
    """The date that begins a few words after start."""
    first = last = -1
    months = numbers = skipped = 0
    for token in list(_TOKEN.finditer(small, start, start + _REACH_CHARACTERS))[:_MOST_TOKENS]:
        word = token.group()
        if _FULL_DATE.fullmatch(word) and not months:
            return Span(*token.span(), "date_of_birth")
        month = word in _MONTHS and (months == 0 or word not in ("mar", "may"))
        number = word[0].isdigit() or word in _NUMBER_WORDS or bool(_GERMAN_NUMBER.fullmatch(word))
        if month or number:
            if (
                word in ("un", "une", "una", "um", "uma", "a", "one", "second", "e")
                and first < 0
                and not _leads(small, token)
            ):
                skipped += 1
                continue
            first = token.start() if first < 0 else first
            last = token.end()
            months += month
            numbers += number
            if months and _YEAR.fullmatch(word):
                break
        elif first >= 0 and word not in _LINKS:
            break
        elif first < 0:
            skipped += word.isalpha()
            if skipped > _LEAD_WORDS or word in (";", "!", "?"):
                return None
    return Span(first, last, "date_of_birth") if months == 1 and numbers else None


def _leads(small: str, token: re.Match[str]) -> bool:
    """Whether a word that may be an article counts something: a month follows soon."""
    following = small[token.end() : token.end() + 24]
    return any(word in _MONTHS for word in re.findall("[a-z]+", following)[:3])
