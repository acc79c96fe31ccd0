"""Spans of a text: which were found by their words, and which have no place."""

from __future__ import annotations

from app.model.explanation import EvidenceItem, SpanItem, Target
from app.model.explanation_checks.facts import text_of
from app.model.explanation_checks.spans import anchored, is_special
from app.model.prediction import Prediction

__all__ = ["anchored", "is_special", "moved", "target_text"]


def target_text(target: Target | None, prediction: Prediction) -> str | None:
    """The text that spans point into; None where it is not here."""
    return text_of(prediction, target)


def moved(item: SpanItem | EvidenceItem) -> bool:
    """Whether intake had to look for the words of the span."""
    return anchored(item) and item.anchor in ("shifted", "searched")
