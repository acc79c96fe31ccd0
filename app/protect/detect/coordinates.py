"""Places on the earth in numbers: decimal degrees, degrees and minutes, `geo:` links, plus codes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.protect.detect.spans import Span

_LATITUDE_MAX, _LONGITUDE_MAX = 90, 180
_PAIR = re.compile(
    r"(?<![\w.])(?<!\d,)(?<!\d, )(?P<a>[-+]?\d{1,3}\.\d{2,16})(?P<as> ?°? ?[NSns]?)(?: ?[,;/|] ?| {1,3}|%2c)"
    r"(?P<b>[-+]?\d{1,3}\.\d{2,16})(?P<bs> ?°? ?(?:[EWew]\b)?)(?![\w%]|\.\d| ?%|, ?[-+]?\d+\.\d*(?![\dz.]))",
)
_DECIMALS_ALONE, _DECIMALS_CUED = 4, 3
_DECIMALS = re.compile(r"\d\.\d\d")
_ANGLE_SIGNS = re.compile(r"\d ?(?:°|o[ \d]|deg)|[NS] ?\d\d?[ .]\d")
_CUE = re.compile(
    r"\b(?:lat(?:itude)?s?|lon(?:gitude)?s?|lng|gps|coord\w*|koordinaten|ubicacion|localizacao|localisation|standort"
    r"|position|location|located|geo\w*|maps?|waypoint|pin dropped|dropped pin|whereabouts|lives? at|home at|point)\b"
    r"|[@?&](?:q|ll|loc|center|mlat)?=?$"
)
_MEASURE = re.compile(
    r"\b(?:loss|accuracy|auc|f1|score|mean|std|ratio|rate|price|vector|embedding|weights?|logits?|interval|range|ci"
    r"|rmse"
    r"|mae|shap|probabilit(?:y|ies)|eur|usd|gbp|version|between|quantiles?|bounds?|coefficients?|array|tensor)\b"
)
_KEYED = re.compile(
    r"\b(?:lat(?:itude)?|lon(?:g(?:itude)?)?|lng|breitengrad|langengrad|latitud|longitud)\b[\"']?[ :=]{1,3}[\"']?"
    r"([-+]?\d{1,3}\.\d{2,16}(?: ?°)?(?: ?[nsew]\b)?)"
)
_DEGREES = r"(?:°|o(?=[ \d])|deg(?:rees?)?\.?)"
_MINUTES = (
    r"(?: ?\d{1,2}(?:\.\d{1,8})? ?(?:'|′|m(?:in)?\b)?)?(?: ?\d{1,2}(?:\.\d{1,8})? ?(?:\"|''|′′|″|′|s(?:ec)?\b)?)?"
)
_ANGLE = rf"\d{{1,3}}(?:\.\d{{1,12}})? ?{_DEGREES}{_MINUTES}"
_ANGLES = re.compile(
    rf"(?<![\w.]){_ANGLE} ?[NSns]\b[ ,;/]{{0,3}}(?:and |y |und |et |e )?{_ANGLE} ?[EWOewo]\b"
    rf"|(?<![\w.])[NS] ?{_ANGLE}[ ,;/]{{0,3}}[EWO] ?{_ANGLE}"
    r"|(?<![\w.])[NS] ?\d{1,2}\.\d{3,12},? ?[EWO] ?\d{1,3}\.\d{3,12}(?!\w)"
    r"|(?<![\w.])[NS] ?\d{1,2} \d{1,2}\.\d{2,6},? [EW] ?\d{1,3} \d{1,2}\.\d{2,6}(?!\w)"
)
_GEO = re.compile(r"\bgeo:-?\d{1,2}(?:\.\d{1,16})?,-?\d{1,3}(?:\.\d{1,16})?(?:,-?\d{1,5}(?:\.\d{1,8})?)?")
_PLUS = re.compile(
    r"(?<![\w+/=])[2-9CFGHJMPQRVWX]{8}\+[2-9CFGHJMPQRVWX]{2,3}(?![\w+=])"
    r"|(?<![\w+/=])[2-9CFGHJMPQRVWX]{4,6}\+[2-9CFGHJMPQRVWX]{2,3}(?=,? [A-Z][a-z])"
)
_THREE_WORDS = re.compile(r"(?<![\w/:])///[a-z]{3,18}\.[a-z]{3,18}\.[a-z]{3,18}\b")
_MILITARY = re.compile(r"\b(?:mgrs|utm)\b[ :=]{1,3}(\d{1,2}[c-x] ?[a-z]{0,2} ?\d{2,7}(?:\.\d+)?[ ,]?\d{2,7}(?:\.\d+)?)")


def coordinates(folded: str, small: str) -> list[Span]:
    """Kind coordinates. `small` is the folded text in small letters."""
    found: list[Span] = []
    if _DECIMALS.search(folded):
        found += [Span(*hit.span(), "coordinates") for hit in _PAIR.finditer(folded) if _is_pair(hit, small)]
        found += [Span(*hit.span(1), "coordinates") for hit in _KEYED.finditer(small)]
    if _ANGLE_SIGNS.search(folded):
        found += [Span(*hit.span(), "coordinates") for hit in _ANGLES.finditer(folded)]
    found += _links(folded, small)
    return found


def _links(folded: str, small: str) -> Iterator[Span]:
    if "geo:" in folded:
        yield from (Span(*hit.span(), "coordinates") for hit in _GEO.finditer(folded))
    if "+" in folded:
        yield from (Span(*hit.span(), "coordinates") for hit in _PLUS.finditer(folded))
    if "///" in folded:
        yield from (Span(*hit.span(), "coordinates") for hit in _THREE_WORDS.finditer(folded))
    if "mgrs" in small or "utm" in small:
        yield from (Span(*hit.span(1), "coordinates") for hit in _MILITARY.finditer(small))


def _is_pair(hit: re.Match[str], small: str) -> bool:
    """Whether two decimals are latitude and longitude: by signs, a word before, or four decimals in each."""
    one, two = float(hit["a"]), float(hit["b"])
    if abs(one) > _LATITUDE_MAX or abs(two) > _LONGITUDE_MAX:
        return False
    if hit["as"].strip() and hit["bs"].strip():
        return True
    before = small[max(0, hit.start() - 32) : hit.start()]
    decimals = min(len(hit[name].partition(".")[2]) for name in "ab")
    if _CUE.search(before):
        return decimals >= _DECIMALS_CUED
    likely = max(abs(one), abs(two)) >= 1 and not before.rstrip().endswith(("=", "±"))
    return decimals >= _DECIMALS_ALONE and likely and not _MEASURE.search(before)
