"""Numbers and dates as people and libraries write them: with units, in groups, as ranges, with a time of midnight."""

from __future__ import annotations

import re
from datetime import date, datetime

from app.model.explanation_checks.numbers import is_number

# A text that says a number has no more characters.
_LONGEST = 60
# A number, with a currency before it or a unit behind it; what else stands there may compare (`≥ 7`, `3 or more`).
_NUMBER = re.compile(
    r"(?:[$€£¥₹]|[A-Z]{3})?\s*([-+]?\d[\d.,'’ ]*(?:[eE][-+]?\d+)?)(?:\s*([%$€£¥₹]|[^\W\d_]{1,12}\.?))?"
)
_ENGLISH = re.compile(r"[-+]?\d{1,3}(?:[,'’ ]\d{3})+(?:\.\d+)?")
_CONTINENTAL = re.compile(r"[-+]?\d{1,3}(?:[. '’]\d{3})+(?:,\d+)?")
_COMMA = re.compile(r"[-+]?\d+,\d+")
# Between the bounds of a range.
_BETWEEN = re.compile(r"\s*(?:,|;|–|—|\bto\b|\band\b|\.\.+)\s*|(?<=\d)\s*-\s*(?=\d)")
_DAY_FIRST = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})")
_TWO = 2
_PERCENT = 100


def readings(text: str) -> list[float]:
    """The numbers that a text such as `2,540`, `2.540,00 €` or `50 %` may say; none where it says something else."""
    text = re.sub(r"[\u00a0\u202f]", " ", text.strip().replace("−", "-"))
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return []
    said = match[1].strip()
    written = [said]
    if _ENGLISH.fullmatch(said):
        written.append(re.sub(r"[,'’ ]", "", said))
    if _CONTINENTAL.fullmatch(said) or _COMMA.fullmatch(said):
        written.append(re.sub(r"[. '’]", "", said).replace(",", "."))
    found = [number for one in written if (number := _float(one)) is not None]
    return [*found, *(number / _PERCENT for number in found)] if match[2] == "%" else found


def bounds(text: str) -> tuple[float, float] | None:
    """Both ends of a range such as `(5000, 10000]` or `5000 to 10000`."""
    parts = _BETWEEN.split(text.strip(" ()[]{}")) if len(text) <= _LONGEST else []
    ends = [_float(part) for part in parts]
    if len(ends) != _TWO or ends[0] is None or ends[1] is None or ends[0] > ends[1]:
        return None
    return ends[0], ends[1]


def day(text: str) -> tuple[date, ...]:
    """The days that `2024-03-01`, `2024-03-01T00:00:00Z` or `01/03/2024` may be."""
    text = text.strip()[:_LONGEST]
    match = _DAY_FIRST.fullmatch(text)
    if match is None:
        try:
            return (datetime.fromisoformat(text).date(),)
        except ValueError:
            return ()
    first, second, year = (int(part) for part in match.groups())
    found = []
    for month, in_month in ((second, first), (first, second)):
        try:
            found.append(date(year, month, in_month))
        except ValueError:
            continue
    return tuple(found)


def _float(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if is_number(found) else None
