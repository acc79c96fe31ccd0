"""Whether the values that an explanation names are this case's inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from app.model.explanation import Attribution, AttributionItem, Counterfactual, Explanation
from app.model.explanation_checks.conditions import holds
from app.model.explanation_checks.facts import Facts, is_surrogate
from app.model.explanation_checks.features import Feature, words_of
from app.model.explanation_checks.numbers import is_number
from app.model.explanation_checks.sameness import MOST_DEVIATIONS, Sameness, compare, masked
from app.model.explanation_checks.wording import names, short
from app.model.explanation_warning import Found
from app.model.prediction import Input

MOST_ITEMS = 1_000
"""The most items of an explanation that are compared."""


class Compared(NamedTuple):
    """A value that an explanation gives for an input, and how it compares."""

    name: str
    given: object
    here: object
    how: Sameness


def check(explanation: Explanation, facts: Facts) -> Iterator[Found]:
    """Other values than the case has, values that may be encoded, features that are no inputs."""
    if isinstance(explanation, Attribution):
        yield from _attribution(explanation, facts)
    elif isinstance(explanation, Counterfactual):
        changes = (change for item in explanation.items[:MOST_ITEMS] for change in item.changes[:MOST_ITEMS])
        found = [one for change in changes for one in _plain(change.feature, change.from_, facts)]
        yield from _judged(found[:MOST_ITEMS], "starts from")


def _attribution(explanation: Attribution, facts: Facts) -> Iterator[Found]:
    items = explanation.items[:MOST_ITEMS]
    found = [one for item in items for one in _item(item, facts)]
    if is_surrogate(explanation):
        found += [one for item in items for one in _category(item, facts)]
    yield from _judged([*found, *_one_hot(items, facts)], "explains")
    unknown = [name for item in items for name in _names(item) if facts.features.find(name).form == "unknown"]
    if unknown and facts.prediction.inputs:
        yield Found("unknown_features", "low", f"no input of this case: {names(unknown)}")


def _names(item: AttributionItem) -> list[str]:
    return item.feature if isinstance(item.feature, list) else [item.feature]


def _item(item: AttributionItem, facts: Facts) -> Iterator[Compared]:
    if isinstance(item.feature, str):
        yield from _plain(item.feature, item.value, facts)
    elif isinstance(item.value, list) and len(item.value) == len(item.feature):
        for name, value in zip(item.feature, item.value, strict=True):
            yield from _plain(name, value, facts)


def _plain(name: str, given: object, facts: Facts) -> Iterator[Compared]:
    """A value under an input's own name, or under a pair's, or in a condition."""
    feature = facts.features.find(name)
    match feature.form:
        case "plain" if _can_be_compared(feature.inputs[0]):
            here = feature.inputs[0].value
            yield Compared(feature.inputs[0].name, given, here, compare(given, here))
        case "encoded" if _can_be_compared(feature.inputs[0]):
            here = feature.inputs[0].value
            how = compare(given, here)
            # Behind a pipeline's prefix a value is the pipeline's: only words for words can differ.
            if how == "same" or isinstance(given, str):
                yield Compared(feature.inputs[0].name, given, here, how)
            elif is_number(given):
                yield Compared(feature.inputs[0].name, given, here, "scaled" if is_number(here) else "coded")
        case "pair" if isinstance(given, list) and len(given) == len(feature.inputs):
            for item, value in zip(feature.inputs, given, strict=True):
                if _can_be_compared(item):
                    yield Compared(item.name, value, item.value, compare(value, item.value))
        case "condition" if _can_be_compared(feature.inputs[0]):
            here = feature.inputs[0].value
            if holds(name, here) is False:
                yield Compared(feature.inputs[0].name, name, here, "different")


def _category(item: AttributionItem, facts: Facts) -> Iterator[Compared]:
    """LIME's `purpose=car`: the category that the case has, not a column of many."""
    name = item.feature
    if item.value is not None or not isinstance(name, str) or "=" not in name:
        return
    feature = facts.features.find(name)
    if (
        feature.form == "one_hot"
        and _can_be_compared(feature.inputs[0])
        and holds(name, feature.inputs[0].value) is False
    ):
        yield Compared(feature.inputs[0].name, feature.level, feature.inputs[0].value, "different")


def _can_be_compared(item: Input) -> bool:
    return item.withheld is None and item.kind in ("number", "category") and not masked(item.value)


def _one_hot(items: list[AttributionItem], facts: Facts) -> Iterator[Compared]:
    """Columns of a category that contradict the case: another one's at 1, or its own at 0.

    Another one's counts only where the case's own column is among them: else the categories may be codes for what the
    case spells out, which is said.
    """
    columns = [column for item in items if (column := _column(item, facts))]
    # What stands at 1 says which category was explained.
    columns.sort(key=lambda column: not column[1])
    spelt = {feature.inputs[0].name for feature, _ in columns if names_level(feature, feature.inputs[0].value)}
    for feature, active in columns:
        item = feature.inputs[0]
        matches = names_level(feature, item.value)
        if active and not matches:
            yield Compared(item.name, feature.level, item.value, "different" if item.name in spelt else "coded")
        elif matches and not active:
            yield Compared(item.name, f"not {feature.level}", item.value, "different")


def _column(item: AttributionItem, facts: Facts) -> tuple[Feature, bool] | None:
    """A one-hot column and whether it is on."""
    feature = facts.features.find(item.feature) if isinstance(item.feature, str) else None
    if feature is None or feature.form != "one_hot" or not _can_be_compared(feature.inputs[0]):
        return None
    on = item.value if isinstance(item.value, bool | int | float) else None
    return (feature, bool(on)) if on in (0, 1) and feature.inputs[0].value is not None else None


def names_level(feature: Feature, value: object) -> bool:
    """Whether a one-hot column is that of the value."""
    level, said = words_of(feature.level), words_of(str(value)[:1_000])
    return (
        level == said
        or "".join(level) == "".join(said)
        or (isinstance(value, bool) and compare(feature.level, value) == "same")
    )


def _is_large(value: object) -> bool:
    """Whether a number could not be one of standard deviations."""
    return isinstance(value, int | float) and is_number(value) and abs(value) >= MOST_DEVIATIONS


def _judged(found: list[Compared], does: str) -> Iterator[Found]:
    # Where other numbers stand as they are, none was scaled; shares and counts of few are often passed through.
    unscaled = any(one.how == "same" and _is_large(one.here) for one in found)
    wrong = [one for one in found if one.how == "different" or (one.how == "scaled" and unscaled)]
    if wrong:
        first = next(iter(wrong))
        others = [one.name for one in wrong if one.name != first.name]
        also = f"; also {names(others)}" if others else ""
        said = f"{does} {short(first.name)} = {short(first.given)}, here {short(first.here)}{also}"
        yield Found("other_values", "high", f"not this case's values: {said}")
    encoded = [one.name for one in found if one.how in ("scaled", "coded", "filled_in") and one not in wrong]
    if encoded:
        yield Found("encoded_values", "low", f"values were encoded before they were explained: {names(encoded)}")
