"""Whether an explanation adds up: base + contributions = output, as far as that can be told.

Values are as they were printed: rounding explains small gaps, and a list that was cut to its largest items explains
what those that are missing can come to. Where it cannot be told, it says why.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from app.model.explanation import Attribution, Explanation, ImageRegion, TextSpan
from app.model.explanation_checks.facts import Facts, is_surrogate, words_of
from app.model.explanation_checks.features import Feature, has_categories
from app.model.explanation_checks.numbers import FLOAT32, half_unit, half_units, is_number, rounding_of_sum, total
from app.model.explanation_checks.scores import although_exact, expected
from app.model.explanation_checks.values import names_level
from app.model.explanation_checks.wording import number, pair
from app.model.explanation_warning import Found

# Of the contributions' size altogether. An exact explainer is off by far less, one that integrates or samples by more.
_EXACT, _APPROXIMATE = 0.002, 0.05
_APPROXIMATING = frozenset(
    ("gradient", "gradients", "gradientexplainer", "deep", "deepexplainer", "deeplift", "sampling")
)
# Explainers of single features: their interactions are asked for by another name.
_SINGLE = frozenset(
    ("shap", "treeshap", "kernelshap", "treeexplainer", "kernelexplainer", "linearexplainer", "permutationexplainer")
)
# Keys under which the sum of items that are not listed may stand.
_OTHERS = ("omitted_contribution", "others_contribution", "others", "rest", "remaining")
_UNLIMITED = 10**9
_COVERED = 0.95
# A list of at least this number of items is not taken for an extract.
_MOST_LOOKED_UP = 5_000

Listed = Attribution | TextSpan | ImageRegion


class Sides(NamedTuple):
    """Both sides of the equation, and by how much rounding may have moved them."""

    sum: float
    output: float
    slack: float
    implied: bool


def check(explanation: Explanation, facts: Facts) -> Iterator[Found]:
    """A sum that does not come out, or why it was not checked."""
    if not isinstance(explanation, Attribution | TextSpan | ImageRegion) or not explanation.items:
        return
    why = _obstacle(explanation)
    sides = None if why else _sides(explanation, facts)
    if sides is None:
        yield _not_checked(why or "it gives no output value")
        return
    gap = abs(sides.sum - sides.output)
    parts = contributions(explanation)
    share = _APPROXIMATE if _approximates(explanation) else _EXACT
    size = total(abs(part) for part in parts) or 0.0
    allowed = sides.slack + share * size + FLOAT32 * (abs(sides.sum) + abs(sides.output))
    if gap <= allowed:
        return
    missing = _missing(explanation, facts)
    if missing and gap <= allowed + missing * min(map(abs, parts), default=0.0):
        rest = number(sides.output - sides.sum)
        yield _not_checked(f"not all contributions are listed; the rest would have to come to {rest}")
        return
    yield Found("not_additive", "high", although_exact(explanation) + _said(sides))


def _said(sides: Sides) -> str:
    mine, theirs = pair(sides.sum, sides.output)
    if sides.implied:
        return f"does not add up: base and contributions come to {mine}, the score is {theirs} in this unit"
    return f"does not add up: base and contributions come to {mine}, the output is {theirs}"


def _not_checked(why: str) -> Found:
    return Found("sum_not_checked", "low", f"sum not checked, because {why}")


def contributions(explanation: Listed) -> list[float]:
    """What counts: a word's weight once, however many places it has."""
    return [item.contribution for item in explanation.items if item.contribution is not None]


def _obstacle(explanation: Listed) -> str:
    """Why the sum cannot be checked whatever the numbers are; empty if it can."""
    if is_surrogate(explanation):
        return "a surrogate adds up to its own prediction"
    if explanation.base_value is None:
        return "it gives no base value"
    if not contributions(explanation):
        return "it gives no contributions"
    if not isinstance(explanation, Attribution):
        return "spans are withheld" if (explanation.model_extra or {}).get("withheld") else ""
    untold = explanation.withheld and "withheld_contribution" not in explanation.model_fields_set
    return "contributions are withheld, and their sum is not given" if untold else ""


