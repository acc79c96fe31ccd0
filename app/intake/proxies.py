"""Proxies: visible fields that look like a withheld attribute, or tell of one, alone or together.

What is withheld is never stored, so this is measured while it passes by, on a sample; only figures and the
names of fields and attributes leave here.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from heapq import heappop, heappush
from typing import Any, Literal

import orjson

from app.insight.association import codes_of, comparable, likeness, tie
from app.insight.auc import Auc
from app.intake.exposed import Exposed
from app.intake.joint import QUICK, Columns, Joint, Shown, Work, joint_of, shown_of
from app.intake.mapping import to_record
from app.intake.parse import parse_json, validate
from app.intake.prepare import Recipe
from app.intake.read import Raw
from app.model.errors import RecordError
from app.model.policy import QueuePolicy
from app.protect.names import DEFAULT_WITHHELD, Withheld, tokens

# A sample's size: records, and bytes of them as they came.
RECORDS = 3000
BYTES = 64 * 1024 * 1024
# Fewer records say nothing.
FEW = 30
# From here on a field is named: normalised mutual information; likeness of names.
THRESHOLD = 0.10
ALIKE = 0.75
# From here on a field, or all together, is said to predict an attribute: AUC, and less likely by luck than `LUCK`.
PREDICTS = 0.60
# What is stronger than this only by luck, one time in a thousand, counts as nothing.
LUCK = 0.001
Why = Literal["measured", "too few", "too many values", "no values"]


class Sampler:
    """A uniform sample of the items that pass by, in bounded memory; the same for the same items.

    Each item draws a number, and those with the smallest numbers are kept: whatever is dropped to save
    memory, what stays is a uniform sample of all.
    """

    def __init__(self, records: int = RECORDS, size: int = BYTES) -> None:
        self._records = records
        self._size = size
        self._draw = random.Random(20_240_229).random
        # Smallest number last to go: a heap of (-number, order, bytes, whether it is a table's row).
        self._kept: list[tuple[float, int, bytes, bool]] = []
        self._held = 0
        self._limit = 1.0
        self._seen = 0

    def passing(self, items: Iterable[Raw]) -> Iterator[Raw]:
        """The same items."""
        draw = self._draw
        for raw in items:
            if (number := draw()) < self._limit and raw.problem is None:
                self._keep(number, raw)
            yield raw

    def _keep(self, number: float, raw: Raw) -> None:
        self._seen += 1
        heappush(self._kept, (-number, self._seen, raw.data, raw.row is not None))
        self._held += len(raw.data)
        while len(self._kept) > self._records or self._held > self._size:
            largest, _, data, _ = heappop(self._kept)
            self._held -= len(data)
            self._limit = -largest

    def records(self, recipe: Recipe) -> Iterator[dict[str, Any]]:
        """The sample as records, in the order in which they came. What is quarantined is left out: nothing of it
        may be told."""
        for _, _, data, is_row in sorted(self._kept, key=lambda kept: kept[1]):
            try:
                record = to_record(orjson.loads(data), recipe.columns) if is_row else parse_json(data)
                validate(record, recipe.policy)
            except RecordError:
                continue
            yield record


@dataclass(frozen=True, slots=True)
class Association:
    """A visible field beside a withheld attribute.

    `information`: normalised mutual information in [0, 1], 0 where chance explains it, None where `why` says
    why not; `likeness` of the names in [0, 1]; `n` records that have a value of the attribute; `auc` in [0, 1] of the
    field alone, None where there are too few cases. `said`: the field tells what the model said.
    """

    field: str
    attribute: str
    information: float | None
    likeness: float
    n: int
    auc: Auc | None = None
    said: bool = False

    @property
    def why(self) -> Why:
        """Whether it was measured, or why not."""
        return why(self.information, self.n)

    def row(self, at: int) -> dict[str, Any]:
        """As `db.associations.replace` takes it; `at` in milliseconds."""
        return {
            "field": self.field,
            "attribute": self.attribute,
            "information": self.information,
            "likeness": self.likeness,
            "n": self.n,
            "at": at,
            "auc": self.auc and round(self.auc.auc, 4),
            "low": self.auc and round(self.auc.low, 4),
            "high": self.auc and round(self.auc.high, 4),
            "by_chance": self.auc and self.auc.by_chance,
            "said": int(self.said),
        }


def why(information: float | None, n: int) -> Why:
    """Whether information was measured in `n` records, or why not."""
    if information is not None:
        return "measured"
    return "no values" if n == 0 else "too few" if n < FEW else "too many values"


@dataclass(slots=True)
class Measured:
    """What a sample of `n` records tells: fields beside attributes, the strongest first; all fields together beside
    each attribute; how unique records are by what they show; and names that the policy has and no record, each with
    where it stands there and the nearest name that records have."""

    n: int
    associations: list[Association]
    joint: list[Joint]
    shown: list[Shown]
    unmet: list[Unmet]


@dataclass(frozen=True, slots=True)
class Unmet:
    """A name in the policy that no record has. `meant` is a name that is close, if there is one."""

    name: str
    setting: str
    meant: str | None


def measure(sampler: Sampler, recipe: Recipe, work: Work = QUICK) -> Measured:
    """What a sample tells of the queue whose recipe this is; `work` says how much is done for all fields together."""
    sample = Exposed(recipe)
    for record in sampler.records(recipe):
        sample.add(record)
    fields = sample.fields()
    columns = Columns(sample, fields)
    found = [*_measured(sample, columns), *_alike(sample, fields, recipe.policy)]
    found.sort(key=_strength)
    joint = list(joint_of(columns, work))
    return Measured(sample.n, found, joint, list(shown_of(columns, work)), _unmet(sample, recipe.policy, fields))


def _strength(one: Association) -> tuple[Any, ...]:
    """What tells most comes first."""
    return (-1 if one.information is None else -one.information, -one.likeness, one.attribute, one.field)


def _measured(sample: Exposed, columns: Columns) -> Iterator[Association]:
    """Every field beside every attribute that records have values of."""
    codes = {name: None if plain is None else codes_of(plain) for name, plain in columns.plain.items()}
    for attribute, sources in columns.attributes.items():
        names = _names_of(attribute)
        coded_sources = [(list(source), _coded(source)) for source in sources]
        n = max(map(len, sources))
        for name in columns.plain:
            ties = [_information(codes[name], *source) for source in coded_sources]
            known = [information for information in ties if information is not None]
            yield Association(
                name, attribute, max(known, default=None), likeness(name, names), n,
                columns.alone(name, attribute), name in sample.said,
            )  # fmt: skip


def _coded(source: dict[int, Any]) -> list[int] | None:
    plain: list[Hashable] | None = comparable(list(source.values()))
    return None if plain is None else codes_of(plain)


def _information(column: list[int] | None, records: list[int], attribute: list[int] | None) -> float | None:
    """Normalised mutual information of a field and an attribute, over the records that have the attribute."""
    if column is None or attribute is None or len(records) < FEW:
        return None
    found = tie(column if len(records) == len(column) else [column[number] for number in records], attribute)
    return round(found.information, 4) if found.by_chance <= LUCK else 0.0


def _alike(sample: Exposed, fields: list[str], policy: QueuePolicy) -> Iterator[Association]:
    """Fields that look like an attribute which is withheld, but which no record has a value of."""
    met = {_group(attribute) for attribute, _ in sample.withheld}
    shown = {tokens(name) for name in (*policy.show, *policy.band, *policy.pseudonymise)}
    for attribute in dict.fromkeys((*DEFAULT_WITHHELD, *policy.withhold, *policy.reveals)):
        names = [name for name in _names_of(attribute) if tokens(name) not in shown]
        if _group(attribute) in met:
            continue
        for name in fields:
            alike = 0.0 if tokens(name) in shown else likeness(name, names)
            if alike >= ALIKE:
                yield Association(name, attribute, None, alike, 0)


def _unmet(sample: Exposed, policy: QueuePolicy, fields: list[str]) -> list[Unmet]:
    """Names of the policy that no record of the sample has."""
    if not sample.n:
        return []
    withheld = [name for (_, name), records in sample.withheld.items() if sample.is_schema(name, records)]
    offered = {"_".join(tokens(name)): name for name in (*fields, *withheld)}
    met = {tokens(name) for name in (*sample.names, *sample.visible, *(name for _, name in sample.withheld))}
    beginnings = {words[:n] for words in met for n in range(1, len(words) + 1)}
    found = []
    for setting, names in _named(policy):
        for name in names:
            words = tokens(name)
            # `age` withholds `age_band` as well.
            if words in (beginnings if setting == "withhold" else met):
                continue
            near = get_close_matches("_".join(words), offered, n=1, cutoff=0.75)
            found.append(Unmet(name, setting, offered[near[0]] if near else None))
    return found


def _named(policy: QueuePolicy) -> Iterator[tuple[str, Iterable[str]]]:
    """The policy's settings that name fields."""
    yield from (("withhold", policy.withhold), ("show", policy.show))
    # Every record has an id.
    yield "pseudonymise", (name for name in policy.pseudonymise if tokens(name) != ("id",))
    yield from (("band", policy.band), ("texts", policy.texts or ()))
    for names in policy.reveals.values():
        yield "reveals", names


def _group(attribute: str) -> str:
    """What the built-in list calls an attribute; itself where it is not on it."""
    return attribute if attribute in DEFAULT_WITHHELD else Withheld((), {}).attribute(attribute) or attribute


def _names_of(attribute: str) -> tuple[str, ...]:
    """Names under which an attribute is met."""
    return (attribute, *DEFAULT_WITHHELD.get(_group(attribute), ()))
