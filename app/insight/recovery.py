"""How well an attribute can be recovered from what is visible: cross-validated AUC of one column, or of a small model
of all of them. Pure.

A model that is scored on the records it learnt from finds something in any noise. So the records are dealt into five
folds; each fold is scored by a model of the four others.

The model is three, because each finds what the others overlook: naive Bayes (many weak columns), a forest (what columns
tell only together), and a linear model (what is left when others are subtracted). Their scores are added, each with the
weight that it has earned within the four folds.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from random import Random
from statistics import NormalDist, fmean
from typing import Any

from app.insight import bayes
from app.insight.auc import Auc, Group, of_folds
from app.insight.bits import Bits, records_of, set_of
from app.insight.forest import Forest, Growth
from app.insight.linear import PENALTIES, Prepared, Vector, columns_of

FOLDS = 5
# Cases at least, with the attribute and without it: four in a fold.
CASES = 20
# An AUC within a sample is no more certain than this.
_SURE = 0.9999
Scores = Mapping[int, float]


def folds_of(keys: Sequence[Hashable], seed: int = 0) -> list[int]:
    """The records dealt into folds: those with the same key evenly, and those whose keys begin alike."""
    random = Random(seed)
    order = sorted(range(len(keys)), key=lambda record: (repr(keys[record]), random.random()))
    return [set_of(order[fold::FOLDS], len(keys)) for fold in range(FOLDS)]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a model may be: its forest, and how many columns of numbers its linear part has at most."""

    growth: Growth
    width: int


class Table:
    """Visible columns of a sample, by name, dealt into folds."""

    def __init__(self, columns: Mapping[str, Sequence[Any]], bits: Mapping[str, Bits], folds: Sequence[int]) -> None:
        """`bits`: the same columns as sets of records; those that cannot be compared are not among them."""
        self.columns = bits
        self._values = columns
        self._folds = folds
        self._places: dict[str, list[int]] = {}
        self._vectors: list[Vector] = []
        self._prepared: tuple[int, Prepared] | None = None

    def of_column(self, name: str, having: int, known: int, comparisons: int = 1) -> Auc | None:
        """The AUC of one column among the records of `known`: each value scores as often as its records in the other
        folds have the attribute."""
        p, n = having.bit_count(), known.bit_count()
        found = []
        for fold in (fold & known for fold in self._folds):
            groups: list[Group] = []
            for records in self.columns[name].bins:
                here, those = records & fold, records & known & ~fold
                with_it = (here & having).bit_count()
                score = ((those & having).bit_count() + p / n) / (those.bit_count() + 1)
                groups.append((score, with_it, here.bit_count() - with_it))
            found.append(groups)
        return of_folds(found, comparisons)

    def of_all(self, names: Sequence[str], having: int, known: int, effort: Effort, comparisons: int = 1) -> Auc | None:
        """The AUC of a small model of these columns among the records of `known`."""
        names = [name for name in names if name in self.columns]
        if not names:
            return None
        attempt = _Attempt(self, names, having, known, effort)
        found = []
        for number in range(FOLDS):
            scores = attempt.scores(number)
            found.append([(score, having >> record & 1, ~having >> record & 1) for record, score in scores.items()])
        return of_folds(found, comparisons)

    def folds(self, known: int) -> list[int]:
        """The folds of the records of `known`."""
        return [fold & known for fold in self._folds]

    def prepared(self, known: int, width: int) -> Prepared:
        """The columns as at most about `width` columns of numbers; those of the last `known` are kept."""
        if not self._places:
            most = max(1, width // max(1, len(self.columns)))
            for name, bits in self.columns.items():
                vectors = columns_of(self._values[name], bits)[:most]
                # Before them stands the constant.
                self._places[name] = list(range(len(self._vectors) + 1, len(self._vectors) + 1 + len(vectors)))
                self._vectors += vectors
        if self._prepared is None or self._prepared[0] != known:
            self._prepared = known, Prepared(self._vectors, [list(records_of(fold)) for fold in self.folds(known)])
        return self._prepared[1]

    def places(self, names: Sequence[str]) -> list[int]:
        """Where columns stand among those of `prepared`, the constant first."""
        return [0, *(place for name in names for place in self._places[name])]


class _Attempt:
    """Models of some columns of a table for one attribute."""

    def __init__(self, table: Table, names: Sequence[str], having: int, known: int, effort: Effort) -> None:
        self._bits = [table.columns[name] for name in names]
        self._folds = table.folds(known)
        self._known, self._having, self._growth = known, having & known, effort.growth
        self._linear = table.prepared(known, effort.width)
        self._places = table.places(names)
        answers = [[float(having >> record & 1) for record in records_of(fold)] for fold in self._folds]
        self._targets = self._linear.targets(answers)

    def scores(self, number: int) -> Scores:
        """A score for each record of a fold, by models of the others."""
        fold = self._folds[number]
        found = dict.fromkeys(records_of(fold), 0.0)
        for scores, weight in (self._bayes(number), self._forest(number), self._ridge(number)):
            if weight:
                for record, score in _standard(scores).items():
                    found[record] += weight * score
        return found

    def _bayes(self, number: int) -> tuple[Scores, float]:
        training, inner = self._known & ~self._folds[number], self._folds[number - 1]
        tried = bayes.scores(self._bits, training & ~inner, self._having, inner)
        return bayes.scores(self._bits, training, self._having, self._folds[number]), self._worth(tried)

    def _forest(self, number: int) -> tuple[Scores, float]:
        training = self._known & ~self._folds[number]
        forest = Forest(self._bits, training, self._having, self._growth, number)
        return forest.scores(self._folds[number]), self._worth(forest.scores(training))

    def _ridge(self, number: int) -> tuple[Scores, float]:
        """With the penalty that does best in another fold."""
        inner = (number - 1) % FOLDS
        others = [f for f in range(FOLDS) if f != number]
        best = max((self._worth(self._fitted([f for f in others if f != inner], inner, penalty)), penalty)
                   for penalty in PENALTIES)  # fmt: skip
        return self._fitted(others, number, best[1]), best[0]

    def _fitted(self, folds: Sequence[int], number: int, penalty: float) -> Scores:
        weights = self._linear.weights(folds, self._targets, self._places, penalty)
        scores = self._linear.scores(number, weights)
        return dict(zip(records_of(self._folds[number]), scores, strict=True))

    def _worth(self, scores: Scores) -> float:
        """The weight that a model has earned: the square of the distance between the two kinds of cases, in standard
        deviations, that its AUC corresponds to."""
        having = self._having
        found = of_folds([[(score, having >> record & 1, ~having >> record & 1) for record, score in scores.items()]])
        return NormalDist().inv_cdf(min(_SURE, found.auc)) ** 2 if found and found.auc > 0.5 else 0.0


def _standard(scores: Scores) -> Scores:
    """With mean 0 and deviation 1, so that scores of different models can be added."""
    if not scores:
        return scores
    mean = fmean(scores.values())
    spread = sqrt(fmean((score - mean) ** 2 for score in scores.values())) or 1.0
    return {record: (score - mean) / spread for record, score in scores.items()}
