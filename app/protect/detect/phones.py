"""Whether a number without a country code is written as some country writes its telephone numbers."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from itertools import pairwise

from app.protect.detect.words import word_set

# Countries whose way to group digits is known here; each costs a third of a millisecond at the first number.
_REGIONS = word_set(
    "US GB DE FR ES IT PT NL BE LU AT CH DK SE NO FI IS EE LV LT PL CZ SK HU SI HR RS RO BG GR CY MT IE TR UA RU "
    "IL AE SA EG MA TN DZ NG KE GH ZA IN PK BD LK CN HK TW JP KR SG MY TH VN PH ID AU NZ MX BR AR CL CO PE VE UY "
    "EC CR "
)
_RUN_REGIONS = ("GB", "DE", "FR", "AU", "NL", "BE", "CH", "SE", "FI", "AT", "JP", "ZA")
_LEAST_DIGITS, _MOST_DIGITS = 7, 13
_GROUP = re.compile(r"\d+")
# A group in a format of phonenumbers: digits, and how many.
_DIGITS = re.compile(r"\\d(?:\{(\d+)(?:,(\d+))?\})?")

# Lengths of the groups of digits → (region, digits to take off in front, what the rest begins with).
Groupings = dict[tuple[int, ...], list[tuple[str, str, re.Pattern[str]]]]


@lru_cache(256)
def is_national_phone(raw: str) -> bool:
    """Whether the digits are grouped as in a country that has this number."""
    groups = tuple(_GROUP.findall(raw))
    digits = "".join(groups)
    if not _LEAST_DIGITS <= len(digits) <= _MOST_DIGITS or not _is_evenly_parted(raw):
        return False
    return any(
        digits.startswith(prefix) and leading.match(digits, len(prefix)) and _is_valid(digits, region)
        for region, prefix, leading in _groupings().get(tuple(map(len, groups)), ())
    )


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


def _is_valid(digits: str, region: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number_for_region(phonenumbers.parse(digits, region), region)
    except phonenumbers.NumberParseException:
        return False


@lru_cache(1)
def _groupings() -> Groupings:
    """How the countries group their digits, from the formats that phonenumbers knows."""
    import phonenumbers

    table: Groupings = defaultdict(list)
    for region in _REGIONS:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
        if metadata is None:
            continue
        trunk = metadata.national_prefix or ""
        for form in metadata.number_format:
            parts = re.findall(r"\(([^()]+)\)", form.pattern or "")
            lengths = [hit for part in parts if (hit := _DIGITS.fullmatch(part))]
            if len(lengths) < max(2, len(parts)):
                continue
            leading = re.compile(form.leading_digits_pattern[-1] if form.leading_digits_pattern else "")
            for sizes in _all_sizes([(int(hit[1] or 1), int(hit[2] or hit[1] or 1)) for hit in lengths]):
                table[sizes].append((region, "", leading))
                if trunk:
                    table[(sizes[0] + len(trunk), *sizes[1:])].append((region, trunk, leading))
                    table[(len(trunk), *sizes)].append((region, trunk, leading))
    return dict(table)


def _all_sizes(ranges: list[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Every choice of a length for each group."""
    sizes: list[tuple[int, ...]] = [()]
    for least, most in ranges:
        sizes = [(*start, size) for start in sizes for size in range(least, most + 1)]
    return sizes
