"""Spans of a text: which text is meant, which spans stand in it, and which do not."""

from __future__ import annotations

from app.model.explanation import Evidence, EvidenceItem, SpanItem, Target, TextSpan
from app.model.prediction import Prediction


def target_text(target: Target | None, prediction: Prediction) -> str | None:
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


def anchored(item: SpanItem | EvidenceItem) -> bool:
    """Whether the span has a place in its text."""
    if item.anchor == "failed" or item.start is None or item.end is None:
        return False
    return 0 <= item.start < item.end


def moved(item: SpanItem | EvidenceItem) -> bool:
    """Whether intake had to move the span to where its text stands."""
    return anchored(item) and item.anchor in ("shifted", "searched")


def unanchored(explanation: TextSpan | Evidence) -> int:
    """How many spans have no place."""
    return sum(not anchored(item) for item in explanation.items)
