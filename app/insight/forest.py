"""A small model that predicts whether a record has an attribute from columns of any kind. Pure; nothing is installed
for it, and nothing of a record leaves it but a score.

Two models are averaged, because each finds what the other overlooks:

- a naive Bayes model over the columns' groups adds up what many columns tell a little of each;
- a forest of decision trees (Breiman, "Random Forests", Machine Learning 45, 2001), each grown on a random part of the
  records, at each step by the best of some random questions (Geurts, Ernst & Wehenkel, "Extremely randomized trees",
  Machine Learning 63, 2006), finds what columns tell only together.

A tree chooses its questions one after the other and so passes over two that tell something only together (exclusive
or). So a tree begins with a pair of questions that was chosen as a pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log
from random import Random

from app.insight.bits import Bits, records_of

# Records of the training part that a tree sees.
_SHARE = 0.7
# Records at least in a leaf, on both sides of a question.
_LEAF = 4
# Columns, and questions of each, that are tried as pairs; so many of the best pairs are kept for trees to begin with.
_PAIRED_COLUMNS = 40
_PAIRED_TESTS = 3
_PAIRS = 200
# Share of the columns that a tree may begin with.
_BEGINNING = 0.6
# All records: every bit is set.
_EVERYTHING = -1
# How much more the forest's odds count: its mean of many trees is too careful.
_FOREST = 2.0
# Records of no kind in particular, added to each count: a rare value is no certainty.
_PRIOR = 1.0


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a model may be: trees, questions that are tried at each step of a tree, and steps in a row."""

    trees: int
    tries: int
    depth: int


