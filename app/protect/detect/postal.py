"""Complete postal addresses: a street, a house number, a postal code and a town.

The postal code is found first; the street is looked for in the characters before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.protect.detect.spans import Span
from app.protect.detect.words import is_common, word_set

_CAPITAL = r"[A-Z][A-Za-z'.]*+(?:-[A-Za-z'.]++)*+"
_SMALL = (
    r"(?:de|del|dei|della|di|da|do|dos|das|du|des|la|le|las|los|am|an der|im|in der|ob der|bei"
    r"|sur|sous|les|en|el|a|y|e)"
)
_TOWN = rf"{_CAPITAL}(?:[ ]{{1,2}}(?:{_SMALL} ){{0,2}}{_CAPITAL}){{0,3}}"
_REGION = r"(?:(?: ?[-/,] ?| )\(?[A-Z]{2}\b\)?)?"
_COUNTRY = (
    r"(?:,? ?\n? ?\(?(?:Germany|Deutschland|France|Spain|Espana|India|Bharat|Brazil|Brasil|Austria|Osterreich"
    r"|Switzerland|Schweiz"
    r"|Italy|Italia|Portugal|Netherlands|Belgium|United Kingdom|UK|England|USA|United States)\b\)?)?"
)
# What stands after the code, or before it.
_AFTER = re.compile(rf"(?:,? |,? ?\n ?){_TOWN}(?: \d{{1,2}}\b(?! \w))?{_REGION}{_COUNTRY}")
_COUNTRY_AFTER = re.compile(_COUNTRY)
_CODE = re.compile(
    r"(?<![\w.,/-])(?:(?:CEP|C\.P\.|CP|PIN|PLZ)[:. ]{1,2})?(?:"
    r"(?P<brazil>\d{5}-\d{3})|(?P<india>[1-9]\d{5}|[1-9]\d\d \d{3})|(?P<five>(?:[A-Z]{1,3}-)?\d{5}(?:-\d{4})?)"
    r"|(?P<letters>\d{4} ?[A-Z]{2}|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2})|(?P<four>(?:[A-Z]{1,2}-)?[1-9]\d{3}|\d\d-\d{3}"
    r"|\d{3} \d\d)"
    r")(?![\w/-]|[.,:]\d)"
)
# What every code has in it.
_CODE_DIGITS = re.compile(r"\d(?:\d\d\d|\d\d \d|\d-\d|[A-Z]{2}\b|[A-Z]? \d[A-Z])")
_TOWN_BEFORE = re.compile(r"(?:[A-Z]{2}|[A-Z][a-z]+),? ?-? ?$")
_CAPITAL_AND_DIGIT = re.compile(r"[A-Z].*\d|\d.*[A-Z]", re.S)
_REACH_CHARACTERS, _MOST_BETWEEN = 150, 90
# Where a sentence, a label or a paragraph before the address ends.
_BREAK = re.compile(r".*(?:\n\s*\n|[:;!?>|\"] |[:>] ?\n|[a-z]{4}(?<!str)\. |\) )", re.S)

_NUMBER = r"\d{1,5}(?: ?[A-Za-z]\b)?(?: ?[-/+] ?\d{1,4}[A-Za-z]?\b)?(?:,? ?(?:bis|ter|quater)\b)?"
_FIRST = (
    "rue|r|avenue|av|ave|bd|bld|boulevard|blvd|place|pl|impasse|imp|allees?|chemin|ch|che|quai|route|rte|cours"
    "|passage|square|sq"
    "|villa|sentier|cite|faubourg|fg|fbg|esplanade|montee|ruelle|voie|rond-point|hameau|lotissement|promenade|parvis"
    "|galerie"
    "|calle|cl|avenida|avda|avd|paseo|pso|plaza|pza|plza|ronda|rda|carrer|camino|cmno|travesia|trav|carretera|ctra"
    "|glorieta"
    "|rambla|cuesta|costanilla|callejon|pasaje|poligono|urbanizacion|urb|via|gran via|passeig|placa|avinguda"
    "|rua|alameda|al|travessa|tv|praca|pca|largo|estrada|est|rodovia|rod|ladeira|beco|viela|quadra|qd|servidao"
    "|marginal"
    "|viale|vicolo|piazza|corso|strada|stras?se|ulica|ul|calea|bulevardul"
)
_LAST = (
    "street|st|road|rd|avenue|ave|lane|ln|drive|dr|court|ct|crescent|close|boulevard|blvd|way|terrace|place|pl|square"
    "|sq"
    "|parkway|pkwy|highway|hwy|circle|trail|alley|row|walk|grove|hill|mews|gardens|park|marg|nagar|salai|path|gali"
    "|chowk"
)
_STREETS = (
    # 12 bis rue de la Paix
    re.compile(rf"(?<![\w.,/-]){_NUMBER},? ?(?i:{_FIRST})\b\.? ?(?:[A-Za-z\d][\w'.-]*+[ ]?){{1,8}}"),
    # C/ Mayor 5; Rua das Flores, 123; Strasse des 17. Juni 135
    re.compile(
        rf"(?<![\w./-])(?:(?i:{_FIRST})\b\.?|C/|c/|C\.|R\.|Al\.) ?(?:[A-Za-z\d][\w'.-]*+ ?){{1,7}}?(?:,? ?|,? (?i:no"
        rf"|n|num|numero"
        r"|km)[.°]{0,2} ?)\b\d{1,5}(?: ?[A-Za-z]\b)?(?:[-/]\d{1,4})?(?![\w.]\d)"
    ),
    # Hauptstrasse 12, Karl-Marx-Allee 90 A, Lange Gasse 14/2
    re.compile(rf"(?<![\w-])(?P<ending>(?:{_CAPITAL} ){{0,3}}{_CAPITAL}),? {_NUMBER}"),
    # Am Markt 3, Unter den Linden 77
    re.compile(
        rf"(?<![\w-])(?:Am|An|Im|In|Auf|Unter|Zum|Zur|Vor|Hinter|Bei|Beim|Neben|Alter?|Alte|Neuer?)(?: (?:der|den|dem"
        rf"|das|die))? {_CAPITAL}"
        rf"(?: {_CAPITAL}){{0,2}} {_NUMBER}"
    ),
    # 12 Oak Street
    re.compile(rf"(?<![\w.,/-]){_NUMBER},? (?:{_CAPITAL} |\d{{1,3}}(?:st|nd|rd|th) ){{1,4}}(?i:{_LAST})\b\.?"),
)
_ENDING = re.compile(
    r"(?:stras?se|asse|str|str\.|weg|platz|allee|damm|ring|ufer|steig|hof|markt|gata|gatan|gaten|gade|vej|vei|veien"
    r"|katu|tie|straat"
    r"|laan|plein|gracht|dijk|kade|kai|hain|eck|feld|berg|tal|hohe|winkel|park|gang|garten|brucke|wall|graben"
    r"|chaussee|promenade)\.?$",
    re.I,
)
_INDIAN = (
    re.compile(
        r"\b(?:(?:Flat|Plot|House|Door|Shop|Villa|Apartment|Apt|Block|Tower|Room|Quarter|Qtr|Bungalow|Unit|Office"
        r"|Survey|Khasra|Ward)\b\.?"
        r"(?: ?(?:Nos?|Number)\b\.?)?|[HD]\. ?No\.?|#|No\.)[ :#-]{0,2}[A-Z]{0,2}-?\d[\w/-]*+"
    ),
    re.compile(r"(?<![\w.-])[A-Z]{1,2}[-/ ]?\d{1,4}(?:/\d{1,4})?[A-Z]?, "),
    re.compile(r"(?<![\w.,/-])\d{1,4}(?:[-/]\d{1,4}){0,3}[A-Z]?, ?(?=\d{1,2}(?:st|nd|rd|th) |[A-Z])"),
    re.compile(rf"(?<![\w.,/-])\d{{1,4}}[A-Z]?(?:/\d{{1,4}})? (?={_CAPITAL} )"),
    re.compile(
        rf"(?:{_CAPITAL} ){{1,3}}(?:Road|Street|Marg|Nagar|Colony|Layout|Lane|Society|Apartments?|Enclave|Vihar)\b"
    ),
)
# A street whose name tells nothing, right before code and town.
_ANY_STREET = re.compile(rf"(?<![\w-])({_CAPITAL}(?: (?:{_SMALL} )?{_CAPITAL}){{0,3}}),? {_NUMBER}$")
_BEFORE_STREET = re.compile(
    r"(?:(?:Flat|Apt|Apartment|Unit|Suite|Room|Floor|Tower|Block|House|Villa|Residence|Residencia|Batiment|Bat"
    r"|Immeuble|Appt|Appartement"
    r"|Edificio|Ed|Edif|Urb|Conjunto|Cond|Condominio|Hinterhaus|c/o|Bloque|Le|La|Les)\b\.? ?[\w'.-]{0,16}(?: "
    r"[\w'.-]{1,16}){0,3}"
    r"(?:, ?| - |\n))+$",
    re.I,
)
_BETWEEN_WORDS = word_set(
    "de del da do dos das du des la le las los d' l' y e et und and of no n near opp opposite behind beside next to "
    "nr off "
    "apto ap apt apartamento appartement appt app piso planta bajo bajos bj atico esc escalera izq izqda izquierda "
    "dcha "
    "derecha dch pta puerta bloque blq portal local of oficina sala andar casa cj conjunto lote lt quadra qd bloco bl "
    "torre edificio ed bairro fundos loja sobrado cep cp bat batiment etage eme er esc escalier porte hall residence "
    "res "
    "bis ter boite bp cedex etg stock og eg dg ug hinterhaus hh links rechts mitte tur wohnung whg floor flat unit "
    "suite "
    "room block tower phase sector main cross stage st nd rd th dist district taluk post po pin pincode state tehsil "
    "via "
    "o a ª º c/o zona norte sul centro interior ent entresuelo entlo principal prl drcha nivel"
)
_WORD = re.compile(r"[A-Za-z']+")


def full_addresses(folded: str, small: str) -> list[Span]:
    """Kind address: those that name street, house, code and town, so that there is no doubt."""
    found: list[Span] = []
    if not _CODE_DIGITS.search(folded):
        return found
    end = 0
    for code in _CODE.finditer(folded):
        if code.start() >= end and (span := _around(folded, code, end)):
            found.append(span)
            end = span.end
    return found


def _around(folded: str, code: re.Match[str], least: int) -> Span | None:
    """The address that ends with a postal code, or with the town behind it."""
    town = _AFTER.match(folded, code.end())
    if code.lastgroup == "four" and not (
        town and folded[max(0, code.start() - 2) : code.start()] in (", ", ",\n", "\n")
    ):
        return None
    floor = max(least, code.start() - _REACH_CHARACTERS)
    before = folded[floor : code.start()]
    cut = _BREAK.match(before)
    offset = cut.end() if cut else 0
    before = before[offset:]
    if not _CAPITAL_AND_DIGIT.search(before):
        return None
    # "Madrid 28013", "IL 62704": the town stands in front.
    if not (town or code.lastgroup in ("india", "brazil", "letters") or _TOWN_BEFORE.search(before)):
        return None
    for hit in _streets(before, code.lastgroup or "", bool(town)):
        if _is_between(before[hit.end() :]):
            lead = _BEFORE_STREET.search(before, 0, hit.start())
            start = floor + offset + (lead.start() if lead else hit.start())
            tail = town or _COUNTRY_AFTER.match(folded, code.end())
            return Span(start, tail.end() if tail else code.end(), "address")
    return None


def _streets(before: str, kind: str, town: bool) -> Iterator[re.Match[str]]:
    """Streets with a house number in what stands before the code, the earliest first."""
    patterns = _STREETS[1:3] if kind == "four" else (*_STREETS, *_INDIAN) if kind == "india" else _STREETS
    hits = [hit for pattern in patterns for hit in pattern.finditer(before) if _is_street(hit)]
    yield from sorted(hits, key=lambda hit: (hit.start(), -hit.end()))
    last = _ANY_STREET.search(before.rstrip(", \n-"))
    if last and town and kind in ("five", "letters") and not all(map(is_common, _WORD.findall(last[1]))):
        yield last


def _is_street(hit: re.Match[str]) -> bool:
    """Whether a name ends as German, Dutch and Nordic streets do, where only that tells."""
    name = hit.groupdict().get("ending")
    return not name or _ENDING.search(name) is not None


def _is_between(text: str) -> bool:
    """Whether only floors, doors, districts and towns stand between a street and the code."""
    if len(text) > _MOST_BETWEEN:
        return False
    return all(word[0].isupper() or word.lower() in _BETWEEN_WORDS for word in _WORD.findall(text))