def _sides(explanation: Listed, facts: Facts) -> Sides | None:
    base, output = explanation.base_value, explanation.output_value
    parts = contributions(explanation)
    folded = _folded(explanation)
    implied = None
    if output is None:
        implied = expected(explanation, facts)
        if implied is None:
            return None
        output = implied[0]
    found = total([base or 0.0, *parts, *folded])
    if found is None or total((output, -found)) is None:
        return None
    slack = rounding_of_sum([*half_units(parts), *(half_unit(one, parts) for one in folded)])
    slack += half_unit(base or 0.0, parts) + (implied[1] if implied else half_unit(output, parts))
    return Sides(found, output, slack, implied is not None)


def _folded(explanation: Listed) -> list[float]:
    """Sums of what is not listed one by one: withheld, or left out by the sender."""
    found: list[float] = []
    if isinstance(explanation, Attribution) and explanation.withheld:
        found.append(explanation.withheld_contribution)
    rest = omitted(explanation)
    return found if rest is None else [*found, rest]


def omitted(explanation: Listed) -> float | None:
    """The sum of contributions that the sender left out of the list, where it is given."""
    extra = explanation.model_extra or {}
    return next((float(extra[key]) for key in _OTHERS if is_number(extra.get(key))), None)


def _approximates(explanation: Listed) -> bool:
    return explanation.fidelity == "approximation" or not _APPROXIMATING.isdisjoint(words_of(explanation.method))


def _missing(explanation: Listed, facts: Facts) -> int:
    """How many contributions may not be listed, each no larger than the smallest that is."""
    if isinstance(explanation, ImageRegion):
        return _UNLIMITED
    if omitted(explanation) is not None:
        return 0
    if isinstance(explanation, TextSpan):
        return 0 if _covers_text(explanation, facts) else _UNLIMITED
    if len(explanation.items) > _MOST_LOOKED_UP:
        return 0
    named = [name for item in explanation.items for name in _names(item.feature)]
    found = [facts.features.find(name) for name in named]
    behind = {item.name for feature in found for item in feature.inputs}
    withheld = explanation.withheld
    open_inputs = [
        item
        for item in facts.prediction.inputs
        if item.name not in behind and item.kind in ("number", "category") and not (item.withheld and withheld)
    ]
    pairs = any(isinstance(item.feature, list) for item in explanation.items) or any(f.form == "pair" for f in found)
    cut = _sorted_by_size(explanation) and (pairs or bool(open_inputs))
    renamed = any(feature.form not in ("plain", "pair", "masked") for feature in found)
    if renamed and (open_inputs or _columns_are_missing(found)):
        return _UNLIMITED
    # A list that was cut may also have lost pairs of inputs, where the explainer may give any.
    inputs = len(facts.prediction.inputs)
    return len(open_inputs) + (inputs * inputs if cut and (pairs or not _gives_no_pairs(explanation)) else 0)


def _gives_no_pairs(explanation: Explanation) -> bool:
    """Whether the method gives one contribution a feature and none for two together."""
    words = words_of(explanation.method)
    return not _SINGLE.isdisjoint(words) and not any(word.startswith("interaction") for word in words)


def _names(feature: str | list[str]) -> list[str]:
    return feature if isinstance(feature, list) else [feature]


def _sorted_by_size(explanation: Attribution) -> bool:
    """Whether the largest items come first: then the list may have been cut."""
    sizes = [abs(item.contribution) for item in explanation.items]
    return all(one >= other for one, other in itertools.pairwise(sizes))


def _columns_are_missing(found: list[Feature]) -> bool:
    """Whether some category's own one-hot column is not among those listed."""
    groups: dict[str, list[Feature]] = {}
    for feature in found:
        if feature.form == "one_hot" and has_categories(feature.inputs[0]):
            groups.setdefault(feature.inputs[0].name, []).append(feature)
    return any(not any(names_level(one, one.inputs[0].value) for one in group) for group in groups.values())


def _covers_text(explanation: TextSpan, facts: Facts) -> bool:
    """Whether the spans cover nearly all of their text."""
    text = facts.text_of(explanation.target)
    if not text:
        return False
    spans = sorted((i.start, i.end) for i in explanation.items if i.start is not None and i.end is not None)
    covered, reached = 0, 0
    for start, end in spans:
        begin, finish = max(start, reached, 0), min(end, len(text))
        covered += len("".join(text[begin:finish].split())) if begin < finish else 0
        reached = max(reached, finish)
    return covered >= _COVERED * sum(char.isalnum() for char in text)
