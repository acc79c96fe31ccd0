"""Walks through a record: drops what stands under withheld keys, masks known values.

A record holds the format's own words (`kind`, `value`, `start`, …) and everything a sender adds. The
first are never masked, even where somebody is called "Value": a record must stay a record.
"""

from __future__ import annotations

from typing import Any, Protocol, get_args

from app.model.explanation import KINDS, Anchor, Fidelity, Part
from app.model.prediction import InputKind
from app.model.provenance import FIELDS, Provenance
from app.model.words import SEVERITIES
from app.protect.names import CONSTANT, Withheld
from app.protect.scrub import Constant, Edit, withheld


class Masker(Protocol):
    """What masks a text or a number: known values, or what detectors find."""

    def text(self, text: str) -> tuple[str, list[Edit]]:
        """The masked text, and where it changed."""

    def number(self, number: float) -> float | str:
        """The number, or what stands in its place."""


def _parts(base: type[Part]) -> list[type[Part]]:
    return [part for direct in base.__subclasses__() for part in (direct, *_parts(direct))]


def _names(part: type[Part]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in part.model_fields.items()}


_LEAVES = frozenset(leaf for field in FIELDS for leaf in field.path.split("."))
_STRUCTURE = frozenset(name for part in _parts(Part) for name in _names(part)) | _LEAVES
# Numbers of the format: offsets, scores, contributions. `value` may be anything.
_NUMBERS = frozenset(
    name
    for part in _parts(Part)
    for name, kind in _names(part).items()
    if {int, float} & {kind, *get_args(kind)} and str not in get_args(kind)
) - {"value"} | {"threshold", "probability"}
_VOCABULARY = {
    "kind": frozenset((*KINDS, *get_args(InputKind))),
    "severity": frozenset(SEVERITIES),
    "fidelity": frozenset(get_args(Fidelity)),
    "anchor": frozenset(get_args(Anchor)),
}
# Under these keys stand words, numbers, and lists of words: validation has seen to that. A mapping with
# no others holds no key of a sender's own. Only `value` may be anything, and is looked at.
_PLAIN: dict[str, frozenset[str]] = {
    "inputs": frozenset(("name", "kind", "value", "role", "withheld")),
    "items": frozenset(("feature", "value", "contribution", "reveals", "start", "end", "text", "label", "anchor")),
    "flags": frozenset(("code", "severity", "detail")),
    "task": frozenset(("type", "labels", "positive", "question")),
    "output": frozenset(("label", "score", "threshold", "text")),
    "sampling": frozenset(("reason", "probability")),
    "target": frozenset(("label", "space", "input")),
    "reply_to": frozenset(("url",)),
}
_NOTHING: frozenset[str] = frozenset()
_NESTED = frozenset((dict, list))
# Below these keys everything comes from outside.
_USER_DATA = frozenset(("value", "values", "arguments", "hyperparameters", "from", "to", "not_applicable", "extra"))
# Names with numbers: labels of the output, how faithful an explanation is.
_MEASURES = frozenset(("scores", "fidelity_score"))
# Only in these is `name` the format's own key: of an input, a step, a measure, a model.
_NAMED = frozenset(("inputs", "items", "fidelity_score", "baseline", *Provenance.model_fields))
# Keys of the record that people's data cannot stand under, or that are the case's name.
_UNTOUCHED = frozenset(("id", "schema"))


def drop_keys(record: dict[str, Any], rules: Withheld, raw_values: list[tuple[str, Any]]) -> dict[str, Any]:
    """The record with a constant where a key names a withheld attribute, at any depth.

    What stood there is added to `raw_values`.
    """

    def walk(value: Any, own: bool, parent: str) -> Any:
        plain = _PLAIN.get(parent, _NOTHING) if own else _NOTHING
        if isinstance(value, list):
            # `_is_plain`, spelled out: most of what a record holds passes here.
            return [
                inner
                if type(inner) is dict and inner.keys() <= plain and type(inner.get("value")) not in _NESTED
                else walk(inner, own, parent)
                for inner in value
            ]
        if not isinstance(value, dict) or _is_plain(value, plain):
            return value
        kept = {}
        for key, inner in value.items():
            ours = own and key in _STRUCTURE and (key != "name" or parent in _NAMED)
            attribute = None if ours or inner is None or _is_constant(inner, rules) else rules.attribute(key)
            if attribute is not None:
                raw_values.append((attribute, inner))
                kept[key] = withheld(attribute)
            elif ours and key == "scores" and parent == "output":
                # Its keys are labels: a model may well score `religion` or `age`.
                kept[key] = inner
            else:
                kept[key] = walk(inner, ours and key not in _USER_DATA, key)
        return kept

    return {
        key: value if key in _UNTOUCHED or not isinstance(value, dict | list) else walk(value, key != "extra", key)
        for key, value in record.items()
    }


def _is_plain(item: Any, keys: frozenset[str]) -> bool:
    """Whether this is a mapping of these keys only, with nothing inside: nearly every one is."""
    return type(item) is dict and item.keys() <= keys and type(item.get("value")) not in _NESTED


def masked(value: Any, found: Masker, own: bool = True) -> Any:
    """A value with what is found masked in every string, number and key that is not the format's own."""
    if isinstance(value, Constant):
        return value
    if isinstance(value, str):
        return found.text(value)[0]
    if isinstance(value, list):
        return [masked(inner, found, own) for inner in value]
    if isinstance(value, dict):
        kept = {}
        for key, inner in value.items():
            ours = own and key in _STRUCTURE
            name = key if ours else found.text(key)[0]
            if ours and key in _MEASURES and isinstance(inner, dict):
                kept[name] = {
                    k if k in _STRUCTURE else found.text(k)[0]: masked(v, found) if isinstance(v, str) else v
                    for k, v in inner.items()
                }
            elif ours and _is_fixed(key, inner):
                kept[name] = inner
            else:
                kept[name] = masked(inner, found, ours and key not in _USER_DATA)
        return kept
    return found.number(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _is_constant(value: Any, rules: Withheld) -> bool:
    """Whether a value was taken out already, for an attribute that is withheld."""
    found = isinstance(value, str) and value.startswith(CONSTANT) and value.endswith("]")
    return found and rules.attribute(value[len(CONSTANT) : -1]) is not None


def _is_fixed(key: str, value: Any) -> bool:
    """Whether this is a number or a word that the format prescribes."""
    if isinstance(value, str):
        return value in _VOCABULARY.get(key, ())
    return key in _NUMBERS and isinstance(value, int | float)


def texts_of(value: Any) -> list[str]:
    """Every string, number and key inside a value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for inner in value for text in texts_of(inner)]
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (key, *texts_of(inner))]
    return [] if value is None or isinstance(value, bool) else [str(value)]
