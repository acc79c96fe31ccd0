"""Days, in whatever way they are written: 1984-03-07, 07/03/84, 7 March 1984, March 7th, 1984."""

from __future__ import annotations

import re
from collections.abc import Iterator

Day = tuple[int, int, int]
"""Year, month, day of the month."""

_MONTHS = (
    "january jan januar janvier enero gennaio janeiro januari",
    "february feb februar fevrier febrero febbraio fevereiro februari",
    "march mar marz maerz mars marzo marco maart",
    "april apr avril abril aprile",
    "may mai mayo maggio maio mei",
    "june jun juni juin junio giugno junho",
    "july jul juli juillet julio luglio julho",
    "august aug aout agosto augustus",
    "september sept sep septembre septiembre settembre setembro",
    "october oct oktober okt octobre octubre ottobre outubro",
    "november nov novembre noviembre novembro",
    "december dec dezember dez decembre diciembre dicembre dezembro",
)
_MONTH = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_NAMES = "|".join(sorted(_MONTH, key=len, reverse=True))
_BETWEEN = r"(?:\s{0,3}[\s./,'’·_-]\s{0,3}(?:(?:of|de|del|the)\s+)?|(?<=\d)(?=[a-z])|(?<=[a-z])(?=\d))"
_ORDINAL = r"(?:st|nd|rd|th|er|\.?º)?"
# A look ahead, so that days which share a number are all met.
_DAY = re.compile(
    rf"(?<![^\W_])(?=((\d{{1,4}}|{_NAMES}){_ORDINAL}{_BETWEEN}(\d{{1,2}}|{_NAMES}){_ORDINAL}{_BETWEEN}(\d{{4}}|\d{{1,2}})"
    r"(?![^\W_t]|t[^\W\d_])))"
)
_TIME = re.compile(r"(?:[t ]\s*\d{1,2}:\d{2}.*)?$", re.DOTALL)


def day_of(folded: str) -> frozenset[Day]:
    """The days that a folded value may mean, where it is nothing but a day; 03/07 may be July or March."""
    found = _DAY.match(folded)
    if found is None or not _TIME.match(folded, found.end(1)):
        return frozenset()
    return frozenset(_readings(found[2], found[3], found[4]))


def days_in(folded: str) -> Iterator[tuple[int, int, set[Day]]]:
    """Beginning, end and possible meanings of what looks like a day in a folded text."""
    for found in _DAY.finditer(folded):
        if meanings := set(_readings(found[2], found[3], found[4])):
            yield found.start(1), found.end(1), meanings


def compact(day: Day) -> tuple[str, ...]:
    """A day as eight digits, in the usual orders."""
    year, month, of_month = f"{day[0]:04}", f"{day[1]:02}", f"{day[2]:02}"
    return year + month + of_month, of_month + month + year, month + of_month + year


def _readings(first: str, second: str, third: str) -> Iterator[Day]:
    """Year-month-day, day-month-year and month-day-year, as far as there are such days."""
    for year, month, day in ((first, second, third), (third, second, first), (third, first, second)):
        if not year.isdigit() or not day.isdigit() or len(day) > 2 or len(year) == 3:
            continue
        number = _MONTH.get(month) or (int(month) if month.isdigit() else 0)
        if 1 <= number <= 12 and 1 <= int(day) <= 31:
            centuries = (0,) if len(year) == 4 else (1900, 2000)
            yield from ((int(year) + century, number, int(day)) for century in centuries)
