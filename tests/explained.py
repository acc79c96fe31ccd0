"""Cases with explanations for tests of what is said about them."""

from __future__ import annotations

from typing import Any

from app.model.explanation_checks import ExplanationWarning, warnings_of
from app.model.prediction import Prediction
from tests.builders import record

INPUTS: list[dict[str, Any]] = [
    {"name": "rent", "kind": "number", "value": 840},
    {"name": "debt (€)", "kind": "number", "value": 12750},
    {"name": "reason", "kind": "category", "value": "boat"},
]
CLASSES = {"type": "multiclass", "labels": ["keep", "hide", "ban"]}


def weight(feature: str | list[str], contribution: float, value: Any = None) -> dict[str, Any]:
    """An item of an attribution."""
    return {"feature": feature, "value": value, "contribution": contribution}


def attribution(*items: dict[str, Any], label: str | None = "decline", space: str | None = "logit", **more: Any) -> Any:
    """An attribution of a class in a unit; by default of all inputs, from −0.30 to 0.45."""
    shown = items or (weight("rent", 0.6, 840), weight("debt (€)", 0.25, 12750), weight("reason", -0.1, "boat"))
    target = {key: value for key, value in (("label", label), ("space", space)) if value is not None}
    base = {} if items else {"base_value": -0.3, "output_value": 0.45}
    return {"kind": "attribution", "target": target, "items": list(shown), **base, **more}


def case(*explanations: dict[str, Any], score: float | None = 0.61, label: str = "decline", **more: Any) -> Prediction:
    """A prediction with these explanations; 0.61 is the probability of log-odds of 0.45."""
    output = {"label": label, "score": score} if score is not None else {"label": label}
    made = {"inputs": INPUTS, "output": output, "explanations": list(explanations)}
    return Prediction.model_validate(record(**(made | more)))


def found(prediction: Prediction) -> list[ExplanationWarning]:
    """All that is said of a prediction's explanations."""
    return list(warnings_of(prediction))


def codes(*explanations: dict[str, Any], low: bool = False, **more: Any) -> list[str]:
    """The codes of what is said; with `low` also of what was only not stated or not checked."""
    return [one.code for one in found(case(*explanations, **more)) if low or one.severity != "low"]


def said(code: str, *explanations: dict[str, Any], **more: Any) -> str:
    """The sentence of the only warning with a code."""
    (one,) = [one for one in found(case(*explanations, **more)) if one.code == code]
    return one.message
