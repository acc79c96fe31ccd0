"""What a sample of records shows and what it withholds, as columns. Held in memory only, while a sample is measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from app.intake.prepare import Recipe
from app.model.prediction import Prediction
from app.model.words import SEVERITIES
from app.protect.coarsen import Coarser
from app.protect.feature_names import FeatureNames
from app.protect.names import Withheld, tokens
from app.protect.protector import Protector
from app.protect.scrub import known_values, scrubber

# Fields and attributes that are measured: the most frequent ones.
_FIELDS = 200
_ATTRIBUTES = 30
# Records in which names of the policy are looked for anywhere, not only among the inputs.
_SEARCHED = 200
# Why an input is withheld where no attribute is meant.
FREE_TEXT = "free text"
_MEASURED = frozenset(("number", "category", "text"))
# Longer texts are prose: they are searched for personal data, not counted.
_SHORT = 200
_OWN_KEYS = frozenset(Prediction.model_fields) | {"schema"}
# Keys inside a baseline or an unknown key that are followed, and how deep.
_KEYS = 20
_DEPTH = 2
# What the withheld features' contributions come to together: a reader of the explanation can compute it.
OTHERS = "explanations.others"
_ROUNDING = 9


class Exposed:
    """The columns of a sample, each value by the number of its record: `visible` by field, `withheld` by attribute
    and the name under which it stood. `said` are the visible fields that tell what the model said."""

    def __init__(self, recipe: Recipe) -> None:
        self.n = 0
        self.visible: dict[str, dict[int, Any]] = {}
        self.withheld: dict[tuple[str, str], dict[int, Any]] = {}
        self.said: set[str] = set()
        self.names: set[str] = set()
        self._hidden: list[tuple[Any, ...]] = []
        self._policy = recipe.policy
        self._protector = Protector(recipe.policy, recipe.keys.pseudonym)
        self._coarser = Coarser(recipe.policy)
        self._tokens = {tokens(name) for name in recipe.policy.pseudonymise}
        # Inputs that are withheld for what they give away: they are not the attribute itself.
        self._proxies = {tokens(name) for names in recipe.policy.reveals.values() for name in names}
        self._revealing = {name: attribute for attribute, names in recipe.policy.reveals.items() for name in names}
        self._rules: dict[tuple[str, ...], Withheld] = {}

    def add(self, record: dict[str, Any]) -> None:
        """Adds a record that has passed validation."""
        visible, withheld = self._sorted_out(record)
        if self.n < _SEARCHED:
            self.names.update(_keys(record))
        for name, value in visible.items():
            self.visible.setdefault(name, {})[self.n] = value
        self._add_said(record, visible, withheld)
        for key, value in withheld.items():
            if not isinstance(value, list | dict) and key[0] != FREE_TEXT:
                self.withheld.setdefault(key, {})[self.n] = value
        # Two values may stand under one name.
        sensitive = (item.get("value") for item in record.get("sensitive") or ())
        self._hidden.append((record.get("subject"), *sensitive, *withheld.values()))
        self.n += 1

    def fields(self) -> list[str]:
        """The most frequent visible fields."""
        found = _frequent(self.visible, _FIELDS)
        return [name for name in found if self._tells(name) and self.is_schema(name, self.visible[name])]

    def attributes(self) -> dict[str, list[dict[int, Any]]]:
        """The columns of the most frequent withheld attributes; an attribute may stand under several names. What only
        gives it away counts where nothing else stands for it."""
        own: dict[str, list[dict[int, Any]]] = {}
        given_away: dict[str, list[dict[int, Any]]] = {}
        for key in _frequent(self.withheld, _ATTRIBUTES):
            if self.is_schema(key[0], self.withheld[key]):
                found = given_away if tokens(key[1]) in self._proxies else own
                found.setdefault(key[0], []).append(self.withheld[key])
        return given_away | own

    def is_schema(self, name: str, records: Iterable[int]) -> bool:
        """Whether a name is one of the schema: if every record that has it holds a withheld value which stands
        in the name, the name itself is a value, and is not to be told."""
        folded = "".join(tokens(name))
        hidden = (self._hidden[number] for number in records)
        return any(not (_stands_in(folded, values) or _is_known_in(name, values)) for values in hidden)

    def _tells(self, name: str) -> bool:
        """Whether a field is an input, or differs between records."""
        values = self.visible[name]
        if name not in self.said and not name.startswith("provenance."):
            return True
        return len(values) < self.n or len(set(map(repr, values.values()))) > 1

    def _sorted_out(self, record: dict[str, Any]) -> tuple[dict[str, Any], dict[tuple[str, str], Any]]:
        """Values that a reviewer sees before judging, by field, and those that are withheld, by attribute and name."""
        because = self._protector.withheld_of(record)
        visible = _context(record)
        withheld = {(s["name"], s["name"]): s.get("value") for s in record.get("sensitive") or ()}
        for item in record["inputs"]:
            name, value = item["name"], item.get("value")
            if value is None or value == "":
                continue
            attribute = because.get(name)
            if attribute is not None:
                withheld[attribute, name] = value
                if item.get("reveals"):
                    self._proxies.add(tokens(name))
            elif item.get("kind", "category") in _MEASURED and not _is_long(value):
                self._see(visible, name, value)
            else:
                visible[f"{name} (given)"] = True
        return visible, {key: value for key, value in withheld.items() if value is not None and value != ""}

    def _see(self, visible: dict[str, Any], name: str, value: Any) -> None:
        """Notes what is shown of a value. Tokens are others in each case: nothing can be told by them."""
        if not self._coarser:
            visible[name] = value
        elif tokens(name) not in self._tokens:
            visible[name] = self._coarser.shown(name, value, lambda _, text: text)

    def _add_said(self, record: dict[str, Any], visible: dict[str, Any], withheld: dict[tuple[str, str], Any]) -> None:
        """Notes what the model said, and what is shown with it: unknown keys as well."""
        rules = self._rules_of(record)
        for name, value in (*_said(record), *_unknown(record)):
            attribute = rules.attribute(name.removeprefix("output."))
            if attribute is not None:
                withheld.setdefault((attribute, name), value)
            elif name not in visible and value is not None and value != "" and not _is_long(value):
                self.said.add(name)
                self.visible.setdefault(name, {})[self.n] = value
        others = _others(record, rules, visible)
        if others is not None:
            self.said.add(OTHERS)
            self.visible.setdefault(OTHERS, {})[self.n] = others

    def _rules_of(self, record: dict[str, Any]) -> Withheld:
        declared = (*self._policy.withhold, *(s["name"] for s in record.get("sensitive") or ()))
        found = self._rules.get(declared)
        if found is None:
            if len(self._rules) > 1000:
                self._rules.clear()
            found = self._rules[declared] = Withheld(declared, self._revealing, self._policy.show)
        return found


def _context(record: dict[str, Any]) -> dict[str, Any]:
    """What is shown beside the inputs before a judgement."""
    model = (record.get("provenance") or {}).get("model") or {}
    found = {
        "domain": record.get("domain"),
        "language": record.get("language"),
        "provenance.model.name": model.get("name"),
        "provenance.model.version": model.get("version"),
    }
    return {name: value for name, value in found.items() if value not in (None, "") and not _is_long(value)}


def _said(record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the model said, and why the case is here, by field."""
    output = record["output"]
    for name in ("label", "score", "threshold"):
        yield f"output.{name}", output.get(name)
    scores = output.get("scores") or {}
    labels = (record.get("task") or {}).get("labels") or ()
    if len(scores) > 2 or output.get("score") is None:
        # Of two scores one is the other's rest. Only labels of the task are names.
        yield from ((f"output.scores.{label}", scores.get(label)) for label in labels[:_KEYS])
    yield from _leaves_of("output.baseline", output.get("baseline"), _DEPTH)
    yield "output.text (given)", True if output.get("text") else None
    flags = record.get("flags") or ()
    yield "flags", ", ".join(sorted({flag["code"] for flag in flags}))[:_SHORT] or None
    yield "flags.severity", max((SEVERITIES.index(flag.get("severity", "medium")) for flag in flags), default=None)
    sampling = record.get("sampling") or {}
    yield "sampling.reason", sampling.get("reason")
    yield "sampling.probability", sampling.get("probability")


