"""Number plates of vehicles, where the words around speak of one."""

from __future__ import annotations

import re

from app.protect.detect.spans import Span
from app.protect.detect.words import any_of, is_function

# Words that name a plate, and words that only name a vehicle, in small letters.
_PLATE_WORDS = (
    "license plate", "licence plate", "number plate", "numberplate", "plate", "plates", "registration", "registered",
    "reg no", "reg. no", "reg nr", "reg", "vrm", "vrn", "kennzeichen", "nummernschild", "immatriculation",
    "immatriculee",
    "immatricule", "plaque", "matricula", "matricola", "targa", "placa", "placas", "kenteken", "rejestracyjny",
    "tablica",
    "registreringsnummer", "rc number", "vehicle no", "vehicle number",
)  # fmt: skip
_VEHICLE_WORDS = (
    "car", "cars", "vehicle", "vehicles", "van", "truck", "lorry", "taxi", "cab", "motorbike", "motorcycle", "scooter",
    "parked", "drives", "driving", "drove", "wagen", "pkw", "lkw", "fahrzeug", "motorrad", "auto", "voiture",
    "vehicule",
    "camion", "moto", "coche", "vehiculo", "carro", "veiculo", "macchina", "sedan", "suv", "hatchback", "bmw", "audi",
    "mercedes", "volkswagen", "vw", "golf", "toyota", "honda", "ford", "fiat", "renault", "peugeot", "skoda", "opel",
    "hyundai",
    "maruti", "tesla", "uber", "speeding", "geparkt", "garee", "aparcado", "estacionado",
)  # fmt: skip
_CUE = any_of(_PLATE_WORDS + _VEHICLE_WORDS)
# How far from the word a plate may stand: before it, behind it, and behind it in small letters.
_BEFORE_CHARACTERS, _AFTER_CHARACTERS, _CLOSE_CHARACTERS = 28, 48, 24
_SHAPES = re.compile(
    r"(?<![\w-])(?:"
    r"[A-Z]{1,3}[ -][A-Z]{1,2}[ -]?\d{1,4}[EH]?"  # Germany
    r"|[A-Z]{2}[ -]?\d{3}[ -]?[A-Z]{2}"  # France, Italy
    r"|\d{1,4} ?[A-Z]{2,3} ?(?:\d\d|2[AB])"  # France, before 2009
    r"|\d{4}[ -]?[BCDFGHJKLMNPRSTVWXYZ]{3}|[A-Z]{1,2}[ -]\d{4}[ -][A-Z]{1,2}"  # Spain
    r"|[A-Z]{2}[ -]?\d{1,2}[ -]?[A-Z]{1,3}[ -]?\d{4}|\d\d ?BH ?\d{4} ?[A-Z]{1,2}"  # India
    r"|[A-Z]{2}\d\d ?[A-Z]{3}|[A-Z]\d{1,3} ?[A-Z]{3}|[A-Z]{3} ?\d{1,3}[A-Z]"  # Britain
    r"|[A-Z]{3}[ -]?\d[A-Z0-9]\d\d"  # Brazil
    r"|\d{1,2}-?[A-Z]{2,3}-?\d{1,2}|[A-Z]{2}-?\d{2,3}-?[A-Z]{1,2}|[A-Z]{1,2}-\d{3}-[A-Z]{1,2}"  # Netherlands
    r"|[A-Z]{2,3} ?[A-Z\d]{4,5}"  # Poland, and others
    r"|\d[A-Z]{3}\d{3}|[A-Z]{3}[ -]?\d{3,4}|\d{3}[ -][A-Z]{3}|[A-Z]{1,3}\d{2}[- ]?[A-Z]{1,3}\d{1,3}"  # US, Sweden
    r")(?![\w-]|[.,]\d)"
)
_SMALL_SHAPE = re.compile(r"(?<![\w-])[a-z]{1,3}[ -]?(?:[a-z]{1,2}[ -]?\d{1,4}|\d{2,4}[ -]?[a-z]{2,3})(?![\w-])")
_LETTER_AND_DIGIT = re.compile(r"\d[ -]?[a-z]|[a-z][ -]?\d")
_INDIAN_STATES = (
    "AN|AP|AR|BR|CG|CH|DD|DL|DN|GA|GJ|HP|HR|JH|JK|KA|KL|LA|LD|MH|ML|MN|MP|MZ|NL|OD|PB|PY|RJ|SK|TG|TN|TR|TS|UK|UP|WB"
)
_INDIAN = re.compile(rf"(?:{_INDIAN_STATES})(?<![\w-]..)[ -]\d\d[ -][A-Z]{{1,2}}[ -]\d{{4}}(?![\w-])")
_NO_PLATE = re.compile(
    r"(?:ISO|DIN|EN|USB|RFC|CVE|UTC|GMT|EUR|USD|GBP|INR|BRL|CHF|PIN|ZIP|RAM|SSD|GPU|CPU|PDF|SQL|BMW|AMG|GTI|IOS|MP|PM"
    r"|AM|KM"
    r"|KG|MM|CM|HP|PS|KW|CC|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|THE|AND|FOR|TO|IN|ON|AT|OF|NO|CO|EURO"
    r"|TYPE)[ -]?\d"
    r"|\d+ ?(?:EUR|USD|GBP|INR|BRL|CHF|KM|KG|MM|CM|HP|PS|KW|CC|AM|PM|MPH|KMH|RPM|TH|ST|ND|RD|JAN|FEB|MAR|APR|MAY|JUN"
    r"|JUL"
    r"|AUG|SEP|OCT|NOV|DEC|CET|CEST|UTC|GMT|THE|AND)\b",
)


# Where none of these stands there is no plate: the first words of the above, and the states of India.
FIRST_WORDS = frozenset(word.split()[0].rstrip(".") for word in _PLATE_WORDS + _VEHICLE_WORDS) | frozenset(
    _INDIAN_STATES.lower().split("|")
)


def plates(folded: str, small: str) -> list[Span]:
    """Kind number_plate. `small` is the folded text in small letters."""
    if not _LETTER_AND_DIGIT.search(small):
        return []
    found = [Span(*hit.span(), "number_plate") for hit in _INDIAN.finditer(folded)]
    end = 0
    for cue in _CUE.finditer(small):
        if small[cue.start() - 1 : cue.start()].isalpha() or small[cue.end() : cue.end() + 1].isalpha():
            continue
        named = cue.group() in _PLATE_WORDS
        start, end = max(end, cue.start() - _BEFORE_CHARACTERS), cue.end() + _AFTER_CHARACTERS
        hits = [hit for hit in _SHAPES.finditer(folded, start, end) if _is_plate(hit.group(), named)]
        if named and not hits:
            near = _SMALL_SHAPE.finditer(small, cue.end(), cue.end() + _CLOSE_CHARACTERS)
            hits = [hit for hit in near if not any(map(is_function, re.findall("[a-z]+", hit.group())))][:1]
        found += [Span(*hit.span(), "number_plate") for hit in hits]
        end = cue.end()
    return found


def _is_plate(text: str, named: bool) -> bool:
    """Whether a shape is none of the things written alike; where only a vehicle is spoken of, more is asked."""
    if _NO_PLATE.match(text) or not any(map(str.isdigit, text)) or not any(map(str.isalpha, text)):
        return False
    return named or len(text) > 6 or " " in text or "-" in text
