"""What an explanation's items come to for a reader: pieces of one input folded, pairs once, no changes that are none.

The record keeps its items as they came; these are made where it is shown, and every sum stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.model.explanation import AttributionItem, Change
from app.model.explanation_checks.features import Feature, Features
from app.model.explanation_checks.numbers import FLOAT32, is_number, total
from app.model.explanation_checks.sameness import masked
from app.model.explanation_checks.values import names_level

# The most items whose names are followed to their inputs; a list may be of any length.
_MOST_LOOKED_UP = 5_000


@dataclass(slots=True)
class Contribution:
    """One line of an attribution: of one feature, or of a pair. `encoded`: the value shown is the input's, the
    explainer saw another form of it; `pieces`: how many items were folded into it."""

    names: tuple[str, ...]
    value: object
    parts: list[float] = field(default_factory=list)
    encoded: bool = False

    @property
    def pieces(self) -> int:
        """How many items it was made from."""
        return len(self.parts)

    @property
    def amount(self) -> float:
        """What it contributes; a sum that is too large is shown as its largest part."""
        found = total(self.parts)
        return max(self.parts, key=abs) if found is None else found


def folded(items: Iterable[AttributionItem], features: Features) -> list[Contribution]:
    """Contributions by input: both halves of a pair, one-hot columns and repeats added up."""
    found: dict[tuple[str, ...], Contribution] = {}
    for at, item in enumerate(items):
        names, value, encoded = _read(item, features) if at < _MOST_LOOKED_UP else _as_it_came(item)
        key = tuple(sorted(names))
        one = found.setdefault(key, Contribution(names, value))
        one.parts.append(item.contribution)
        if encoded and not one.encoded:
            one.value, one.encoded = value, True
    return list(found.values())


def _read(item: AttributionItem, features: Features) -> tuple[tuple[str, ...], object, bool]:
    """The names of an item, its value, and whether that is the input's in place of an encoded one."""
    if isinstance(item.feature, list):
        names = tuple(_own_name(name, features) for name in item.feature)
        # The diagonal of a matrix of interactions is the feature's own effect.
        if len(names) > 1 and len(set(names)) == 1:
            return names[:1], item.value[0] if isinstance(item.value, list) and item.value else item.value, False
        return names, item.value, False
    feature = features.find(item.feature)
    if feature.form == "pair":
        return tuple(one.name for one in feature.inputs), item.value, False
    if _stands_for(feature, item.value):
        return (feature.inputs[0].name,), feature.inputs[0].value, True
    return (item.feature,), item.value, False


def _as_it_came(item: AttributionItem) -> tuple[tuple[str, ...], object, bool]:
    return (tuple(item.feature) if isinstance(item.feature, list) else (item.feature,)), item.value, False


def _own_name(name: str, features: Features) -> str:
    feature = features.find(name)
    return feature.inputs[0].name if feature.form in ("plain", "encoded") else name


def _stands_for(feature: Feature, value: object) -> bool:
    """Whether an encoded column can be shown as its input: a category's, or a number behind a pipeline's prefix."""
    if feature.form == "encoded":
        return feature.inputs[0].withheld is None
    if feature.form != "one_hot" or feature.inputs[0].withheld is not None:
        return False
    here = feature.inputs[0].value
    switch = value is None or isinstance(value, bool) or (is_number(value) and value in (0, 1))
    return here is not None and (switch or names_level(feature, here))


def real_changes(changes: Sequence[Change], features: Features) -> list[Change]:
    """Changes without those that change nothing, and with one-hot columns of a category made one change."""
    kept = [change for change in changes if not _no_change(change)]
    switched: dict[str, dict[bool, str]] = {}
    columns: dict[int, str] = {}
    for at, change in enumerate(kept):
        feature = features.find(change.feature)
        if feature.form == "one_hot" and change.from_ in (0, 1) and change.to in (0, 1) and change.from_ != change.to:
            switched.setdefault(feature.inputs[0].name, {})[bool(change.to)] = feature.level
            columns[at] = feature.inputs[0].name
    found: list[Change] = []
    for at, change in enumerate(kept):
        name = columns.get(at)
        pair = switched.get(name) if name else None
        if pair is None or len(pair) < 2:
            found.append(change)
        elif change.to in (0, False):
            found.append(change.model_copy(update={"feature": name, "from_": pair[False], "to": pair[True]}))
    return found


def unchanged(changes: Sequence[Change]) -> int:
    """How many changes change nothing."""
    return sum(map(_no_change, changes))


def _no_change(change: Change) -> bool:
    """Whether both values are one, also in float32. What protection made coarse may well differ."""
    before, after = change.from_, change.to
    if before is None or masked(before) or masked(after):
        return False
    if is_number(before) and is_number(after):
        return bool(abs(before - after) <= FLOAT32 * max(abs(before), abs(after)))
    return type(before) is type(after) and bool(before == after)
