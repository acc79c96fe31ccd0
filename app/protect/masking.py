"""Walks through a record and masks what is found in its texts, numbers and keys.

A record holds the format's own words (`kind`, `value`, `start`, …) and everything a sender adds. The
first are never masked, even where somebody is called "Value": a record must stay a record.
"""

from __future__ import annotations

import re
from typing import Any, Protocol, get_args

from app.model.explanation import KINDS, Anchor, Fidelity, Part
from app.model.prediction import InputKind
from app.model.provenance import FIELDS
from app.model.words import SEVERITIES
from app.protect.names import CONSTANT
from app.protect.scrub import Constant, Edit


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


# A key that took the place of one that held a value itself.
_STANDS_FOR = re.compile(rf"{re.escape(CONSTANT)}([^\[\]]+)\](?: \(\d+\))?")
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
# The format's own keys and words.
FORMAT_WORDS = _STRUCTURE.union(*_VOCABULARY.values())
# Below these keys everything comes from outside.
_USER_DATA = frozenset(("value", "values", "arguments", "hyperparameters", "from", "to", "not_applicable", "extra"))
# Names with numbers: labels of the output, how faithful an explanation is.
_MEASURES = frozenset(("scores", "fidelity_score"))


def masked(value: Any, found: Masker, own: bool = True) -> Any:
    """A value with what is found masked in every string, number and key that is not the format's own."""
    kind = type(value)
    if kind is Constant or value is None:
        return value
    if kind is str:
        return found.text(value)[0]
    if kind is list:
        return [masked(inner, found, own) for inner in value]
    if kind is dict:
        kept = {}
        for key, inner in value.items():
            ours = own and key in _STRUCTURE
            name = key if ours else _masked_key(key, found)
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


def _masked_key(key: str, found: Masker) -> str:
    """A key with what is found masked. One that stands for a withheld key stays, unless its words are known values."""
    stands_for = _STANDS_FOR.fullmatch(key)
    if stands_for and found.text(stands_for[1])[0] == stands_for[1]:
        return key
    return found.text(key)[0]


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
