"""Numbers as they were printed: how exact they are, and whether two can be the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal

_MANY_DIGITS = 8
# The fewest numbers that tell how all of a list were rounded.
_SAMPLE = 200
# float32 has 24 bits; sums of them are a little less exact.
FLOAT32 = 1e-6
# Standard deviations of a sum of rounding errors that are allowed for; a rounding error has 1/√12 of its unit.
_DEVIATIONS = 5.0
_UNIFORM = 1 / math.sqrt(12)


def is_number(value: object) -> bool:
    """A finite number that is no truth value and that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value.bit_length() <= 1_000 if isinstance(value, int) else math.isfinite(value)


def decimals(value: float) -> int:
    """How many digits stand behind the point."""
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def digits(value: float) -> int:
    """How many digits stand there without zeros at the ends."""
    return len(Decimal(repr(value)).normalize().as_tuple().digits) if value else 0


def half_units(values: Sequence[float]) -> list[float]:
    """By how much each of some numbers that were rounded alike may be off.

    They may have been rounded to some decimals, or to some significant digits: the larger unit counts.
    """
    if not values:
        return []
    sample = values[:_SAMPLE]
    places, size = max(map(decimals, sample)), max(map(digits, sample))
    return [max(_unit(places), _unit_of_digits(value, size)) / 2 for value in values]


def _unit_of_digits(value: float, size: int) -> float:
    """The unit of a number that was rounded to some digits; with many they were not: a number only ends early."""
    return _unit(size - 1 - _exponent(value)) if value and size < _MANY_DIGITS else 0.0


def _unit(places: int) -> float:
    return 10.0 ** -min(places, 300) if places >= -300 else math.inf


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))


def rounding_of_sum(half: Iterable[float]) -> float:
    """How far the sum of rounded numbers can reasonably be off: all in one direction where they are few."""
    sizes = list(half)
    worst = math.fsum(sizes)
    return min(worst, _DEVIATIONS * _UNIFORM * 2 * math.sqrt(math.fsum(size * size for size in sizes)))


def half_unit(value: float, beside: Sequence[float] = ()) -> float:
    """By how much one number may be off that stands beside others: `0.5` may have been 0.496 where those have two
    digits, `0.58` was rounded to two whatever those have."""
    places, beside = decimals(value), beside[:_SAMPLE]
    others = max(map(decimals, beside), default=2)
    size = max(digits(value), *map(digits, beside), 2)
    return max(_unit(places if places >= 2 else max(places, min(2, others))), _unit_of_digits(value, size)) / 2


def half_last(value: float) -> float:
    """Half a unit of the last decimal of a bound, which is seldom printed with more than two."""
    return _unit(max(decimals(value), 2)) / 2


def total(values: Iterable[float]) -> float | None:
    """A sum; None where it is too large."""
    try:
        found = math.fsum(values)
    except (OverflowError, ValueError):
        return None
    return found if math.isfinite(found) else None


def close(one: float, other: float) -> bool:
    """Whether two numbers can be the same: float32, or one of them rounded."""
    gap, size = abs(one - other), max(abs(one), abs(other))
    if gap <= FLOAT32 * size:
        return True
    return any(gap <= (1 + FLOAT32) * _coarse(number) for number in (one, other))


def _coarse(value: float) -> float:
    """Half a unit of a number as it was printed: of its last decimal, or of its last digit where it has at least
    four (`12350` for 12345.7); a whole number may stand for one that had decimals."""
    places, size = decimals(value), digits(value)
    by_digits = _unit(size - 1 - _exponent(value)) / 2 if value and size >= 4 else 0.0
    return max(_unit(places) / 2, by_digits)
