"""Conditions of rules and of binned features: whether they hold for a value."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from app.model.explanation_checks.features import words_of
from app.model.explanation_checks.numbers import half_last, is_number
from app.model.explanation_checks.sameness import compare

_SIGNS = re.compile(r"\s*(<=|>=|≤|≥|!=|==|=|<|>)\s*")
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "≤": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "≥": operator.ge,
}
_EQUAL = frozenset(("=", "==", "is", "eq", "equals"))
_UNEQUAL = frozenset(("!=", "≠", "<>", "is not", "ne", "not equal"))
_AMONG, _NOT_AMONG = frozenset(("in", "one of")), frozenset(("not in", "not one of"))
_MOST_PARTS = 5
_MOST_OPTIONS = 1_000


def holds(condition: str, value: object) -> bool | None:
    """Whether `1950.00 < income <= 2000.00` or `purpose = car` holds for the input's value; None where that cannot be
    told. A bound that was rounded counts as met by what was rounded to it."""
    parts = _SIGNS.split(condition)
    if not 3 <= len(parts) <= _MOST_PARTS:
        return None
    if len(parts) == _MOST_PARTS:
        low, first, _, second, high = parts
        mirrored = {"<": ">", "<=": ">=", "≤": "≥", ">": "<", ">=": "<=", "≥": "≤"}.get(first)
        return _all(met(value, mirrored or "", low), met(value, second, high))
    left, sign, right = parts
    if _number(left) is not None:
        mirrored = {"<": ">", "<=": ">=", "≤": "≥", ">": "<", ">=": "<=", "≥": "≤"}.get(sign, sign)
        return met(value, mirrored, left)
    return met(value, sign, right)


def _all(*found: bool | None) -> bool | None:
    return False if False in found else None if None in found else True


def met(value: object, sign: str, bound: object) -> bool | None:
    """Whether a value stands to a bound as a sign says; None where that cannot be told."""
    sign = " ".join(sign.split()).casefold()
    if sign in _ORDERS:
        return _ordered(value, sign, bound)
    if sign in _EQUAL or sign in _UNEQUAL:
        same = compare(bound, value)
        return {"same": sign in _EQUAL, "different": sign in _UNEQUAL}.get(same)
    if (sign in _AMONG or sign in _NOT_AMONG) and isinstance(bound, list):
        found = {compare(option, value) for option in bound[:_MOST_OPTIONS]}
        inside = True if "same" in found else False if found == {"different"} else None
        return None if inside is None else inside == (sign in _AMONG)
    return None


def _ordered(value: object, sign: str, bound: object) -> bool | None:
    number, limit = _number(value), _number(bound)
    if number is None or limit is None:
        return None
    if _ORDERS[sign](number, limit):
        return True
    return abs(number - limit) <= half_last(limit)


def _number(value: object) -> float | None:
    if is_number(value):
        return float(value)  # type: ignore[arg-type]
    if not isinstance(value, str) or not words_of(value[:40]):
        return None
    try:
        found = float(value[:40].replace(",", ""))
    except ValueError:
        return None
    return found if is_number(found) else None
