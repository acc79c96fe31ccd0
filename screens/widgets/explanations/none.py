"""No explanation, and why."""

from __future__ import annotations

from textual.content import Content

from app.model.explanation import NoExplanation
from app.model.prediction import Prediction
from screens.text import join, line, shorten
from screens.widgets.explanations import layout


def render(explanation: NoExplanation, prediction: Prediction, width: int) -> list[Content]:
    """One sentence."""
    reason = shorten(explanation.reason or "no reason given", 2_000)
    return layout.wrap(join(line("No explanation: ", layout.MUTED), line(reason)), width)