def _unknown(record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys that the format does not know: they are kept and shown as extras."""
    for key, value in (record.get("extra") or {}).items():
        yield from _leaves_of(key, value, _DEPTH - 1)
    if not _OWN_KEYS.issuperset(record):
        for key in record.keys() - _OWN_KEYS:
            yield from _leaves_of(key, record[key], _DEPTH - 1)


def _leaves_of(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """A value, or those inside it, by dotted names."""
    if not isinstance(value, dict):
        yield name, value
    elif depth > 0:
        for key, inner in list(value.items())[:_KEYS]:
            yield from _leaves_of(f"{name}.{key}", inner, depth - 1)


def _others(record: dict[str, Any], rules: Withheld, visible: dict[str, Any]) -> float | None:
    """What is left of the first attribution's result when its base and the visible contributions are subtracted."""
    for explanation in record.get("explanations") or ():
        base, result = explanation.get("base_value"), explanation.get("output_value")
        if explanation.get("kind") != "attribution" or not _is_number(base) or not _is_number(result):
            continue
        rest = result - base
        judge = FeatureNames(rules, [{"name": name} for name in visible])
        for item in explanation.get("items") or ():
            feature, contribution = item.get("feature"), item.get("contribution")
            names = feature if isinstance(feature, list) else [feature]
            if _is_number(contribution) and all(isinstance(n, str) and judge.withheld(n) is None for n in names):
                rest -= contribution
        return float(round(rest, _ROUNDING))
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _frequent(columns: dict[Any, dict[int, Any]], most: int) -> list[Any]:
    """Those with the most values; of equal ones those met first."""
    return sorted(columns, key=lambda key: -len(columns[key]))[:most]


def _is_long(value: Any) -> bool:
    return isinstance(value, list | dict) or (isinstance(value, str) and len(value) > _SHORT)


def _is_known_in(name: str, values: Iterable[Any]) -> bool:
    """Whether one of the values stands in a name in another spelling."""
    known = known_values([("value", value) for value in values])
    found = scrubber(known, name) if known else None
    return bool(found and found.spans(name))


def _stands_in(name: str, values: Iterable[Any]) -> bool:
    """Whether a word of one of the values stands in a folded name."""
    return any(word in name for value in values for text in _texts(value) for word in _words(text))


def _texts(value: Any) -> Iterator[str]:
    """The values inside a value, as texts."""
    if isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _words(text: str) -> list[str]:
    """The words of a value that would be known again: three characters or more."""
    return [word for word in tokens(text[:1000]) if len(word) > 2]


def _keys(record: dict[str, Any]) -> set[str]:
    """Every name in a record: keys, and what stands under `name` or `feature`."""
    found: set[str] = set()
    rest: list[Any] = [record]
    while rest:
        item = rest.pop()
        if isinstance(item, dict):
            found.update(item)
            found.update(v for v in (item.get("name"), item.get("feature")) if isinstance(v, str))
            rest += item.values()
        elif isinstance(item, list):
            rest += item
    return found
