"""Feature names of explainers, and the inputs behind them.

Pipelines rename what they are given: `num__income`, `cat__purpose_car`, `purpose=car`, `log_income`, `income & amount`,
`1950.00 < income <= 2000.00`. A name is only followed to an input whose words it holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.model.prediction import Input

# How a name was made from its inputs' names. `plain`: it is one; `encoded`: behind a pipeline's prefix; `one_hot`: with
# one of the input's categories; `pair`: of several inputs; `derived`: made from one in another way; `condition`: with
# bounds; `masked`: nothing of it may be shown; `unknown`: no input's words are in it.
Form = Literal["plain", "encoded", "one_hot", "pair", "derived", "condition", "masked", "unknown"]

MASK = "[withheld"
_LONGEST_NAME = 400
_LONGEST_INPUT = 12
"""Words of an input's name at most that are looked up in a feature's name."""
_COMPARED = re.compile(r"\s*(<=|>=|<|>|≤|≥|!=|==|=)\s*")
_JOINED = re.compile(r"\s+[&×*x]\s+|\s*[×*]\s*")
_WORD = re.compile(r"[^\W_]+")
_TREATMENT = re.compile(r"^[\[\s=_:.|/-]*(?:T\.)?")


@dataclass(frozen=True, slots=True)
class Feature:
    """What a feature name stands for. `level` is the category of a one-hot column."""

    form: Form
    inputs: tuple[Input, ...] = ()
    level: str = ""


_UNKNOWN, _MASKED = Feature("unknown"), Feature("masked")


class Features:
    """Answers which inputs stand behind a feature's name; remembers what it was asked."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        self._names = {item.name: item for item in reversed(inputs)}
        self._words: dict[tuple[str, ...], Input] = {}
        for item in reversed(inputs):
            if words := words_of(item.name)[:_LONGEST_INPUT]:
                self._words[words] = item
        self._longest = max(map(len, self._words), default=0)
        self._known: dict[str, Feature] = {}

    def find(self, name: str) -> Feature:
        """What a feature name stands for."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._find(name)
        return found

    def _find(self, name: str) -> Feature:
        if name in self._names:
            return Feature("plain", (self._names[name],))
        if len(name) > _LONGEST_NAME:
            return _UNKNOWN
        if MASK in name:
            return _MASKED
        return self._renamed(name) or self._combined(name) or self._containing(name)

    def _renamed(self, name: str) -> Feature | None:
        """A name in another spelling, behind a prefix, or with a category behind it."""
        words = words_of(name)
        if words in self._words:
            return Feature("plain", (self._words[words],))
        rest = name
        while "__" in rest:
            rest = rest.partition("__")[2]
            words = words_of(rest)
            if rest in self._names or words in self._words:
                return Feature("encoded", (self._names.get(rest) or self._words[words],))
        return self._one_hot(rest) or (self._one_hot(name) if rest != name else None)

    def _one_hot(self, name: str) -> Feature | None:
        """`purpose_car`, `purpose=car`, `purpose[T.car]`, `C(purpose)[T.car]` for an input that is no number."""
        if any(sign in name for sign in "<>&×*"):
            return None
        words = words_of(name)
        if words[:1] == ("c",) and name.startswith("C("):
            words, name = words[1:], name[2:].replace(")", "", 1)
        for size in range(min(self._longest, len(words) - 1), 0, -1):
            item = self._words.get(words[:size])
            if item is not None:
                return Feature("one_hot", (item,), _level(name, size)) if has_categories(item) else None
        return None

    def _combined(self, name: str) -> Feature | None:
        """`income & amount`, or a condition such as `1950.00 < income <= 2000.00`."""
        if _COMPARED.search(name):
            parts = [part for part in _COMPARED.split(name)[::2] if part]
            found = [self.find(part) for part in parts if not _is_number(part)]
            known = [one for one in found[:1] if one.form in ("plain", "encoded")]
            return Feature("condition", known[0].inputs) if known else None
        parts = [part for part in _JOINED.split(name) if part]
        if len(parts) > 1:
            found = [self.find(part) for part in parts]
            if all(one.form in ("plain", "encoded") for one in found):
                return Feature("pair", tuple(item for one in found for item in one.inputs))
        return None

    def _containing(self, name: str) -> Feature:
        """A name that holds the words of inputs somewhere: `log_income`, `income^2`, `months since last payment`."""
        words = words_of(name)
        found: dict[str, Input] = {}
        at = 0
        while at < len(words):
            sizes = range(min(self._longest, len(words) - at), 0, -1)
            hit = next((size for size in sizes if words[at : at + size] in self._words), 0)
            if hit:
                item = self._words[words[at : at + hit]]
                found[item.name] = item
            at += hit or 1
        return Feature("derived", tuple(found.values())) if found else _UNKNOWN


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in lower case: `net monthly income (€)` and `net_monthly_income` have the same."""
    return tuple(_WORD.findall(name[:_LONGEST_NAME].casefold()))


def has_categories(item: Input) -> bool:
    """Whether an input can be encoded as one column a category. A withheld one may."""
    return isinstance(item.value, str | bool) or item.value is None


def _level(name: str, size: int) -> str:
    """What stands behind the first words of a name."""
    ends = [hit.end() for hit in _WORD.finditer(name)]
    level = _TREATMENT.sub("", name[ends[size - 1] :].removeprefix(")"))
    return level.removesuffix("]") if "[" in name else level


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True
