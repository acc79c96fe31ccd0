"""A linear model: least squares with a penalty (ridge; Hoerl & Kennard, Technometrics 12, 1970). Pure.

It finds what is left when others are subtracted: a score that was computed from a withheld attribute and from visible
inputs gives the attribute away as the difference. Neither trees nor naive Bayes see that.

Columns are prepared once: what each shares with each other one is summed for each fold, and a model of some folds and
some columns needs only these sums.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
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
# Numbers whose largest is this many times the median are skewed: their logarithm is one more column.
_SKEWED = 8
# Numbers beyond this overflow when they are squared; a deviation below this share of the mean is rounding.
_LARGE = 1e100
_FLAT = 1e-7
# Below this a column is a sum of others.
_SMALLEST = 1e-12
Vector = list[float]


def columns_of(values: Sequence[Any], bits: Bits) -> list[Vector]:
    """A column of any kind as columns of numbers with mean 0 and deviation 1: the numbers themselves and, where that
    may suit better, the log odds of shares and the logarithm of skewed numbers; 1 and 0 for each frequent other value.
    """
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
    if max(map(abs, column)) > _LARGE:
        return None
    mean = fmean(column)
    spread = sqrt(max(0.0, _dot(column, column) / len(column) - mean * mean))
    if spread <= _FLAT * abs(mean):
        return None
    return [(value - mean) / spread for value in column]


class Prepared:
    """Columns of numbers by fold, and what they share with each other. What does not depend on the attribute is
    computed once for all."""

    def __init__(self, columns: Sequence[Vector], folds: Sequence[Sequence[int]]) -> None:
        """`folds`: the numbers of the records in each."""
        self._columns = [
            [[1.0] * len(fold), *([column[i] for i in fold] for column in columns)] for fold in folds
        ]  # fmt: skip
        self._rows = [list(zip(*columns, strict=True)) for columns in self._columns]
        self._shared = [_products(columns) for columns in self._columns]
        self._factors: dict[tuple[Hashable, ...], tuple[int, list[Vector]]] = {}

    def targets(self, answers: Sequence[Vector]) -> list[Vector]:
        """What each column shares with the answers (1 and 0) of each fold, the constant first."""
        return [
            [_dot(column, right) for column in columns] for columns, right in zip(self._columns, answers, strict=True)
        ]

    def weights(
        self, folds: Sequence[int], targets: Sequence[Vector], columns: Sequence[int], penalty: float
    ) -> dict[int, float]:
        """The weight of each of these columns in a model of some folds; `targets` as the method gives them."""
        n, lower = self._factor(tuple(folds), tuple(columns), penalty)
        mean = sum(targets[fold][0] for fold in folds) / n
        right = [sum(targets[fold][a] - mean * self._shared[fold][a][0] for fold in folds) for a in columns]
        return dict(zip(columns, _solved(lower, right), strict=True))

    def scores(self, fold: int, weights: Mapping[int, float]) -> Vector:
        """A score for each record of a fold."""
        line = [weights.get(column, 0.0) for column in range(len(self._columns[fold]))]
        return [_dot(row, line) for row in self._rows[fold]]

    def _factor(self, folds: tuple[int, ...], columns: tuple[int, ...], penalty: float) -> tuple[int, list[Vector]]:
        """The records of some folds, and the factor of what columns share in them."""
        key = (folds, columns, penalty)
        if key not in self._factors:
            n = sum(len(self._rows[fold]) for fold in folds)
            shared = [self._shared[fold] for fold in folds]
            matrix = [[sum([one[a][b] for one in shared]) for b in columns[: i + 1]] for i, a in enumerate(columns)]
            for row in matrix:
                row[-1] += penalty * n
            self._factors[key] = n, _lower(matrix)
        return self._factors[key]


def _products(columns: Sequence[Vector]) -> list[Vector]:
    """What each column shares with itself and those before it."""
    return [[_dot(one, other) for other in columns[: i + 1]] for i, one in enumerate(columns)]


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return float(sum(map(mul, one, other)))


def _lower(matrix: Sequence[Vector]) -> list[Vector]:
    """The factor of a positive definite matrix, given as its lower triangle (Cholesky)."""
    lower: list[Vector] = []
    for row in matrix:
        made: Vector = []
        for value, before in zip(row, lower, strict=False):
            made.append((value - _dot(made, before)) / before[-1])
        made.append(sqrt(max(_SMALLEST, row[-1] - _dot(made, made))))
        lower.append(made)
    return lower


def _solved(lower: Sequence[Vector], right: Sequence[float]) -> Vector:
    """The solution of a system whose matrix has this factor."""
    half: Vector = []
    for value, row in zip(right, lower, strict=True):
        half.append((value - _dot(row, half)) / row[-1])
    found = list(half)
    for i in reversed(range(len(found))):
        found[i] /= lower[i][-1]
        known = found[i]
        row = lower[i]
        for j in range(i):
            found[j] -= row[j] * known
    return found
