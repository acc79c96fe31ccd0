"""A linear model: least squares with a penalty (ridge; Hoerl & Kennard, Technometrics 12, 1970). Pure.

It finds what is left when others are subtracted: a score that was computed from a withheld attribute and from visible
inputs gives the attribute away as the difference. Neither trees nor naive Bayes see that.

Columns are prepared once: what each shares with each other one is summed for each fold, and a model of some folds and
some columns needs only these sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt
from operator import mul
from statistics import fmean, median
from typing import Any

from app.insight.bits import Bits

# Penalties that are tried, as shares of the variance of a column.
PENALTIES = (0.001, 0.03, 0.5)
# Values of a category that have a column of their own.
_VALUES = 8
# A share is kept this far from 0 and 1 before its odds are taken.
_EDGE = 1e-6
# From so many times the median on, numbers are skewed: their logarithm is one more column.
_SKEWED = 8
# Numbers beyond this overflow when they are squared; a deviation below this share of the mean is rounding.
_LARGE = 1e100
_FLAT = 1e-7
Vector = list[float]


def columns_of(values: Sequence[Any], bits: Bits) -> list[Vector]:
    """A column of any kind as columns of numbers with mean 0 and deviation 1: the numbers themselves and, where that may
    suit better, the log odds of shares and the logarithm of skewed numbers; 1 and 0 for each frequent other value."""
    found: list[Vector] = []
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(set(numbers)) > 2:
        middle = median(numbers)
        whole = [float(v) if isinstance(v, int | float) and not isinstance(v, bool) else middle for v in values]
        found.append(whole)
        if min(numbers) >= 0 and max(numbers) <= 1:
            shares = [min(1 - _EDGE, max(_EDGE, v)) for v in whole]
            found.append([log(v / (1 - v)) for v in shares])
        elif min(numbers) >= 0 and max(numbers) > _SKEWED * middle:
            found.append([log(1 + v) for v in whole])
        tests = list(bits.bins[bits.ordered :])
    else:
        tests = bits.tests()
    size = len(values)
    found += [[float(test >> i & 1) for i in range(size)] for test in tests[:_VALUES]]
    return [standard for column in found if (standard := _standard(column))]


def _standard(column: Vector) -> Vector | None:
    """With mean 0 and deviation 1; None where all are equal, or too large to be counted with."""
    mean = fmean(column)
    spread = sqrt(max(0.0, _dot(column, column) / len(column) - mean * mean)) if max(map(abs, column)) < _LARGE else 0.0
    if spread <= _FLAT * abs(mean):
        return None
    return [(value - mean) / spread for value in column]


class Prepared:
    """Columns of numbers by fold, and what they share with each other."""

    def __init__(self, columns: Sequence[Vector], folds: Sequence[Sequence[int]]) -> None:
        """`folds`: the numbers of the records in each."""
        ones = [1.0] * (len(columns[0]) if columns else 0)
        self.width = len(columns) + 1
        self.rows = [[[column[i] for i in fold] for column in (ones, *columns)] for fold in folds]
        self._shared = [_products(rows) for rows in self.rows]

    def weights(
        self, folds: Sequence[int], targets: Sequence[Vector], columns: Sequence[int], penalty: float
    ) -> Vector:
        """The weight of each of these columns in a model of some folds; `targets` by fold."""
        n = sum(len(targets[fold]) for fold in folds)
        mean = sum(sum(targets[fold]) for fold in folds) / n
        matrix = [[sum(self._shared[f][max(a, b)][min(a, b)] for f in folds) for b in columns[: i + 1]]
                  for i, a in enumerate(columns)]  # fmt: skip
        for i, row in enumerate(matrix):
            row[i] += penalty * n
        right = [sum(_dot(self.rows[f][a], [t - mean for t in targets[f]]) for f in folds) for a in columns]
        return _solved(matrix, right)

    def scores(self, fold: int, columns: Sequence[int], weights: Vector) -> Vector:
        """A score for each record of a fold."""
        found = [0.0] * len(self.rows[fold][0])
        for column, weight in zip(columns, weights, strict=True):
            found = [sum_ + weight * value for sum_, value in zip(found, self.rows[fold][column], strict=True)]
        return found


def _products(rows: Sequence[Vector]) -> list[Vector]:
    """What each column shares with itself and those before it."""
    return [[_dot(one, other) for other in rows[: i + 1]] for i, one in enumerate(rows)]


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(map(mul, one, other))


def _solved(matrix: Sequence[Vector], right: Sequence[float]) -> Vector:
    """The solution of a positive definite system, given as its lower triangle (Cholesky)."""
    lower: list[Vector] = []
    for i, row in enumerate(matrix):
        made: Vector = []
        for j in range(i):
            made.append((row[j] - _dot(made, lower[j])) / lower[j][j])
        made.append(sqrt(max(1e-12, row[i] - _dot(made, made))))
        lower.append(made)
    half: Vector = []
    for i, row in enumerate(lower):
        half.append((right[i] - _dot(row, half)) / row[i])
    found = [0.0] * len(half)
    for i in reversed(range(len(half))):
        found[i] = (half[i] - sum(lower[j][i] * found[j] for j in range(i + 1, len(half)))) / lower[i][i]
    return found
