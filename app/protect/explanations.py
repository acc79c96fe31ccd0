"""Explanations without the values of withheld features, and with those of others as coarse as the inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.protect.names import Withheld
from app.protect.scrub import withheld

# Feature and value → what is shown of it.
Shown = Callable[[str, Any], Any]


def without_withheld(
    explanation: dict[str, Any], rules: Withheld, inputs: list[dict[str, Any]], shown: Shown | None
) -> dict[str, Any]:
    """An explanation without withheld features' values, and without spans of a withheld text."""
    visible = frozenset(i["name"] for i in inputs if i.get("withheld") is None)

    def hidden(name: Any) -> str | None:
        return rules.feature(name, visible) if isinstance(name, str) else None

    kept = dict(explanation)
    items = explanation.get("items") or []
    match explanation.get("kind"):
        case "attribution":
            folded = [i for i in items if any(hidden(f) for f in _features(i))]
            if folded:
                items = [i for i in items if not any(hidden(f) for f in _features(i))]
                kept |= {
                    "items": items,
                    "withheld": len(folded),
                    "withheld_contribution": sum(i["contribution"] for i in folded),
                }
            if shown:
                kept["items"] = [_coarse_item(i, shown) for i in items]
        case "counterfactual":
            kept["items"] = [
                {**i, "changes": [_change(c, hidden, shown) for c in i.get("changes") or []]} for i in items
            ]
            if explanation.get("immutable"):
                kept["immutable"] = [withheld(a) if (a := hidden(f)) else f for f in explanation["immutable"]]
        case "rule":
            kept["items"] = [_condition(i, hidden, shown) for i in items]
        case "example":
            kept["items"] = [{**i, "values": _example(i.get("values") or {}, hidden, shown)} for i in items]
        case "text_span" | "evidence":
            if items and any(i["name"] == target_of(explanation) and i.get("withheld") for i in inputs):
                kept |= {"items": [], "withheld": len(items)}
    return kept


def target_of(explanation: dict[str, Any]) -> str:
    """The name of the input that an explanation speaks of, or `output.text`."""
    target = (explanation.get("target") or {}).get("input") or "output.text"
    return str(target).removeprefix("inputs.")


def _features(item: dict[str, Any]) -> list[str]:
    feature = item["feature"]
    return feature if isinstance(feature, list) else [feature]


def _coarse_item(item: dict[str, Any], shown: Shown) -> dict[str, Any]:
    """A contribution; of features that belong together, each value as coarse as its input."""
    if item.get("value") is None:
        return item
    names, values = _features(item), item["value"]
    if isinstance(values, list) and len(values) == len(names):
        return {**item, "value": [shown(name, value) for name, value in zip(names, values, strict=True)]}
    coarse = next((new for name in names if (new := shown(name, values)) != values), values)
    return {**item, "value": coarse}


def _change(item: dict[str, Any], hidden: Any, shown: Shown | None) -> dict[str, Any]:
    """A counterfactual's change; of a withheld feature only whether one could act on it."""
    feature = item.get("feature")
    attribute = hidden(feature)
    if attribute is not None:
        kept: dict[str, Any] = {key: item[key] for key in ("actionable",) if key in item}
        return {"feature": withheld(attribute), "from": None, "to": None, **kept}
    if shown and isinstance(feature, str):
        return {**item, **{key: shown(feature, item[key]) for key in ("from", "to") if key in item}}
    return item


def _condition(item: dict[str, Any], hidden: Any, shown: Shown | None) -> dict[str, Any]:
    """A rule's condition; of a withheld feature only how precise the rule is with it."""
    feature = item.get("feature")
    attribute = hidden(feature)
    if attribute is not None:
        kept: dict[str, Any] = {key: item[key] for key in ("precision_so_far", "coverage_so_far") if key in item}
        return {"feature": withheld(attribute), "op": "", "value": None, **kept}
    if shown and isinstance(feature, str) and "value" in item:
        return {**item, "value": shown(feature, item["value"])}
    return item


def _example(values: dict[str, Any], hidden: Any, shown: Shown | None) -> dict[str, Any]:
    return {k: shown(k, v) if shown else v for k, v in values.items() if not hidden(k)}
