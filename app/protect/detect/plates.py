"""Number plates of vehicles, where the words around speak of one."""

from __future__ import annotations

import re

from app.protect.detect.spans import Span

# Words that name a plate, and words that only name a vehicle.
_PLATE_CUE = re.compile(
    r"\b(?:licen[cs]e[ -]plates?|number[ -]?plates?|plates?(?: number| no\b| #)?|tags?(?= [a-z\d]{2,3}[ -]?\d)|registration(?: (?:number|no|mark|plate))?"
    r"|reg(?:istered)?\.?(?: (?:no|number|nr))?(?= ?[:#.]? ?[a-z]{1,3}[ -]?\d)|vrm|vrn|(?:amtliches |kfz-?|auto)?kennzeichen"
    r"|nummernschild|immatricul\w+|plaque(?: d'immatriculation)?|matricula|targa|placas?|kenteken|rejestracy\w+|nr rej"
    r"|registreringsnummer|rc number|vehicle (?:no|number))\b"
)
_VEHICLE_CUE = re.compile(
    r"\b(?:cars?|vehicles?|vans?|trucks?|lorr(?:y|ies)|taxis?|cabs?|motorbikes?|motorcycles?|scooters?|parked|drives?|driving|drove"
    r"|auto|wagen|pkw|lkw|fahrzeug|motorrad|voiture|vehicule|camion|moto|coche|vehiculo|carro|veiculo|macchina|sedan|suv"
    r"|hatchback|bmw|audi|mercedes|volkswagen|vw|toyota|honda|ford|fiat|renault|peugeot|seat|skoda|opel|hyundai|maruti"
    r"|tesla|uber|hit and run|speeding|geparkt|garee?|aparcado|estacionado)\b"
)
_BEFORE_CHARACTERS, _AFTER_CHARACTERS = 48, 28
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
    r"|\d[A-Z]{3}\d{3}|[A-Z]{3}[ -]?\d{3,4}|\d{3}[ -][A-Z]{3}|[A-Z]{1,3}\d{2}[- ]?[A-Z]{1,3}\d{1,3}"  # United States, Sweden
    r")(?![\w-]|[.,]\d)"
)
_SMALL_SHAPE = re.compile(r"(?<![\w-])[a-z]{1,3}[ -]?(?:[a-z]{1,2}[ -]?\d{1,4}|\d{2,4}[ -]?[a-z]{2,3})(?![\w-])")
_INDIAN_STATES = (
    "AN|AP|AR|AS|BR|CG|CH|DD|DL|DN|GA|GJ|HP|HR|JH|JK|KA|KL|LA|LD|MH|ML|MN|MP|MZ|NL|OD|OR|PB|PY|RJ|SK|TG|TN|TR|TS|UK|UP|WB"
)
_INDIAN = re.compile(rf"(?<![\w-])(?:{_INDIAN_STATES})[ -]\d\d[ -][A-Z]{{1,2}}[ -]\d{{4}}(?![\w-])")
_NO_PLATE = re.compile(
    r"(?:ISO|DIN|EN|USB|RFC|CVE|UTC|GMT|EUR|USD|GBP|INR|BRL|CHF|PIN|ZIP|RAM|SSD|GPU|CPU|PDF|SQL|BMW|AMG|GTI|IOS|MP|PM|AM|KM"
    r"|KG|MM|CM|HP|PS|KW|CC|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|THE|AND|FOR|TO|IN|ON|AT|OF|NO|CO|EURO|TYPE)[ -]?\d"
    r"|\d+ ?(?:EUR|USD|GBP|INR|BRL|CHF|KM|KG|MM|CM|HP|PS|KW|CC|AM|PM|MPH|KMH|RPM|TH|ST|ND|RD|JAN|FEB|MAR|APR|MAY|JUN|JUL"
    r"|AUG|SEP|OCT|NOV|DEC|CET|CEST|UTC|GMT|THE|AND)\b",
)


def plates(folded: str, small: str) -> list[Span]:
    """Kind number_plate. `small` is the folded text in small letters."""
    found = [Span(*hit.span(), "number_plate") for hit in _INDIAN.finditer(folded)]
    named = bool(_PLATE_CUE.search(small))
    if not named and not _VEHICLE_CUE.search(small):
        return found
    for hit in _SHAPES.finditer(folded):
        if _NO_PLATE.match(hit.group()) or not any(map(str.isdigit, hit.group())):
            continue
        before = small[max(0, hit.start() - _BEFORE_CHARACTERS) : hit.start()]
        after = small[hit.end() : hit.end() + _AFTER_CHARACTERS]
        cue = _PLATE_CUE if named else _VEHICLE_CUE
        parts = not named and not re.search(r"[ -]", hit.group()) and len(hit.group()) < 6
        if not parts and any(cue.search(part) or _VEHICLE_CUE.search(part) for part in (before, after)):
            found.append(Span(*hit.span(), "number_plate"))
    if named:
        found += _small(small)
    return found


def _small(small: str) -> list[Span]:
    """Plates in small letters, close behind the word."""
    found = []
    for cue in _PLATE_CUE.finditer(small):
        hit = _SMALL_SHAPE.search(small, cue.end(), cue.end() + 24)
        if hit:
            found.append(Span(*hit.span(), "number_plate"))
    return found
