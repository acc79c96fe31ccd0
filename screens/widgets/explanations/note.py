"""A rationale in words: a paragraph, and its points."""

from __future__ import annotations

from textual.content import Content

from app.model.explanation import TextNote
from app.model.prediction import Prediction
from screens.text import line
from screens.widgets.explanations import layout, words


def render(explanation: TextNote, prediction: Prediction, width: int) -> list[Content]:
    """The text wrapped, its points below it, then the fidelity."""
    lines = layout.paragraph(explanation.text, width) if explanation.text else []
    items, left_out = layout.capped(explanation.items)
    for item in items:
        lines += layout.hang(line("• ", layout.MUTED), line(words.short(item, 600)), width)
    if left_out:
        lines.append(layout.more(left_out, "points"))
    if not lines:
        lines.append(line("no text", layout.MUTED))
    return [*lines, *words.footer(explanation, width)]
