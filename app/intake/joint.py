"""What all visible fields tell together: of each withheld attribute, and of whose record it is."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from app.insight.association import NUMBER, TEXT, codes_of, comparable
from app.insight.auc import Auc
from app.insight.bits import bits_from, set_of
from app.insight.forest import Growth
from app.insight.recovery import CASES, Effort, Table, folds_of
from app.insight.uniqueness import of_columns, singling_out
from app.intake.exposed import Exposed

# What is looked at: what is shown before a judgement; that and what the model said; what the model said alone.
Sees = Literal["inputs", "inputs and output", "output"]
# What is predicted: one value against all others, or whether a number is above the median.
Cut = Literal["value", "median"]
# Values of an attribute that are predicted, the most frequent ones.
_VALUES = 4
# Names of an attribute, as of `age` and `age_band`, whose values are predicted.
_SOURCES = 2
# Fields of a set that singles out many.
_SINGLING = 3


@dataclass(frozen=True, slots=True)
class Work:
    """How much may be done for all fields together: records, fields and attributes at most, and each model's effort."""

    records: int
    fields: int
    attributes: int
    effort: Effort


# While an import waits, and where somebody asked.
QUICK = Work(500, 40, 3, Effort(Growth(10, 20, 5, 2), 50))
THOROUGH = Work(3000, 80, 30, Effort(Growth(30, 40, 8, 3), 90))