class Model:
    """Learns from the records of `training`, those in `having` with the attribute, and scores others."""

    def __init__(self, columns: Sequence[Bits], training: int, having: int, effort: Effort, seed: int) -> None:
        self._columns = columns
        self._tests = [column.tests() for column in columns]
        self._all_tests = [test for tests in self._tests for test in tests]
        self._training = training
        self._having = having & training
        self._effort = effort
        self._random = Random(seed)
        self._size = training.bit_length()

    def scores(self, held_out: int) -> dict[int, float]:
        """A score for each record of a set that it has not learnt from; the higher, the likelier the attribute."""
        bayes, forest = self._bayes(held_out), self._forest(held_out)
        return {record: bayes[record] + _FOREST * forest[record] for record in bayes}

    def _bayes(self, held_out: int) -> dict[int, float]:
        """Log odds of a naive Bayes model."""
        found = dict.fromkeys(records_of(held_out), 0.0)
        p = self._having.bit_count()
        n = self._training.bit_count() - p
        for column in self._columns:
            weights, trust = self._weights(column, p, n)
            for records, weight in zip(column.bins, weights, strict=True):
                for record in records_of(records & held_out) if trust else ():
                    found[record] += trust * weight
        return found

    def _weights(self, column: Bits, p: int, n: int) -> tuple[list[float], float]:
        """What each group of a column says, as log odds, and how much of that is more than chance: 1 − df / G, of the
        G statistic and its mean by chance, as in a James-Stein estimate."""
        kinds = len(column.bins)
        weights, g = [], 0.0
        for records in column.bins:
            with_it = (records & self._having).bit_count()
            without = (records & self._training).bit_count() - with_it
            for count, others in ((with_it, p), (without, n)):
                if count:
                    g += 2 * count * log(count * (p + n) / ((with_it + without) * others))
            weights.append(log((with_it + _PRIOR) / (p + _PRIOR * kinds) * (n + _PRIOR * kinds) / (without + _PRIOR)))
        return weights, max(0.0, 1 - (kinds - 1) / g) if g > 0 else 0.0

    def _forest(self, held_out: int) -> dict[int, float]:
        """Log odds of the mean of the trees."""
        found = dict.fromkeys(records_of(held_out), 0.0)
        pairs = self._pairs()
        for _ in range(self._effort.trees):
            for leaf, share in self._tree(pairs):
                for record in records_of(leaf & held_out):
                    found[record] += share
        return {record: log(total / (self._effort.trees - total)) for record, total in found.items()}

    def _pairs(self) -> list[tuple[int, int, int, int]]:
        """Pairs of questions about two columns, by which the training part falls apart best; each question with its
        column."""
        training, having = self._training, self._having
        some = [
            (column, test, (test & training).bit_count(), (test & having).bit_count())
            for column in self._random.sample(range(len(self._tests)), min(_PAIRED_COLUMNS, len(self._tests)))
            for test in _middle(self._tests[column], training)
        ]
        n, p = training.bit_count(), having.bit_count()
        found = []
        for (a, one, n1, p1), (b, other, n2, p2) in combinations(some, 2):
            if a != b:
                both = one & other
                n12, p12 = (both & training).bit_count(), (both & having).bit_count()
                cells = (n12, p12), (n1 - n12, p1 - p12), (n2 - n12, p2 - p12), (n - n1 - n2 + n12, p - p1 - p2 + p12)
                found.append((sum(c * c / (m + _PRIOR) for m, c in cells), a, b, one, other))
        found.sort(key=lambda pair: -pair[0])
        return [pair[1:] for pair in found[:_PAIRS]]

    def _tree(self, pairs: list[tuple[int, int, int, int]]) -> list[tuple[int, float]]:
        """The leaves of a tree: records, of all that there are, and the share that has the attribute."""
        bag = self._training & _some_of(self._random, _SHARE, self._size)
        count = len(self._columns)
        allowed = set(self._random.sample(range(count), max(2, round(_BEGINNING * count)))) if count > 1 else set()
        first = next(((one, other) for a, b, one, other in pairs if a in allowed and b in allowed), ())
        parts = [_EVERYTHING]
        for test in first:
            parts = [half for part in parts for half in (part & test, part & ~test)]
        leaves: list[tuple[int, float]] = []
        base = (self._having.bit_count() + _PRIOR) / (self._training.bit_count() + 2 * _PRIOR)
        for part in parts:
            self._grow(part, bag, self._effort.depth - len(first), base, leaves)
        return leaves

    def _grow(self, place: int, bag: int, depth: int, above: float, leaves: list[tuple[int, float]]) -> None:
        """Adds the leaves below a place in a tree; `above`: the share in what is around it."""
        node = place & bag
        n, with_it = node.bit_count(), (node & self._having).bit_count()
        share = (with_it + _PRIOR * above) / (n + _PRIOR)
        test = self._best(node, n, with_it) if depth > 0 and 0 < with_it < n and n >= 2 * _LEAF else None
        if test is None:
            leaves.append((place, share))
            return
        self._grow(place & test, bag, depth - 1, share, leaves)
        self._grow(place & ~test, bag, depth - 1, share, leaves)

    def _best(self, node: int, n: int, with_it: int) -> int | None:
        """Of some questions the one that leaves the least impurity (Gini) on its two sides."""
        tests, having = self._all_tests, node & self._having
        best, found = with_it * with_it / n, None
        for test in self._random.sample(tests, min(self._effort.tries, len(tests))):
            yes = (node & test).bit_count()
            if yes < _LEAF or n - yes < _LEAF:
                continue
            p = (having & test).bit_count()
            gain = p * p / yes + (with_it - p) * (with_it - p) / (n - yes)
            if gain > best:
                best, found = gain, test
        return found


def _middle(tests: list[int], training: int) -> list[int]:
    """The questions that part the records most evenly."""
    half = training.bit_count() / 2
    return sorted(tests, key=lambda test: abs((test & training).bit_count() - half))[:_PAIRED_TESTS]


def _some_of(random: Random, share: float, size: int) -> int:
    """A random set in which each record is with about this probability: that of three coins in a row and an or,
    in steps of an eighth."""
    found = 0
    for bit in f"{round(share * 8):03b}"[::-1]:
        coins = random.getrandbits(size) if size else 0
        found = found | coins if bit == "1" else found & coins
    return found

