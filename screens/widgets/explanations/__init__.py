"""Explanations as lines of text: one small module a kind, chosen here.

Renderers are pure: a record in, a list of `Content` out, one entry a line. What the record says
is never trusted: it may be huge, hostile or empty, and still no line is wider than asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.content import Content

from app.model.explanation import Explanation
from app.model.prediction import Prediction
from screens.widgets.explanations import (
    attribution,
    counterfactual,
    evidence,
    example,
    image_region,
    none,
    note,
    rule,
    text_span,
    trace,
)
from screens.widgets.explanations.badges import badge_lines, note_lines

__all__ = ["badge_lines", "note_lines", "render", "title"]

Renderer = Callable[[Any, Prediction, int], list[Content]]

NARROWEST = 40
"""Below this many cells lines are laid out as for this width, then cut."""

_KINDS: dict[str, tuple[str, Renderer]] = {
    "attribution": ("attribution", attribution.render),
    "text_span": ("text spans", text_span.render),
    "image_region": ("image regions", image_region.render),
    "counterfactual": ("counterfactual", counterfactual.render),
    "example": ("similar cases", example.render),
    "rule": ("rule", rule.render),
    "evidence": ("evidence", evidence.render),
    "trace": ("steps", trace.render),
    "text": ("rationale", note.render),
    "none": ("no explanation", none.render),
}


def title(explanation: Explanation) -> str:
    """The kind in words, short enough for a tab."""
    return _KINDS[explanation.kind][0]


def render(explanation: Explanation, prediction: Prediction, width: int) -> list[Content]:
    """The explanation as lines of at most `width` cells, without newlines."""
    lines = _KINDS[explanation.kind][1](explanation, prediction, max(width, NARROWEST))
    return [one.truncate(max(0, width), ellipsis=True) for one in lines]