@dataclass(frozen=True, slots=True)
class Joint:
    """How well a small model predicts an attribute from all that is visible, on `n` records that it did not learn from.

    `auc` in [0, 1] with its 95 % interval, None where there are too few cases; of several values that were predicted
    (`values`) the largest, with the interval widened for that.
    """

    attribute: str
    sees: Sees
    auc: float | None
    low: float | None
    high: float | None
    by_chance: float | None
    n: int
    values: int
    cut: Cut

    def facts(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Shown:
    """Of `n` records, how many are the only ones with all that they show in `fields` fields (`unique`), and how many
    are among fewer than five (`rare`); `banded`: with numbers in ten groups. `singling` are a few fields that single
    out many, each with how many are unique by it and those before it; `left_out` differ in nearly every record and are
    not counted."""

    sees: Sees
    banded: bool
    n: int
    fields: int
    unique: int
    rare: int
    singling: list[tuple[str, int]]
    left_out: list[str]

    def facts(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Target:
    """A question about an attribute: the records for which the answer is yes, of those that have the attribute."""

    having: int
    known: int
    cut: Cut


class Columns:
    """A sample's visible columns, and the questions about its attributes."""

    def __init__(self, sample: Exposed, fields: Sequence[str]) -> None:
        self.n = sample.n
        self.fields = list(fields)
        self.said = sample.said
        self.values = {name: [sample.visible[name].get(i) for i in range(sample.n)] for name in fields}
        self.plain: dict[str, list[Hashable] | None] = {name: comparable(v) for name, v in self.values.items()}
        self.attributes = sample.attributes()
        self.targets = {name: _questions(sources, self.n) for name, sources in self.attributes.items()}
        self._table: Table | None = None

    def seen(self, sees: Sees) -> list[str]:
        """The fields that are looked at."""
        if sees == "inputs and output":
            return self.fields
        return [name for name in self.fields if (name in self.said) == (sees == "output")]

    def alone(self, name: str, attribute: str) -> Auc | None:
        """The AUC of one field: of several questions about the attribute the largest."""
        targets = self.targets[attribute]
        if self.plain[name] is None or not targets:
            return None
        if self._table is None:
            self._table = self._all()
        table = self._table
        return _largest([table.of_column(name, t.having, t.known, len(targets)) for t in targets])

    def _all(self) -> Table:
        bits = {name: bits_from(plain) for name, plain in self.plain.items() if plain}
        return Table({}, bits, folds_of(_keys(self.targets, self.n)))

    def some(self, work: Work) -> tuple[Table, dict[str, list[_Target]]]:
        """A table of a part of the records, fields and attributes, and the questions about these records."""
        names = [name for name in self.fields if self.plain[name]][: work.fields]
        targets, values = self.targets, {name: self.values[name] for name in names}
        if self.n > work.records:
            kept = sorted(random.Random(0).sample(range(self.n), work.records))
            targets = {name: _questions(_of(sources, kept), len(kept)) for name, sources in self.attributes.items()}
            values = {name: [self.values[name][record] for record in kept] for name in names}
        size = min(self.n, work.records)
        plain = {name: comparable(column) for name, column in values.items()}
        bits = {name: bits_from(column) for name, column in plain.items() if column}
        chosen = dict(list(targets.items())[: work.attributes])
        return Table(values, bits, folds_of(_keys(chosen, size))), chosen


def joint_of(columns: Columns, work: Work) -> Iterator[Joint]:
    """All visible fields beside each attribute."""
    if not columns.n or not columns.attributes:
        return
    table, targets = columns.some(work)
    for attribute, questions in targets.items():
        n = max(map(len, columns.attributes[attribute]))
        kinds: tuple[Sees, ...] = ("inputs", "inputs and output") if columns.seen("output") else ("inputs",)
        for sees in kinds:
            names = [name for name in columns.seen(sees) if name in table.columns]
            found = [table.of_all(names, q.having, q.known, work.effort, len(questions)) for q in questions]
            answered = [(auc, question) for auc, question in zip(found, questions, strict=True) if auc]
            if not answered:
                yield Joint(attribute, sees, None, None, None, None, n, len(questions), "value")
                continue
            auc, question = max(answered, key=lambda one: one[0].auc)
            figures = (round(auc.auc, 4), round(auc.low, 4), round(auc.high, 4), auc.by_chance)
            yield Joint(attribute, sees, *figures, question.known.bit_count(), len(questions), question.cut)


def shown_of(columns: Columns, work: Work) -> Iterator[Shown]:
    """How unique records are by what they show."""
    if not columns.n:
        return
    left_out = [name for name, plain in columns.plain.items() if plain is None]
    exact = {name: codes_of(map(_exact, values)) for name, values in columns.values.items() if columns.plain[name]}
    banded = {name: codes_of(plain) for name, plain in columns.plain.items() if plain}
    kinds: tuple[Sees, ...] = ("inputs", "inputs and output") if columns.seen("output") else ("inputs",)
    for sees in kinds:
        names = [name for name in columns.seen(sees) if name in exact]
        for coarse, codes in ((False, exact), (True, banded)):
            found = of_columns((codes[name] for name in names), columns.n)
            # The fields that single out are those of what is shown first, as it is shown.
            some = {name: codes[name] for name in names[: work.fields]} if sees == "inputs" and not coarse else {}
            singling = singling_out(some, columns.n, _SINGLING)
            yield Shown(sees, coarse, found.n, len(names), found.unique, found.rare, singling, left_out)


def _exact(value: Any) -> Hashable:
    """A value that can be counted: 1, True and "1" are three, 1 and 1.0 are one."""
    return repr(value) if isinstance(value, bool | list | dict) else value


def _largest(found: Sequence[Auc | None]) -> Auc | None:
    return max((one for one in found if one), key=lambda one: one.auc, default=None)


def _questions(sources: Sequence[Mapping[int, Any]], size: int) -> list[_Target]:
    """The questions about an attribute that stands under one or several names."""
    most = sorted(sources, key=len, reverse=True)[:_SOURCES]
    return [question for source in most for question in _targets(source, size)]


def _of(sources: Sequence[Mapping[int, Any]], kept: Sequence[int]) -> list[dict[int, Any]]:
    """The values of a part of the records, by their numbers within it."""
    return [{at: source[r] for at, r in enumerate(kept) if r in source} for source in sources]


def _targets(source: Mapping[int, Any], size: int) -> list[_Target]:
    """The questions about an attribute whose values these are, by record: is it this value, for each with enough cases
    (of two values one question is enough); is this number above the median?"""
    plain = comparable(list(source.values()))
    if plain is None:
        return []
    known = set_of(source, size)
    ordered = sorted(code for code in plain if isinstance(code, tuple) and code[0] in (NUMBER, TEXT))
    if len(ordered) > len(plain) / 2 and len(set(ordered)) > _VALUES:
        middle = ordered[len(ordered) // 2]
        above = [r for r, code in zip(source, plain, strict=True) if isinstance(code, tuple) and code > middle]
        least = [r for r, code in zip(source, plain, strict=True) if isinstance(code, tuple) and code >= middle]
        half = len(plain) / 2
        chosen = min((above, least), key=lambda records: abs(len(records) - half))
        return _enough([set_of(chosen, size)], known, "median")
    counts = Counter(plain)
    values = [value for value, _ in counts.most_common(_VALUES)]
    values = values[1:] if len(counts) == 2 else values
    sets = [set_of((r for r, code in zip(source, plain, strict=True) if code == value), size) for value in values]
    return _enough(sets, known, "value")


def _enough(sets: Sequence[int], known: int, cut: Cut) -> list[_Target]:
    """Those with enough cases of both kinds."""
    n = known.bit_count()
    return [_Target(having, known, cut) for having in sets if CASES <= having.bit_count() <= n - CASES]


def _keys(targets: Mapping[str, Sequence[_Target]], size: int) -> list[tuple[int, ...]]:
    """What records are dealt into folds by: their answers, 2 where there is none."""
    questions = [question for found in targets.values() for question in found]
    columns = [[q.having >> r & 1 if q.known >> r & 1 else 2 for r in range(size)] for q in questions]
    return list(zip(*columns, strict=True)) if columns else [()] * size
