"""What ids of records carry besides a number: the time at which they were made, and a check digit.

An invented id without these would stand out among the ids beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_UUID1 = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-1([0-9a-f]{3})-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_ULID = re.compile(r"(?<![0-9A-Za-z])[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}(?![0-9A-Za-z])")
_OBJECT_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])")
_X_RAY = re.compile(r"1-([0-9a-f]{8})-[0-9a-f]{24}")
_EPOCH = re.compile(r"(?<!\d)\d{10}(?:\d{3}(?:\d{3})?)?(?!\d)")
_DATE_TIME = re.compile(r"(?<!\d)(20\d\d)-?([01]\d)-?([0-3]\d)[T_ -]?([0-2]\d)[:-]?([0-5]\d)[:-]?([0-5]\d)(?!\d)")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# 100-nanosecond steps between the calendar of UUIDs of version 1 (1582) and 1970.
_GREGORIAN = 0x01B21DD213814000
# How far the time in an id may be from its record's own, in seconds, to be taken for the time of its making.
_NEAR_SECONDS = 86_400
_ENOUGH = 0.8
_DIGITS = re.compile(r"\d+")
# Shorter numbers pass a check digit by chance.
_CHECKED_DIGITS = 8
_CHECKED_IDS = 8


def time_in(name: str) -> datetime | None:
    """The time that an id carries in one of the usual forms, or None."""
    for read in _READERS:
        seconds = read(name)
        if seconds is not None and 0 < seconds < 4_102_444_800:
            return datetime.fromtimestamp(seconds, UTC)
    return None


def carried_offsets(ids: Sequence[str], times: Sequence[datetime | None]) -> list[float]:
    """By how many seconds records are younger than their ids say; empty where ids do not carry the records' times."""
    pairs = [
        (time_in(name), time if time is None or time.tzinfo else time.replace(tzinfo=UTC))
        for name, time in zip(ids, times, strict=True)
    ]
    found = [(own - told).total_seconds() for told, own in pairs if told is not None and own is not None]
    near = [offset for offset in found if abs(offset) <= _NEAR_SECONDS]
    return near if near and len(near) >= _ENOUGH * len(ids) else []


def passes_check_digits(name: str, ids: Sequence[str]) -> bool:
    """Whether an id passes the check digit (Luhn) that all the others pass, or they have none."""
    checked = [digits for other in ids if (digits := _digits(other))]
    if len(checked) < _CHECKED_IDS or not all(map(_is_luhn, checked)):
        return True
    own = _digits(name)
    return own is not None and _is_luhn(own)


def _digits(name: str) -> str | None:
    longest = max(_DIGITS.findall(name), key=len, default="")
    return longest if len(longest) >= _CHECKED_DIGITS else None


def _is_luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0


def _uuid7(name: str) -> float | None:
    hit = _UUID7.search(name)
    return int(hit[0].replace("-", "")[:12], 16) / 1000 if hit else None


def _uuid1(name: str) -> float | None:
    hit = _UUID1.search(name)
    return (int(hit[3] + hit[2] + hit[1], 16) - _GREGORIAN) / 1e7 if hit else None


def _ulid(name: str) -> float | None:
    hit = _ULID.search(name)
    if hit is None:
        return None
    value = 0
    for char in hit[0][:10].upper():
        value = value * 32 + _CROCKFORD.index(char)
    return value / 1000


def _object_id(name: str) -> float | None:
    hit = _OBJECT_ID.search(name)
    return float(int(hit[0][:8], 16)) if hit else None


def _x_ray(name: str) -> float | None:
    hit = _X_RAY.search(name)
    return float(int(hit[1], 16)) if hit else None


def _date_time(name: str) -> float | None:
    hit = _DATE_TIME.search(name)
    try:
        return datetime(*map(int, hit.groups()), tzinfo=UTC).timestamp() if hit else None  # type: ignore[arg-type,misc]
    except ValueError:
        return None


def _epoch(name: str) -> float | None:
    hit = _EPOCH.search(name)
    return int(hit[0]) / 10 ** (len(hit[0]) - 10) if hit else None


_READERS: tuple[Callable[[str], float | None], ...] = (_uuid7, _uuid1, _ulid, _x_ray, _object_id, _date_time, _epoch)
