"""Whether a value that an explanation names is the case's own."""

from __future__ import annotations

import re
from typing import Literal

from app.model.explanation_checks.features import MASK, words_of
from app.model.explanation_checks.numbers import close, digits, is_number
from app.model.explanation_checks.written import bounds, day, readings

Sameness = Literal["same", "different", "scaled", "coded", "filled_in", "unknown"]
"""`scaled`: the number may be the input's in standard deviations or the like; `coded`: a number for a category, words
for a number, or the number in another unit; `filled_in`: a value where the input has none; `unknown`: one of them is
masked, or of a kind that cannot be compared."""

# What protection puts in place of values: a range, a token, a beginning, a mask.
_BAND = re.compile(r"-?\d[\d.e+]*–-?\d[\d.e+]*")
_TOKEN = re.compile(r"(?:id|subj)-[a-z2-7]{16}")
_CUT = "…"
_TRUTH = {"true": 1.0, "yes": 1.0, "y": 1.0, "t": 1.0, "false": 0.0, "no": 0.0, "n": 0.0, "f": 0.0}
# Standard deviations within which a standardised value lies; it is seldom whole.
MOST_DEVIATIONS = 10.0
_LONG = 10_000


def masked(value: object) -> bool:
    """Whether protection changed the value."""
    return isinstance(value, str) and (
        MASK in value or value.endswith(_CUT) or bool(_TOKEN.fullmatch(value) or _BAND.fullmatch(value))
    )


def compare(given: object, here: object) -> Sameness:
    """Compares the value an explanation gives for an input with the input's own."""
    if given is None or given == "":
        return "unknown"
    if isinstance(given, dict | list) or isinstance(here, dict | list):
        return "unknown"
    if type(given) is type(here) and given == here:
        return "same"
    if masked(given) or masked(here):
        return "unknown"
    if here is None:
        return "filled_in"
    one, other = _number(given), _number(here)
    if one is not None and other is not None:
        if isinstance(given, str) and any(close(reading, other) for reading in readings(given)):
            return "same"
        return _numbers(one, other)
    if one is not None:
        return "coded" if is_number(given) else "different"
    if other is not None:
        return _said_of(str(given), other) if is_number(here) else "unknown"
    return _words(str(given), str(here))


def _said_of(text: str, here: float) -> Sameness:
    """What words say of a number: the number with a unit, a range, or a code for it."""
    if found := readings(text):
        return "same" if any(close(one, here) for one in found) else "different"
    if (ends := bounds(text)) is not None:
        low, high = ends
        return "same" if low <= here <= high or close(low, here) or close(high, here) else "different"
    return "coded"


def _numbers(given: float, here: float) -> Sameness:
    if close(given, here):
        return "same"
    if given and here and given / here > 0 and _is_power_of_ten(given / here):
        return "coded"
    standardised = abs(given) < MOST_DEVIATIONS and not given.is_integer() and digits(given) > 1
    return "scaled" if standardised else "different"


def _is_power_of_ten(ratio: float) -> bool:
    return any(close(ratio, 10.0**power) and digits(ratio) < 8 for power in (-6, -3, -2, 2, 3, 6))


def _words(given: str, here: str) -> Sameness:
    """Equal but for spelling, or one of them a code or a part of the other (`A43` for `A43 radio/tv`)."""
    one, other = words_of(given[:_LONG]), words_of(here[:_LONG])
    if one == other:
        return "same" if one or given.strip() == here.strip() else "different"
    if not set(day(given)).isdisjoint(day(here)):
        return "same"
    few, many = sorted((one, other), key=len)
    inside = bool(few) and any(many[at : at + len(few)] == few for at in range(len(many) - len(few) + 1))
    return "same" if inside else "different"


def _number(value: object) -> float | None:
    """The number that a value is, or says."""
    if isinstance(value, bool):
        return float(value)
    if is_number(value):
        return float(value)  # type: ignore[arg-type]
    if not isinstance(value, str) or len(value) > _LONG:
        return None
    text = value.strip().casefold()
    if text in _TRUTH:
        return _TRUTH[text]
    try:
        found = float(text.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", text) else text)
    except ValueError:
        return None
    return found if is_number(found) else None
