"""Protection at the door: what may be kept of a record, and nothing else.

Values under `sensitive` and values of withheld names are dropped, also where they stand again in
texts, keys, explanations and provenance; the subject becomes a pseudonym. What is left is safe to
store. It is not anonymous: it is what the policy shows.
"""

from __future__ import annotations

import base64
import hmac
import unicodedata
from typing import Any

import orjson

from app.model.policy import QueuePolicy
from app.model.prediction import Prediction
from app.protect.masking import drop_keys, masked, texts_of
from app.protect.names import Withheld
from app.protect.scrub import Edit, Scrubber, known_values, moved, scrubber, withheld

# Keys of the record that are the format's own, or handled one by one.
_OWN_KEYS = frozenset(Prediction.model_fields) - {"schema_"} | {"schema"}


class Protector:
    """Protects the records of one queue. Not thread-safe; cheap to make."""

    def __init__(self, policy: QueuePolicy, pseudonym_key: bytes) -> None:
        self._policy = policy
        self._key = pseudonym_key
        self._revealing = {name: attribute for attribute, names in policy.reveals.items() for name in names}
        self._by_attributes: dict[tuple[str, ...], Withheld] = {}

    def protect(self, record: dict[str, Any]) -> dict[str, Any]:
        """A new record without what is withheld. The record must have passed validation."""
        sensitive = record.get("sensitive") or []
        rules = self._rules(record, sensitive)
        raw_values = [(s["name"], s.get("value")) for s in sensitive]
        kept = {key: value for key, value in record.items() if key in _OWN_KEYS and key not in ("sensitive", "subject")}
        unknown = {key: value for key, value in record.items() if key not in _OWN_KEYS}
        if unknown:
            kept["extra"] = {**(record.get("extra") or {}), **unknown}
        kept["inputs"] = self._inputs(record["inputs"], rules, raw_values)
        subject = record.get("subject")
        if subject is not None:
            raw_values.append(("subject", subject))
        if kept.get("explanations"):
            kept["explanations"] = [_explanation(e, rules, kept["inputs"]) for e in kept["explanations"]]
        kept = _scrub(kept, rules, raw_values)
        if sensitive:
            kept["sensitive"] = [{"name": s["name"], "value": None} for s in sensitive]
        if subject is not None:
            kept["subject"] = self.pseudonym(f"case:{record['id']}", "subject", str(subject))
        return kept

    def pseudonym(self, scope: str, field: str, value: str) -> str:
        """A stable token for a value within a scope: HMAC-SHA256 over `scope|field|NFKC(value)`."""
        if value.startswith("subj-") and len(value) == 21:
            return value
        return "subj-" + base64.b32encode(self._mac(scope, field, value)[:10]).decode().lower()

    def bucket(self, subject: str) -> int:
        """A number in 0…9999 that is the same for all cases of a subject and tells nothing else."""
        return int.from_bytes(self._mac("split", "subject", subject)[:4], "big") % 10_000

    def _mac(self, scope: str, field: str, value: str) -> bytes:
        return hmac.digest(
            self._key,
            f"{scope}|{field}|{value if value.isascii() else unicodedata.normalize('NFKC', value)}".encode(),
            "sha256",
        )

    def _rules(self, record: dict[str, Any], sensitive: list[dict[str, Any]]) -> Withheld:
        declared = (*self._policy.withhold, *(s["name"] for s in sensitive))
        rules = self._by_attributes.get(declared)
        if rules is None:
            rules = Withheld(declared, self._revealing, self._policy.show)
            if len(self._by_attributes) < 1000:
                self._by_attributes[declared] = rules
        revealing = _said_to_reveal(record, rules)
        return Withheld(declared, {**self._revealing, **revealing}, self._policy.show) if revealing else rules

    def _inputs(
        self, inputs: list[dict[str, Any]], rules: Withheld, raw_values: list[tuple[str, Any]]
    ) -> list[dict[str, Any]]:
        kept = []
        for item in inputs:
            attribute = item.get("withheld") or rules.attribute(item["name"])
            if attribute is None:
                kept.append(item)
                continue
            raw_values.append((attribute, item.get("value")))
            kept.append(
                {
                    "name": item["name"],
                    "kind": item.get("kind", "category"),
                    "value": None,
                    "withheld": attribute,
                }
            )
        return kept


def _said_to_reveal(record: dict[str, Any], rules: Withheld) -> dict[str, str]:
    """Names that the record itself marks as revealing a withheld attribute."""
    found: dict[str, str] = {}
    marked = [(i.get("name"), i.get("reveals")) for i in record["inputs"] if "reveals" in i]
    for explanation in record.get("explanations") or ():
        for item in explanation.get("items") or ():
            if isinstance(item, dict) and item.get("reveals"):
                feature = item.get("feature")
                marked += [(name, item["reveals"]) for name in (feature if isinstance(feature, list) else [feature])]
    for name, attributes in marked:
        if not isinstance(name, str):
            continue
        for attribute in attributes if isinstance(attributes, list) else [attributes]:
            if isinstance(attribute, str) and rules.attribute(attribute):
                found[name] = rules.attribute(attribute) or attribute
    return found


