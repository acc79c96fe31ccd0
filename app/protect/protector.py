"""Protection at the door: what may be kept of a record, and nothing else.

Values under `sensitive` and values of withheld names are dropped, also where they stand again in
texts, keys, explanations and provenance; the subject becomes a pseudonym. What is left is safe to
store. It is not anonymous: it is what the policy shows.
"""

from __future__ import annotations

import base64
import hmac
import re
import unicodedata
from typing import Any

import orjson

from app.model.policy import QueuePolicy
from app.model.prediction import Prediction
from app.protect.names import _BY_NAME, Withheld, tokens
from app.protect.scrub import Scrubber, known_values, moved, scrubber, withheld

# Keys of the record that are the format's own, or handled one by one.
_OWN_KEYS = frozenset(Prediction.model_fields) - {"schema_"} | {"schema"}


class Protector:
    """Protects the records of one queue. Not thread-safe; cheap to make."""

    def __init__(self, policy: QueuePolicy, pseudonym_key: bytes) -> None:
        self._policy = policy
        self._key = pseudonym_key
        self._revealing = {name: attribute for attribute, names in policy.reveals.items() for name in names}
        self._by_attributes: dict[tuple[str, ...], Withheld] = {}
        names = sorted({*_BY_NAME, *policy.withhold, *self._revealing})
        spelled = "|".join("[^0-9a-z]{0,3}".join(map(re.escape, tokens(name))) for name in names)
        self._suspicious = re.compile(f'"(?:{spelled})"[ ]*:'.encode(), re.IGNORECASE)

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
        visible = frozenset(i["name"] for i in kept["inputs"] if i.get("withheld") is None)
        if kept.get("explanations"):
            kept["explanations"] = [_explanation(e, rules, visible) for e in kept["explanations"]]
        kept = self._scrub(kept, rules, raw_values)
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
        return hmac.digest(self._key, f"{scope}|{field}|{unicodedata.normalize('NFKC', value)}".encode(), "sha256")

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
            attribute = rules.attribute(item["name"])
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

    def _scrub(self, kept: dict[str, Any], rules: Withheld, raw_values: list[tuple[str, Any]]) -> dict[str, Any]:
        document = orjson.dumps(kept)
        if self._suspicious.search(document) or kept.get("extra"):
            for key in ("extra", "inputs", "output", "provenance", "explanations"):
                if key in kept:
                    kept[key] = _drop_keys(kept[key], rules, raw_values, _STRUCTURE.get(key, frozenset()))
            document = orjson.dumps(kept)
        found = scrubber(known_values(raw_values), document) if raw_values else None
        return _scrubbed(kept, found) if found else kept


# Below these keys everything comes from outside; above them some of the format's own keys look like
# a withheld name and are not.
_USER_DATA = frozenset({"value", "values", "arguments", "hyperparameters"})
_STRUCTURE = {
    "inputs": frozenset({"name"}),
    "explanations": frozenset({"name"}),
    "provenance": frozenset({"name"}),
    "output": frozenset({"name"}),
}


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


def _explanation(explanation: dict[str, Any], rules: Withheld, visible: frozenset[str]) -> dict[str, Any]:
    """An explanation without withheld features' values."""

    def hidden(name: Any) -> str | None:
        return rules.feature(name, visible) if isinstance(name, str) else None

    kept = dict(explanation)
    items = explanation.get("items") or []
    match explanation.get("kind"):
        case "attribution":
            shown = [i for i in items if not any(hidden(f) for f in _features(i))]
            if len(shown) != len(items):
                folded = [i for i in items if i not in shown]
                kept |= {
                    "items": shown,
                    "withheld": len(folded),
                    "withheld_contribution": sum(i["contribution"] for i in folded),
                }
        case "counterfactual":
            kept["items"] = [
                {**i, "changes": [_masked(c, hidden, ("from", "to")) for c in i.get("changes") or []]} for i in items
            ]
            if explanation.get("immutable"):
                kept["immutable"] = [withheld(a) if (a := hidden(f)) else f for f in explanation["immutable"]]
        case "rule":
            kept["items"] = [_masked(i, hidden, ("op", "value")) for i in items]
        case "example":
            kept["items"] = [
                {**i, "values": {k: v for k, v in (i.get("values") or {}).items() if not hidden(k)}} for i in items
            ]
    return kept


def _features(item: dict[str, Any]) -> list[str]:
    feature = item["feature"]
    return feature if isinstance(feature, list) else [feature]


def _masked(item: dict[str, Any], hidden: Any, value_keys: tuple[str, ...]) -> dict[str, Any]:
    attribute = hidden(item.get("feature"))
    if attribute is None:
        return item
    blank = {key: "" if key == "op" else None for key in value_keys if key in item}
    return {**item, **blank, "feature": withheld(attribute)}


def _drop_keys(value: Any, rules: Withheld, raw_values: list[tuple[str, Any]], own: frozenset[str]) -> Any:
    """Values whose key names a withheld attribute, replaced at any depth."""
    if isinstance(value, list):
        return [_drop_keys(inner, rules, raw_values, own) for inner in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for key, inner in value.items():
        attribute = None if key in own else rules.attribute(key)
        if attribute is not None and inner is not None:
            raw_values.append((attribute, inner))
            kept[key] = withheld(attribute)
        else:
            kept[key] = _drop_keys(inner, rules, raw_values, frozenset() if key in _USER_DATA else own)
    return kept


def _scrubbed(record: dict[str, Any], found: Scrubber) -> dict[str, Any]:
    """The record with known values masked, and spans moved to where their texts went."""
    edits = {
        item["name"]: found.text(item["value"])[1] for item in record["inputs"] if isinstance(item.get("value"), str)
    }
    if isinstance(record["output"].get("text"), str):
        edits["output.text"] = found.text(record["output"]["text"])[1]
    fixed = {key: record[key] for key in ("id", "schema", "task", "reply_to") if key in record}
    rest: dict[str, Any] = found.anything({key: value for key, value in record.items() if key not in fixed})
    for explanation in rest.get("explanations") or ():
        changed = edits.get((explanation.get("target") or {}).get("input") or "output.text")
        for item in (explanation.get("items") or ()) if changed else ():
            if isinstance(item, dict) and isinstance(item.get("start"), int) and isinstance(item.get("end"), int):
                item |= {
                    "start": moved(item["start"], changed or []),
                    "end": moved(item["end"], changed or []),
                }
    return {key: fixed[key] if key in fixed else rest[key] for key in record}
