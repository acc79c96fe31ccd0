"""Explanations without the values of withheld features, and with those of others as coarse as the inputs.

Each kind says here how it is protected; a kind that is forgotten is a type error. What a kind does not define (unknown
keys, items of any JSON) is treated as a sender's own data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never, cast, get_args

from app.model.explanation import (
    AttributionItem,
    Change,
    CounterfactualItem,
    EvidenceItem,
    EvidenceSource,
    ExampleItem,
    Explains,
    FidelityScore,
    Kind,
    OutputLike,
    Part,
    RegionItem,
    RuleItem,
    SpanItem,
    Target,
    TraceItem,
)
from app.protect.feature_names import FeatureNames
from app.protect.named_values import feature_named
from app.protect.scrub import withheld
from app.protect.user_data import UserData
from app.protect.word_sets import word_set

# Feature and value → what is shown of it.
Shown = Callable[[str, Any], Any]

_KINDS = frozenset(get_args(Kind))
_OUTPUT_TEXT = "output.text"
# What the format defines for every kind. None of it is a value of an input.
_COMMON = word_set(
    "kind method method_version explains target base_value output_value fidelity fidelity_score withheld "
    "withheld_contribution offset_unit items immutable text reason"
)


def _keys(*parts: type[Part]) -> frozenset[str]:
    """The keys that parts of the format define."""
    return frozenset(field.alias or name for part in parts for name, field in part.model_fields.items())


_ATTRIBUTION_KEYS = _keys(AttributionItem)
_SPAN_KEYS = _keys(SpanItem, EvidenceItem)
_REGION_KEYS = _keys(RegionItem)
_CONDITION_KEYS = _keys(RuleItem)
_CHANGE_KEYS = _keys(Change)
_EXAMPLE_KEYS = _keys(ExampleItem)
_OUTCOME_KEYS = _keys(CounterfactualItem)
_STEP_KEYS = _keys(TraceItem) - {"arguments"}
_PARTS = {"target": _keys(Target), "explains": _keys(Explains), "fidelity_score": _keys(FidelityScore)}
_SOURCE_KEYS = _keys(EvidenceSource)
_OUTPUT_KEYS = _keys(OutputLike)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a record shows of its inputs, for the explanations of it.

    `values`: what is kept of each input, by name. `shown` makes a value as coarse as the policy says; None where it
    says nothing.
    """

    names: FeatureNames
    data: UserData
    values: Mapping[str, Any]
    shown: Shown | None


