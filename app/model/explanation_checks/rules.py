"""Rules: whether they hold for this case, and whether an anchor is as precise as it has to be."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.model.explanation import Explanation, Rule, RuleItem
from app.model.explanation_checks.conditions import holds, met
from app.model.explanation_checks.facts import Facts, words_of
from app.model.explanation_checks.numbers import is_number
from app.model.explanation_checks.sameness import masked
from app.model.explanation_checks.wording import number, short
from app.model.explanation_warning import Found

_MOST_ITEMS = 1_000
_AND = re.compile(r"\s+(?:AND|and|&|∧)\s+|,\s+")
_COMPARISON = re.compile(r"[<>≤≥=]")
# alibi asks for .95 where nothing is said; a threshold that was chosen lower is seldom below this.
_PRECISION = 0.9
_THRESHOLDS = ("precision_threshold", "threshold")


def check(explanation: Explanation, facts: Facts) -> Iterator[Found]:
    """Conditions that the case does not meet; an anchor that missed its threshold."""
    if not isinstance(explanation, Rule):
        return
    found = (one for item in explanation.items[:_MOST_ITEMS] for one in _conditions(item))
    broken = next(((one, here) for one in found if (here := _broken(one, facts)) is not None), None)
    if broken:
        condition, here = broken
        said = " ".join(
            f"{condition.feature} {condition.op} {'' if condition.value is None else short(condition.value)}".split()
        )
        yield Found("condition_not_met", "high", f"does not hold for this case: {short(said)}, here {short(here)}")
    if any(word.startswith("anchor") for word in words_of(explanation.method)):
        yield from _too_weak(explanation)


def _conditions(item: RuleItem) -> list[RuleItem]:
    """An item's conditions: some explainers write a whole rule in one string."""
    if item.op.strip():
        return [item]
    parts = _AND.split(item.feature)
    if len(parts) == 1 or not all(_COMPARISON.search(part) for part in parts):
        return [item]
    return [item.model_copy(update={"feature": part}) for part in parts]


def _broken(item: RuleItem, facts: Facts) -> object | None:
    """The value of the input for which a condition does not hold; None where it does, or cannot be told."""
    feature = facts.features.find(item.feature)
    if feature.form not in ("plain", "condition", "one_hot") or len(feature.inputs) != 1:
        return None
    (found,) = feature.inputs
    if found.withheld is not None or found.value is None or masked(found.value):
        return None
    if found.kind not in ("number", "category") or _holds(item, found.value) is not False:
        return None
    value: object = found.value
    return value


def _holds(item: RuleItem, value: object) -> bool | None:
    if item.op.strip():
        plain = item.value is not None and not masked(item.value)
        return met(value, item.op, item.value) if plain else None
    return None if item.value is False else holds(item.feature, value)


def _too_weak(explanation: Rule) -> Iterator[Found]:
    extra = explanation.model_extra or {}
    reached = [item.precision_so_far for item in explanation.items if item.precision_so_far is not None][-1:]
    precision = next((v for v in (extra.get("precision"), *reached) if is_number(v)), None)
    wanted = next((extra[key] for key in _THRESHOLDS if is_number(extra.get(key))), None)
    missed = extra.get("success") is False
    if precision is not None and precision < (_PRECISION if wanted is None else wanted):
        of = f", {number(wanted)} was asked for" if wanted is not None else ""
        yield Found("anchor_too_weak", "medium", f"holds for {number(precision)} of cases like this one only{of}")
    elif missed:
        yield Found("anchor_too_weak", "medium", "did not reach the precision that was asked for")
