"""Whether a number without a country code is written as some country writes its telephone numbers."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

_GROUPINGS_FILE = Path(__file__).parent / "groupings.txt"
# Countries whose mobile numbers are told in one run, by their trunk zero.
_RUN_REGIONS = ("GB", "DE", "FR", "AU", "NL", "BE", "CH", "SE", "FI", "AT", "JP", "ZA")
_GROUP = re.compile(r"\d+")


@lru_cache(256)
def is_national_phone(raw: str) -> bool:
    """Whether the digits are grouped as in a country that has this number."""
    groups = tuple(_GROUP.findall(raw))
    regions = _groupings().get("-".join(str(len(group)) for group in groups), ())
    return _is_evenly_parted(raw) and any(_is_written_so(groups, region) for region in regions)


@lru_cache(256)
def is_mobile_somewhere(digits: str) -> bool:
    """Whether digits in one run, with a trunk zero, are a mobile number of a large country."""
    import phonenumbers

    for region in _RUN_REGIONS:
        try:
            number = phonenumbers.parse(digits, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number_for_region(number, region):
            kind = phonenumbers.number_type(number)
            if kind == phonenumbers.PhoneNumberType.MOBILE:
                return True
    return False


def _is_evenly_parted(raw: str) -> bool:
    """Whether one kind of sign parts the groups, the area code in front excepted."""
    signs = [raw[one.end() : two.start()].strip() for one, two in pairwise(_GROUP.finditer(raw))]
    return len({sign for sign in signs[1:] if sign != ")"}) < 2


def _is_written_so(groups: tuple[str, ...], region: str) -> bool:
    """Whether a country has the number and parts it into these groups, with its trunk prefix or without."""
    import phonenumbers

    try:
        number = phonenumbers.parse("".join(groups), region)
    except phonenumbers.NumberParseException:
        return False
    if not phonenumbers.is_valid_number_for_region(number, region):
        return False
    forms = phonenumbers.PhoneNumberFormat
    national = tuple(_GROUP.findall(phonenumbers.format_number(number, forms.NATIONAL)))
    abroad = tuple(_GROUP.findall(phonenumbers.format_number(number, forms.INTERNATIONAL)))[1:]
    return groups in (national, abroad) or groups[1:] == abroad


@lru_cache(1)
def _groupings() -> dict[str, list[str]]:
    """Lengths of the groups of digits ("3-2-3") → the countries that write so."""
    lines = _GROUPINGS_FILE.read_text(encoding="utf-8").splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines if not line.startswith("#")}
