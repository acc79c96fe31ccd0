"""A forest that predicts whether a record has an attribute from columns of any kind. Pure; nothing is installed for it.

Decision trees (Breiman, "Random Forests", Machine Learning 45, 2001), each grown on a random part of the records, at
each step by the best of some random questions (Geurts, Ernst & Wehenkel, "Extremely randomized trees", Machine Learning
63, 2006), find what columns tell only together.

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

# Records at least in a leaf, on both sides of a question.
_LEAF = 4
# Columns whose questions are tried in pairs; number of the best pairs that trees may begin with.
_PAIRED_COLUMNS = 40
_PAIRS = 200
# Share of the columns that a tree may begin with.
_BEGINNING = 0.6
# All records: every bit is set.
_EVERYTHING = -1
# Records of no kind in particular, added to each count: a rare value is no certainty.
_PRIOR = 1.0


@dataclass(frozen=True, slots=True)
class Growth:
    """How much work a forest may be: trees, questions that are tried at each step of a tree, steps in a row, and
    questions of each column that are tried in pairs."""

    trees: int
    tries: int
    depth: int
    paired: int


class Forest:
    """Trees that have learnt from the records of `training`, those in `having` with the attribute."""

    def __init__(self, columns: Sequence[Bits], training: int, having: int, growth: Growth, seed: int) -> None:
        self._tests = [column.tests() for column in columns]
        self._all_tests = [test for tests in self._tests for test in tests]
        self._random = Random(seed)
        self._order = self._all_tests
        self._training = training
        self._having = having & training
        self._growth = growth
        pairs = self._pairs()
        self._trees = [self._tree(pairs) for _ in range(growth.trees)]

    def scores(self, records: int) -> dict[int, float]:
        """For each record of a set the log odds of the mean of the trees that have not seen it; the higher, the
        likelier the attribute. A record that all have seen is left out."""
        totals = dict.fromkeys(records_of(records), 0.0)
        trees = dict.fromkeys(totals, 0)
        for bag, leaves in self._trees:
            for leaf, share in leaves:
                for record in records_of(leaf & records & ~bag):
                    totals[record] += share
                    trees[record] += 1
        return {record: log(total / (trees[record] - total)) for record, total in totals.items() if trees[record]}

    def _pairs(self) -> list[tuple[int, int, int, int]]:
        """Pairs of questions about two columns, by which the training part falls apart best; each question with its
        column."""
        training, having = self._training, self._having
        some = [
            (column, test, (test & training).bit_count(), (test & having).bit_count())
            for column in self._random.sample(range(len(self._tests)), min(_PAIRED_COLUMNS, len(self._tests)))
            for test in _middle(self._tests[column], training)[: self._growth.paired]
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

    def _tree(self, pairs: list[tuple[int, int, int, int]]) -> tuple[int, list[tuple[int, float]]]:
        """The records that a tree has seen, and its leaves: records, of all that there are, and the share that has the
        attribute."""
        self._random.shuffle(self._all_tests)
        # The last ones are followed by the first.
        self._order = self._all_tests + self._all_tests[: self._growth.tries]
        bag = self._training & _most_of(self._random, self._training.bit_length())
        count = len(self._tests)
        allowed = set(self._random.sample(range(count), max(2, round(_BEGINNING * count)))) if count > 1 else set()
        first = next(((one, other) for a, b, one, other in pairs if a in allowed and b in allowed), ())
        parts = [_EVERYTHING]
        for test in first:
            parts = [half for part in parts for half in (part & test, part & ~test)]
        leaves: list[tuple[int, float]] = []
        base = (self._having.bit_count() + _PRIOR) / (self._training.bit_count() + 2 * _PRIOR)
        for part in parts:
            self._grow(part, bag, self._growth.depth - len(first), base, leaves)
        return bag, leaves

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
        having = node & self._having
        best, found = with_it * with_it / n, None
        # The questions are in random order: some in a row are as random as some drawn, and cost less.
        start = int(self._random.random() * len(self._all_tests))
        for test in self._order[start : start + self._growth.tries]:
            yes = (node & test).bit_count()
            if yes < _LEAF or n - yes < _LEAF:
                continue
            p = (having & test).bit_count()
            gain = p * p / yes + (with_it - p) * (with_it - p) / (n - yes)
            if gain > best:
                best, found = gain, test
        return found


def _middle(tests: list[int], training: int) -> list[int]:
    """Questions, those first that part the records most evenly."""
    half = training.bit_count() / 2
    return sorted(tests, key=lambda test: abs((test & training).bit_count() - half))


def _most_of(random: Random, size: int) -> int:
    """A random set in which each record is with probability 3/4."""
    return random.getrandbits(size) | random.getrandbits(size) if size else 0
