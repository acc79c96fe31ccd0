"""What is wrong with an explanation, in a few words each."""

from __future__ import annotations

from app.model.explanation import Attribution, Counterfactual, Evidence, Explanation, TextSpan
from app.model.prediction import Prediction
from app.protect.safe_text import safe_line
from screens.widgets.explanations import words
from screens.widgets.explanations.anchors import unanchored
from screens.widgets.explanations.attribution import additivity_gap
from screens.widgets.explanations.counterfactual import leads_to

FAITHFUL_R2 = 0.5
ADDITIVE_WITHIN = 0.01


def badges(explanation: Explanation, prediction: Prediction) -> list[str]:
    """Short warnings, the gravest first. Safe for a terminal, but not markup."""
    found = [
        _other_model(explanation, prediction),
        _same_label(explanation, prediction),
        _not_anchored(explanation),
        _not_additive(explanation),
        _low_fidelity(explanation),
    ]
    return [safe_line(badge) for badge in found if badge]


def _other_model(explanation: Explanation, prediction: Prediction) -> str:
    explains, provenance = explanation.explains, prediction.provenance
    if explains is None or provenance is None or not provenance.model:
        return ""
    model = provenance.model
    pairs = (
        (explains.model, _scalar(model.get("name"))),
        (explains.version, _scalar(model.get("version"))),
        (explains.artifact_digest, _scalar(model.get("artifact_digest"))),
    )
    differs = [bool(ours and theirs and ours != theirs) for ours, theirs in pairs]
    if not any(differs):
        return ""
    named = [words.short(part, 40) for part in (explains.model, explains.version) if part]
    artifact = [f"artifact {words.short(explains.artifact_digest, 20)}"] if not any(differs[:2]) else []
    return f"explains a different model ({' '.join([*named, *artifact])})"


def _scalar(value: object) -> str:
    """A name or a version as text, also where it was sent as a number; empty for anything else."""
    if isinstance(value, int) and value.bit_length() > 64:
        return ""
    return str(value) if isinstance(value, str | int | float) else ""


def _same_label(explanation: Explanation, prediction: Prediction) -> str:
    if not isinstance(explanation, Counterfactual) or prediction.output.label not in leads_to(explanation):
        return ""
    return "explains how to reach the label the case already has"


def _not_anchored(explanation: Explanation) -> str:
    lost = unanchored(explanation) if isinstance(explanation, TextSpan | Evidence) else 0
    return f"{words.count(lost, 'span')} could not be anchored" if lost else ""


def _not_additive(explanation: Explanation) -> str:
    if not isinstance(explanation, Attribution) or explanation.fidelity != "exact" or explanation.withheld:
        return ""
    off = additivity_gap(explanation) > ADDITIVE_WITHIN
    return "not additive: base + contributions ≠ output" if off else ""


def _low_fidelity(explanation: Explanation) -> str:
    score = explanation.fidelity_score
    if score is None or score.name.casefold() not in ("r2", "r²") or score.value >= FAITHFUL_R2:
        return ""
    return f"the surrogate follows the model badly (r2 {words.number(score.value)})"