def without_withheld(explanation: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """An explanation without withheld features' values, and without spans of a withheld text."""
    kind = explanation.get("kind")
    if kind not in _KINDS:
        # Not admitted either; what is shown of it in quarantine is masked like any JSON.
        return {key: inner if key == "kind" else seen.data.masked(inner, key) for key, inner in explanation.items()}
    kept = _plain(explanation, _COMMON, seen)
    for part, keys in _PARTS.items():
        kept = _with_part(kept, part, keys, seen)
    return {**kept, **_items(cast(Kind, kind), explanation, seen)}


def target_of(explanation: dict[str, Any]) -> str:
    """The name of the input that an explanation speaks of, or `output.text`."""
    target = (explanation.get("target") or {}).get("input") or _OUTPUT_TEXT
    return str(target).removeprefix("inputs.")


def _items(kind: Kind, explanation: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """The keys of an explanation that hold what its kind is about, protected."""
    items = explanation.get("items") or []
    if kind == "attribution":
        return _attribution(items, seen)
    if kind == "counterfactual":
        return _counterfactual(explanation, items, seen)
    if kind == "rule":
        return {"items": [_condition(item, seen) for item in items]} if items else {}
    if kind == "example":
        return {"items": [_example(item, seen) for item in items]} if items else {}
    if kind == "text_span" or kind == "evidence":
        if items and _speaks_of_hidden(explanation, seen):
            return {"items": [], "withheld": len(items)}
        return {"items": [_span(item, seen) for item in items]} if items else {}
    if kind == "image_region":
        return {"items": [_plain(item, _REGION_KEYS, seen) for item in items]} if items else {}
    if kind == "trace":
        return {"items": [_step(item, seen) for item in items]} if items else {}
    if kind == "text" or kind == "none":
        return {"items": seen.data.masked(items, "items")} if items else {}
    assert_never(kind)


def _attribution(items: list[dict[str, Any]], seen: Seen) -> dict[str, Any]:
    """Contributions; those of withheld features are counted and summed up."""
    exact, kept, folded = seen.names.exact, [], []
    for item in items:
        feature = item["feature"]
        if type(feature) is str and feature in exact and item.keys() <= _ATTRIBUTION_KEYS:
            kept.append(item if item.get("value") == seen.values[feature] else _echoed(item, seen))
        elif any(seen.names.withheld(name) for name in _features(item)):
            folded.append(item)
        else:
            kept.append(_contribution(item, seen))
    if not folded:
        return {"items": kept} if items else {}
    total = sum(item["contribution"] for item in folded)
    return {"items": kept, "withheld": len(folded), "withheld_contribution": total}


def _features(item: dict[str, Any]) -> list[str]:
    feature = item["feature"]
    return feature if isinstance(feature, list) else [feature]


def _contribution(item: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """A contribution of features that may be seen; of those shown less exactly, no more than of the inputs."""
    names = _features(item)
    if not any(map(seen.names.coarse, names)):
        return _echoed(_plain(item, _ATTRIBUTION_KEYS, seen), seen)
    kept: dict[str, Any] = {key: item[key] for key in ("contribution", "reveals") if key in item}
    if all(name in seen.names.visible for name in names):
        return {"feature": item["feature"], "value": _coarse_values(names, item.get("value"), seen), **kept}
    # A derived name may hold bounds or categories, and a derived value the value itself.
    parts = [part for name in names for part in _shown_parts(name, seen)]
    unique = list(dict.fromkeys(parts))
    return {"feature": unique if isinstance(item["feature"], list) else " & ".join(unique), "value": None, **kept}


def _shown_parts(name: str, seen: Seen) -> tuple[str, ...]:
    return seen.names.inputs(name) if seen.names.coarse(name) else (name,)


def _coarse_values(names: list[str], value: Any, seen: Seen) -> Any:
    """The value of one input, or those of several in order, as coarse as the inputs."""
    if value is None or seen.shown is None:
        return value
    if len(names) == 1 and not isinstance(value, list):
        return seen.shown(names[0], value)
    if isinstance(value, list) and len(value) == len(names):
        return [seen.shown(name, inner) for name, inner in zip(names, value, strict=True)]
    return None


def _echoed(item: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """An item whose value is not that of another, withheld input."""
    value = item.get("value")
    if value is None:
        return item
    masked = seen.data.masked(value, item["feature"] if isinstance(item.get("feature"), str) else "")
    return item if masked is value else {**item, "value": masked}


def _plain(item: dict[str, Any], keys: frozenset[str], seen: Seen) -> dict[str, Any]:
    """An item of a kind; keys that the kind does not define are a sender's own.

    One that says it is about a withheld feature keeps its numbers of the format, and nothing else.
    """
    if item.keys() <= keys:
        return item
    named = feature_named(item)
    if named and named[0] not in keys and any(map(seen.data.speaks_of, named[1])):
        about = next(filter(None, map(seen.data.speaks_of, named[1])))
        beside = seen.data.beside(item, named[0], about)
        return {key: _number_or_none(item[key], beside[key]) if key in keys else beside[key] for key in item}
    masked: dict[str, Any] = seen.data.masked({key: inner for key, inner in item.items() if key not in keys})
    return {key: inner for key, inner in item.items() if key in keys} | masked


def _number_or_none(value: Any, masked: Any) -> Any:
    """A number of the format as it came; what was masked, where a text may stand; nothing where an object stood."""
    if value is None or isinstance(value, int | float):
        return value
    return masked if isinstance(value, str) else type(value)() if isinstance(value, list) else None


def _span(item: dict[str, Any], seen: Seen) -> dict[str, Any]:
    kept = _plain(item, _SPAN_KEYS, seen)
    return _with_part(kept, "source", _SOURCE_KEYS, seen)


def _with_part(item: dict[str, Any], part: str, keys: frozenset[str], seen: Seen) -> dict[str, Any]:
    """An item whose part holds, besides keys of its own, nothing that is withheld."""
    inner = item.get(part)
    if not isinstance(inner, dict) or inner.keys() <= keys:
        return item
    return {**item, part: _plain(inner, keys, seen)}


def _speaks_of_hidden(explanation: dict[str, Any], seen: Seen) -> bool:
    """Whether spans lie in a text that is withheld."""
    target = target_of(explanation)
    if target in seen.names.hidden:
        return True
    return target != _OUTPUT_TEXT and target not in seen.values and seen.names.withheld(target) is not None


def _counterfactual(explanation: dict[str, Any], items: list[dict[str, Any]], seen: Seen) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    if items:
        kept["items"] = [_outcome(item, seen) for item in items]
    if explanation.get("immutable"):
        kept["immutable"] = [_shown_name(name, seen) for name in explanation["immutable"]]
    return kept


def _outcome(item: dict[str, Any], seen: Seen) -> dict[str, Any]:
    kept = _with_part(_plain(item, _OUTCOME_KEYS, seen), "output", _OUTPUT_KEYS, seen)
    return {**kept, "changes": [_change(one, seen) for one in item.get("changes") or []]}


def _shown_name(name: str, seen: Seen) -> str:
    attribute = seen.names.withheld(name)
    if attribute is not None:
        return withheld(attribute)
    if name in seen.names.visible or not seen.names.coarse(name):
        return name
    return " & ".join(_shown_parts(name, seen))


def _change(item: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """A counterfactual's change; of a withheld feature only whether one could act on it."""
    feature = item["feature"]
    attribute = seen.names.withheld(feature)
    if attribute is not None:
        kept: dict[str, Any] = {key: item[key] for key in ("actionable",) if key in item}
        return {"feature": withheld(attribute), "from": None, "to": None, **kept}
    coarse = seen.names.coarse(feature)
    if not coarse:
        return _values_masked(item, feature, ("from", "to"), _CHANGE_KEYS, seen)
    kept = {key: item[key] for key in ("actionable",) if key in item}
    if feature in seen.names.visible and seen.shown:
        return {"feature": feature, **{k: seen.shown(feature, item[k]) for k in ("from", "to") if k in item}, **kept}
    return {"feature": " & ".join(_shown_parts(feature, seen)), "from": None, "to": None, **kept}


def _condition(item: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """A rule's condition; of a withheld feature only how precise the rule is with it."""
    feature = item["feature"]
    attribute = seen.names.withheld(feature)
    kept: dict[str, Any] = {key: item[key] for key in ("precision_so_far", "coverage_so_far") if key in item}
    if attribute is not None:
        return {"feature": withheld(attribute), "op": "", "value": None, **kept}
    coarse = seen.names.coarse(feature)
    if not coarse:
        return _values_masked(item, feature, ("value",), _CONDITION_KEYS, seen)
    if feature in seen.names.visible and seen.shown:
        return {"feature": feature, "op": item["op"], "value": seen.shown(feature, item.get("value")), **kept}
    return {"feature": " & ".join(_shown_parts(feature, seen)), "op": "", "value": None, **kept}


def _values_masked(
    item: dict[str, Any], feature: str, keys: tuple[str, ...], own: frozenset[str], seen: Seen
) -> dict[str, Any]:
    """An item of a feature that may be seen, whose values under `keys` are not those of another, withheld input."""
    kept = _plain(item, own, seen)
    if feature in seen.names.exact:
        return kept
    return {key: seen.data.masked(inner, feature) if key in keys else inner for key, inner in kept.items()}


def _example(item: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """A known case: the values of features that may be seen."""
    values: dict[str, Any] = {}
    for name, value in (item.get("values") or {}).items():
        if seen.names.withheld(name):
            continue
        if not seen.names.coarse(name):
            values[name] = value if name in seen.names.exact else seen.data.masked(value, name)
        elif name in seen.names.visible and seen.shown:
            values[name] = seen.shown(name, value)
    return {**_plain(item, _EXAMPLE_KEYS, seen), "values": values}


def _step(item: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """An agent's step: its name is a tool's, all else of it a sender's own."""
    own = {key: inner for key, inner in item.items() if key in _STEP_KEYS}
    masked: dict[str, Any] = seen.data.masked({key: inner for key, inner in item.items() if key not in _STEP_KEYS})
    return own | masked
