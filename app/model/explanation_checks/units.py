"""The unit that an explanation counts in (`target.space`), and probabilities in it."""

from __future__ import annotations

import math
from typing import Literal

from app.model.explanation import ExplanationBase

Unit = Literal["log-odds", "probability", "percent", "log-probability", "raw", "unknown", "not stated"]

_NAMES: dict[str, Unit] = {
    **dict.fromkeys(
        ("logit", "logits", "logodds", "logodd", "margin", "margins", "rawmargin", "logoddsratio"), "log-odds"
    ),
    **dict.fromkeys(("probability", "probabilities", "prob", "proba", "probs", "p", "predictproba"), "probability"),
    **dict.fromkeys(("percent", "percentage", "pct", "%"), "percent"),
    **dict.fromkeys(("logprobability", "logprob", "logproba", "logprobs", "predictlogproba"), "log-probability"),
    "raw": "raw",
}
_LARGEST_EXPONENT = 700.0


def unit_of(explanation: ExplanationBase) -> Unit:
    """The unit of `base_value`, `output_value` and the contributions."""
    space = explanation.target.space if explanation.target else None
    if not space or not space.strip():
        return "not stated"
    return _NAMES.get("".join(char for char in space.casefold() if char.isalnum() or char == "%"), "unknown")


def sigmoid(value: float) -> float:
    """The probability of log-odds."""
    small = math.exp(-min(abs(value), _LARGEST_EXPONENT))
    return (1.0 if value >= 0 else small) / (1.0 + small)


def probability(value: float, unit: Unit) -> float | None:
    """A value as a probability where its unit says how; one class's log-odds are against all others together."""
    match unit:
        case "log-odds":
            return sigmoid(value)
        case "probability":
            return value
        case "percent":
            return value / 100
        case "log-probability":
            return math.exp(min(value, _LARGEST_EXPONENT))
        case _:
            return None


def in_unit(share: float, unit: Unit) -> float | None:
    """A probability in a unit; None where that is not known, or not finite."""
    match unit:
        case "log-odds" if 0 < share < 1:
            return math.log(share / (1 - share))
        case "probability":
            return share
        case "percent":
            return 100 * share
        case "log-probability" if share > 0:
            return math.log(share)
        case _:
            return None


def softmax(margins: dict[str, float]) -> dict[str, float]:
    """Probabilities of classes from their margins."""
    top = max(margins.values())
    sizes = {label: math.exp(max(value - top, -_LARGEST_EXPONENT)) for label, value in margins.items()}
    whole = math.fsum(sizes.values())
    return {label: size / whole for label, size in sizes.items()}