def _explanation(explanation: dict[str, Any], rules: Withheld, inputs: list[dict[str, Any]]) -> dict[str, Any]:
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
                kept |= {
                    "items": [i for i in items if not any(hidden(f) for f in _features(i))],
                    "withheld": len(folded),
                    "withheld_contribution": sum(i["contribution"] for i in folded),
                }
        case "counterfactual":
            kept["items"] = [{**i, "changes": [_change(c, hidden) for c in i.get("changes") or []]} for i in items]
            if explanation.get("immutable"):
                kept["immutable"] = [withheld(a) if (a := hidden(f)) else f for f in explanation["immutable"]]
        case "rule":
            kept["items"] = [_condition(i, hidden) for i in items]
        case "example":
            kept["items"] = [
                {**i, "values": {k: v for k, v in (i.get("values") or {}).items() if not hidden(k)}} for i in items
            ]
        case "text_span" | "evidence":
            if items and any(i["name"] == _target(explanation) and i.get("withheld") for i in inputs):
                kept |= {"items": [], "withheld": len(items)}
    return kept


def _features(item: dict[str, Any]) -> list[str]:
    feature = item["feature"]
    return feature if isinstance(feature, list) else [feature]


def _target(explanation: dict[str, Any]) -> str:
    """The name of the input that an explanation speaks of, or `output.text`."""
    target = (explanation.get("target") or {}).get("input") or "output.text"
    return str(target).removeprefix("inputs.")


def _change(item: dict[str, Any], hidden: Any) -> dict[str, Any]:
    """A counterfactual's change; of a withheld feature only whether one could act on it."""
    attribute = hidden(item.get("feature"))
    if attribute is None:
        return item
    kept: dict[str, Any] = {key: item[key] for key in ("actionable",) if key in item}
    return {"feature": withheld(attribute), "from": None, "to": None, **kept}


def _condition(item: dict[str, Any], hidden: Any) -> dict[str, Any]:
    """A rule's condition; of a withheld feature only how precise the rule is with it."""
    attribute = hidden(item.get("feature"))
    if attribute is None:
        return item
    kept: dict[str, Any] = {key: item[key] for key in ("precision_so_far", "coverage_so_far") if key in item}
    return {"feature": withheld(attribute), "op": "", "value": None, **kept}


def _scrubbed(record: dict[str, Any], found: Scrubber) -> dict[str, Any]:
    """The record with known values masked, and spans moved to where their texts went."""
    edited = {}
    for item in reversed(record["inputs"]):
        if isinstance(item.get("value"), str):
            edited[item["name"]] = found.text(item["value"])
    if isinstance(record["output"].get("text"), str):
        edited["output.text"] = found.text(record["output"]["text"])
    kept: dict[str, Any] = masked(record, found)
    # What the desk decides by and where it answers to stays as it is.
    for section, fixed in (("task", ("type", "labels", "positive")), ("reply_to", ("url",))):
        if kept.get(section):
            kept[section] |= {key: record[section][key] for key in fixed if key in record[section]}
    kept |= {key: record[key] for key in ("id", "schema") if key in record}
    for before, explanation in zip(record.get("explanations") or (), kept.get("explanations") or (), strict=True):
        if explanation["kind"] in ("text_span", "evidence") and _target(before) in edited:
            for item in explanation.get("items") or ():
                _move(item, *edited[_target(before)])
    return kept


def _move(span: dict[str, Any], text: str, edits: list[Edit]) -> None:
    """Moves a span in place. One that touches a masked stretch covers all of it; it says what stands there now."""
    if span.get("start") is None or span.get("end") is None:
        return
    span |= {"start": moved(span["start"], edits), "end": moved(span["end"], edits, end=True)}
    if span.get("text") is not None:
        span["text"] = text[span["start"] : span["end"]]


def _texts(kept: dict[str, Any]) -> str:
    """All texts of a record, to search in. Where JSON escapes nothing, its serialisation holds them as they are."""
    document = orjson.dumps(kept).decode()
    return "\n".join(texts_of(kept)) if "\\" in document else document


def _scrub(kept: dict[str, Any], rules: Withheld, raw_values: list[tuple[str, Any]]) -> dict[str, Any]:
    """The record without what stands under withheld keys, and with known values masked."""
    kept = drop_keys(kept, rules, raw_values)
    known = known_values(raw_values)
    found = scrubber(known, _texts(kept)) if known else None
    return _scrubbed(kept, found) if found else kept
