"""What the checks ask of a case: its classes, what the model said of each, its inputs by feature name."""

from __future__ import annotations

import math
from functools import cached_property

from app.model.explanation import ExplanationBase, Target
from app.model.explanation_checks.features import Features
from app.model.explanation_checks.units import unit_of
from app.model.prediction import Prediction

_EVEN = 0.5
_TWO = 2


class Facts:
    """A prediction as the checks see it; what is costly is worked out once."""

    def __init__(self, prediction: Prediction) -> None:
        self.prediction = prediction
        self.labels = prediction.task.labels
        self.positive = prediction.task.positive
        self.predicted = prediction.output.label
        self._explained: dict[str, set[str]] | None = None

    @cached_property
    def features(self) -> Features:
        """The inputs behind feature names."""
        return Features(self.prediction.inputs)

    @property
    def classes(self) -> int:
        """How many classes there are; 0 where that is not known."""
        if self.prediction.task.type == "binary":
            return _TWO
        if len(self.labels) >= _TWO:
            return len(self.labels)
        scores = len(self.prediction.output.scores or ())
        return max(scores, _TWO + 1) if self.prediction.task.type == "multiclass" else scores

    @property
    def several(self) -> bool:
        """Whether there are more than two classes: a margin is then no log-odds."""
        return self.classes > _TWO

    def probabilities(self, label: str | None) -> tuple[float, ...]:
        """What the model may have said of a class: one probability, several where the record leaves open which class
        its score is of, none where it says nothing. Without a label: of any class that may be meant."""
        if label is None:
            found = [share for known in self._meant() for share in self.probabilities(known)]
            return tuple(dict.fromkeys(found or self._of_score(self.positive or self.predicted)))
        scores = self.prediction.output.scores or {}
        listed = (scores[label],) if self.scores_are_probabilities and label in scores else ()
        return tuple(dict.fromkeys((*listed, *self._of_score(label))))

    def _meant(self) -> list[str]:
        """The classes that an explanation without one may be of."""
        known = (self.predicted, self.positive, *(self.labels if not self.several else ()))
        return list(dict.fromkeys(label for label in known if label is not None))

    @cached_property
    def scores_are_probabilities(self) -> bool:
        """`output.scores` may hold margins as well."""
        return all(0 <= share <= 1 for share in (self.prediction.output.scores or {}).values())

    def _of_score(self, label: str | None) -> tuple[float, ...]:
        """Readings of `output.score` for a class. It is of the positive label, else of the predicted one; where that
        contradicts the label that the model gave, it may be of either."""
        output = self.prediction.output
        score = output.score
        if score is None:
            return ()
        owner = self.positive or self.predicted
        other = (1 - score,) if not self.several else ()
        if owner is None or label is None:
            return (score, *other)
        if self.several:
            return (score,) if label == owner else ()
        mine = (score,) if label == owner else other
        return (score, *other) if self._score_is_of_either(score) else mine

    def _score_is_of_either(self, score: float) -> bool:
        threshold = self.prediction.output.threshold
        if self.positive is None:
            return score < _EVEN
        return self.predicted not in (None, self.positive) and score >= (_EVEN if threshold is None else threshold)

    def text_of(self, target: Target | None) -> str | None:
        """The text that spans point into; None where it is not here."""
        return text_of(self.prediction, target)

    def explained(self, kind: str) -> set[str]:
        """The classes that explanations of a kind are of."""
        if self._explained is None:
            self._explained = {}
            for explanation in self.prediction.explanations or ():
                if (label := label_of(explanation)) is not None:
                    self._explained.setdefault(explanation.kind, set()).add(label)
        return self._explained.get(kind, set())

    @cached_property
    def margins(self) -> dict[str | None, dict[str, float]]:
        """Method → class → margin, from explanations of several classes by one method."""
        found: dict[str | None, dict[str, float]] = {}
        for explanation in self.prediction.explanations or ():
            label = explanation.target.label if explanation.target else None
            value = explanation.output_value
            if label is not None and value is not None and math.isfinite(value) and unit_of(explanation) == "log-odds":
                found.setdefault(explanation.method, {})[label] = value
        return found


def text_of(prediction: Prediction, target: Target | None) -> str | None:
    """The text that spans point into: `output.text`, or an input by name; None where it is not here.

    Without a name it is the output's text, or the only input that is a text.
    """
    name = (target.input if target else None) or ""
    if name == "output.text" or (not name and prediction.output.text):
        return prediction.output.text
    wanted = name.removeprefix("inputs.")
    texts = [
        given.value
        for given in prediction.inputs
        if isinstance(given.value, str) and (given.name in (name, wanted) if name else given.kind == "text")
    ]
    return texts[0] if texts and (name or len(texts) == 1) else None


def label_of(explanation: ExplanationBase) -> str | None:
    """The class that an explanation says it is of."""
    return explanation.target.label if explanation.target else None


def is_surrogate(explanation: ExplanationBase) -> bool:
    """Whether the numbers are those of another, simpler model."""
    return explanation.fidelity == "surrogate" or any(word.startswith("lime") for word in words_of(explanation.method))


def words_of(name: str | None) -> set[str]:
    """The words of a method's name, in lower case."""
    return set("".join(char if char.isalnum() else " " for char in (name or "")[:200].casefold()).split())
