"""A naive Bayes model over the groups of columns: it adds up what many columns tell a little of each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from app.insight.bits import Bits, records_of

# Records of no kind in particular, added to each count: a rare value is no certainty.
_PRIOR = 1.0


def scores(columns: Sequence[Bits], training: int, having: int, records: int) -> dict[int, float]:
    """The log odds of the attribute for each record of a set, by what the records of `training` show, those in `having`
    with the attribute."""
    found = dict.fromkeys(records_of(records), 0.0)
    for column in columns:
        trust, weights = _weights(column, training, having & training)
        if trust:
            for group, weight in zip(column.bins, weights, strict=True):
                for record in records_of(group & records):
                    found[record] += trust * weight
    return found


def _weights(column: Bits, training: int, having: int) -> tuple[float, list[float]]:
    """How much of what a column says is more than chance, and what each of its groups says, as log odds.

    The first is 1 − df / G, of the G statistic and its mean by chance, as a James-Stein estimate shrinks.
    """
    p = having.bit_count()
    n = training.bit_count() - p
    weights, g, kinds = [], 0.0, len(column.bins)
    for group in column.bins:
        with_it = (group & having).bit_count()
        without = (group & training).bit_count() - with_it
        for count, others in ((with_it, p), (without, n)):
            if count:
                g += 2 * count * log(count * (p + n) / ((with_it + without) * others))
        weights.append(log((with_it + _PRIOR) / (without + _PRIOR) * (n + _PRIOR * kinds) / (p + _PRIOR * kinds)))
    return (max(0.0, 1 - (kinds - 1) / g) if g > 0 else 0.0), weights
