"""How well an attribute can be recovered from what is visible: cross-validated AUC of one column, or of a small model of
all of them. Pure.

A model that is scored on the records it learnt from finds something in any noise. So the records are dealt into five
folds, with and without the attribute apart; each fold is scored by a model of the four others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from app.insight.auc import Auc, Group, of_folds
from app.insight.bits import Bits, records_of, set_of
from app.insight.forest import Effort, Model

FOLDS = 5
# Cases at least, with the attribute and without it: four in a fold.
CASES = 20


def folds_of(having: int, size: int, seed: int = 0) -> list[int]:
    """The records below `size` dealt into folds, those of `having` and the others evenly."""
    random = Random(seed)
    everything = (1 << size) - 1
    dealt: list[list[int]] = [[] for _ in range(FOLDS)]
    at = 0
    for part in (having, everything & ~having):
        records = list(records_of(part))
        random.shuffle(records)
        for record in records:
            dealt[at % FOLDS].append(record)
            at += 1
    return [set_of(fold, size) for fold in dealt]


def of_column(column: Bits, having: int, folds: Sequence[int], comparisons: int = 1) -> Auc | None:
    """The AUC of one column: each value scores as often as its records in the other folds have the attribute."""
    everything = sum(folds)
    p, n = having.bit_count(), everything.bit_count()
    found = []
    for fold in folds:
        groups = []
        for records in column.bins:
            here, those = records & fold, records & everything & ~fold
            with_it = (here & having).bit_count()
            score = ((those & having).bit_count() + p / n) / (those.bit_count() + 1)
            groups.append((score, with_it, here.bit_count() - with_it))
        found.append(_merged(groups))
    return of_folds(found, comparisons)


def of_all(
    columns: Sequence[Bits], having: int, folds: Sequence[int], effort: Effort, comparisons: int = 1
) -> Auc | None:
    """The AUC of a small model of all columns."""
    everything = sum(folds)
    found = []
    for number, fold in enumerate(folds):
        scores = Model(columns, everything & ~fold, having, effort, number).scores(fold)
        found.append([(score, having >> record & 1, 1 - (having >> record & 1)) for record, score in scores.items()])
    return of_folds(found, comparisons)


def _merged(groups: Sequence[Group]) -> list[Group]:
    """Groups of equal scores as one."""
    with_it: Counter[float] = Counter()
    without: Counter[float] = Counter()
    for score, p, n in groups:
        with_it[score] += p
        without[score] += n
    return [(score, with_it[score], without[score]) for score in with_it]
