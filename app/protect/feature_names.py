"""What an explainer's feature name speaks of: which inputs, and whether one of them is withheld.

Explainers combine and derive names: `income & age`, `log_age`, `num__income`, `missingindicator_age`,
`25 < age <= 37`, `income > 2000 AND age <= 25`. A name is split into parts and the parts into words; the inputs of the
record are found among them, the longest first, and the words between are judged like any other name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from app.protect.named_values import may_name
from app.protect.names import CONSTANT, Withheld, is_listed, tokens
from app.protect.stated import StatedValues
from app.protect.whose import is_of_a_thing
from app.protect.word_sets import word_set

# What stands between the parts of a name: operators, brackets, scikit-learn's double underscore, words of rules.
_BETWEEN = re.compile(r"[<>=≤≥≠!&*^/+|,;:()\[\]{}~×·%Δ∆]+|__|\b(?:AND|OR|NOT|and|or|not|in|is|x)\b")
# What pipelines and people write around the name of a feature that they derive from it.
_DERIVING = word_set(
    "log log1p log10 log2 ln sqrt cbrt exp expm1 abs sq square squared cube cubed pow power inv inverse reciprocal sin "
    "cos tan tanh sigmoid logit rank ranked scaled scale std stdized standardized standardised standard zscore z norm "
    "normed normalized normalised minmax robust winsorized winsorised clipped clip binned bin bins bucket bucketed "
    "bucketized quantile quantiles decile cut qcut kbins discretized discretised num numeric numerical cat categorical "
    "cats ord ordinal onehot ohe hot dummy dummies encoder encoded enc label target te woe freq frequency count hash "
    "hashed embedding emb missing missingindicator indicator isna isnull isnan na nan null is has was had imputed "
    "imputer simpleimputer knnimputer filled scaler standardscaler minmaxscaler robustscaler maxabsscaler "
    "onehotencoder ordinalencoder targetencoder functiontransformer powertransformer quantiletransformer "
    "polynomialfeatures splinetransformer columntransformer pipeline preprocessor preprocess preprocessing transformer "
    "transform transformed remainder passthrough passthru poly spline bs ns te ti s f i c t feature feat var variable "
    "vars variables feats features col cols column columns fields input inputs raw orig original lag lead diff delta "
    "mean avg average median max min sum total pct percent centered centred"
)
# Shortest name that is recognised without anything between it and what derives from it: `logage`.
_SHORTEST_JOINED = 3
_DIGITS = "0123456789"
_NAME = "name"
# Words of their own that look as if something were derived.
_OTHER_WORDS = word_set("percentage percentages")
_CACHED_NAMES = 4096
_CACHED_LENGTH = 200
# Provenance of different models that is remembered to hold nothing, and its longest JSON in bytes.
_NOTED = 64
_LONGEST_NOTED = 10_000


class FeatureNames:
    """Judges feature names for one set of inputs."""

    def __init__(
        self, rules: Withheld, inputs: Iterable[Mapping[str, Any]], is_coarse: Callable[[str], bool] | None = None
    ) -> None:
        """`inputs`: those of the protected record. `is_coarse`: whether the policy shows an input of this name less
        exactly than it came (`band`, `pseudonymise`)."""
        self._rules = rules
        self._withheld: dict[tuple[str, ...], str] = dict(rules.phrases())
        self._coarse: dict[tuple[str, ...], str] = {}
        self._shown: dict[tuple[str, ...], str] = {}
        visible: set[str] = set()
        hidden: set[str] = set()
        for item in inputs:
            name, words = item["name"], tokens(item["name"])
            if item.get("withheld") is not None:
                hidden.add(name)
                if words and not name.startswith(CONSTANT):
                    self._withheld.setdefault(words, item["withheld"])
                continue
            visible.add(name)
            if is_coarse and is_coarse(name):
                self._coarse.setdefault(words, name)
            self._shown.setdefault(words, name)
        self.visible = frozenset(visible)
        self.hidden = frozenset(hidden)
        self.exact = frozenset(name for name in visible if tokens(name) not in self._coarse)
        """Names of inputs that are shown as they came."""
        self._known = self._shown.keys() | self._withheld.keys()
        self._longest = max(map(len, self._known), default=0)
        self._joined = {"".join(words): words for words in self._known if len("".join(words)) >= _SHORTEST_JOINED}
        self._features: dict[str, str | None] = {}
        self._keys: dict[str, str | None] = {}
        self._silent: dict[tuple[str, ...], bool] = {}
        self._holding_nothing: set[bytes] = set()
        # A `name: …` in a text may be a tool's or a file's; values of names are known wherever they stand.
        unseen = [words for words, attribute in self._withheld.items() if attribute != _NAME]
        self.stated = StatedValues((*unseen, *self._coarse), self.speaks_of, self.visible)
        """Finds values that texts state of inputs which are not shown as they came."""

    def speaks_of(self, name: str) -> str | None:
        """The withheld attribute, or the input shown less exactly, that a name speaks of."""
        return self.withheld(name) or next(iter(self.coarse(name)), None)

    def withheld(self, name: str) -> str | None:
        """The withheld attribute that a feature name speaks of, or None. A visible input's own name speaks of none.

        Also sees through one-hot names like `race_Black`: what a name begins with counts.
        """
        return self._judged(name, self._features, beginnings=True)

    def key(self, name: str) -> str | None:
        """The same for a key in somebody's JSON, which is judged as a whole: `race_track` is not `race`."""
        return self._judged(name, self._keys, beginnings=False)

    def says_no_value(self, name: str) -> bool:
        """Whether a name is nothing but an input's or an attribute's, and holds no value or bound like `race_Black`."""
        return tokens(name) in self._known or is_listed(name)

    def say_nothing(self, keys: tuple[str, ...]) -> bool:
        """Whether keys of an object speak of no input, and name no value: such an object's values stand alone."""
        known = self._silent.get(keys)
        if known is None:
            spoken = any(self.key(key) or self.coarse(key) or key in self.visible for key in keys)
            known = not spoken and not may_name(keys)
            if sum(map(len, keys)) <= _CACHED_LENGTH:
                if len(self._silent) >= _CACHED_NAMES:
                    self._silent.clear()
                self._silent[keys] = known
        return known

    def holds_nothing(self, written: bytes) -> bool:
        """Whether `note_nothing` was told so of this JSON."""
        return written in self._holding_nothing

    def note_nothing(self, written: bytes) -> None:
        """Notes that JSON names nothing that is withheld. Where some inputs are shown less exactly, nothing is noted:
        what may stand under their names is another in each record."""
        if not self._coarse and len(written) <= _LONGEST_NOTED:
            if len(self._holding_nothing) >= _NOTED:
                self._holding_nothing.clear()
            self._holding_nothing.add(written)

    def coarse(self, name: str) -> tuple[str, ...]:
        """The inputs shown less exactly that a feature name speaks of, in order."""
        if not self._coarse or name in self.exact:
            return ()
        found = (
            self._coarse[words] for part in _parts(name) for words, _, _ in self._found(part) if words in self._coarse
        )
        return tuple(dict.fromkeys(found))

    def inputs(self, name: str) -> tuple[str, ...]:
        """The inputs that a feature name speaks of and that may be seen, in order."""
        found = (
            self._shown[words] for part in _parts(name) for words, _, _ in self._found(part) if words in self._shown
        )
        return tuple(dict.fromkeys(found))

    def _judged(self, name: str, cache: dict[str, str | None], beginnings: bool) -> str | None:
        if name in self.visible or name.startswith(CONSTANT):
            return None
        if name in cache:
            return cache[name]
        found = self._attribute(name, beginnings)
        if len(name) <= _CACHED_LENGTH:
            if len(cache) >= _CACHED_NAMES:
                cache.clear()
            cache[name] = found
        return found

    def _attribute(self, name: str, beginnings: bool) -> str | None:
        whole = self._rules.attribute(name)
        if whole is not None:
            return whole
        # What is left of a name from which something was taken out says nothing by the rules for persons.
        by_rules = CONSTANT not in name
        judge = self._rules.beginning if beginnings else self._rules.words
        for part in _parts(name):
            end = 0
            for words, start, after in self._found(part):
                if words in self._withheld:
                    return self._withheld[words]
                if found := _between(part[end:start], judge, by_rules):
                    return found
                end = after
            if found := _between(part[end:], judge, by_rules):
                return found
        return None

    def _found(self, part: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int, int]]:
        """The inputs and withheld names in a part, with where they begin and end; of several at one place the
        longest."""
        at = 0
        while at < len(part):
            words, size = self._at(part, at)
            if words:
                yield words, at, at + size
            at += size

    def _at(self, part: tuple[str, ...], at: int) -> tuple[tuple[str, ...], int]:
        """The longest input or withheld name that begins at a word, and how many words it takes; one without."""
        for size in range(min(self._longest, len(part) - at), 0, -1):
            words = part[at : at + size]
            if words not in self._known:
                # `salary_year2`: a power, or one more of its kind.
                words = (*words[:-1], words[-1].rstrip(_DIGITS))
            if words in self._known and not (words in self._withheld and is_of_a_thing(part, at, at + size)):
                return words, size
        return self._derived(part[at]) or (), 1

    def _derived(self, word: str) -> tuple[str, ...] | None:
        """The input whose name makes up a word together with what derives from it, or with another's: `logage`,
        `agexincome`. Of two the one that is not shown as it came."""
        bare = word.strip(_DIGITS)
        if bare in _OTHER_WORDS:
            return None
        for cut in range(1, len(bare)):
            front, back = bare[:cut], bare[cut:]
            if front in self._joined and back.removeprefix("x") in self._joined:
                both = (self._joined[front], self._joined[back.removeprefix("x")])
                return next((words for words in both if words in self._withheld or words in self._coarse), both[0])
            if front in _DERIVING and len(front) > 1 and back in self._joined:
                return self._joined[back]
            if back in _DERIVING and len(back) > 1 and front in self._joined:
                return self._joined[front]
        return None


def _parts(name: str) -> Iterator[tuple[str, ...]]:
    """The words of each part of a name."""
    return filter(None, map(tokens, _BETWEEN.split(name)))


def _between(
    words: tuple[str, ...], judge: Callable[[tuple[str, ...], bool], str | None], by_rules: bool
) -> str | None:
    """The attribute that words between known names mean, with and without what derives from it."""
    if not words:
        return None
    found = judge(words, by_rules)
    if found is not None:
        return found
    first, last = 0, len(words)
    while first < last and words[first] in _DERIVING:
        first += 1
    while first < last and (words[last - 1] in _DERIVING or words[last - 1].isdigit()):
        last -= 1
    bare = words[first:last]
    return judge(bare, by_rules) if bare and bare != words else None
