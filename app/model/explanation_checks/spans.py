"""Spans of a text: whether they have a place in it."""

from __future__ import annotations

from collections.abc import Iterator

from app.model.explanation import Evidence, EvidenceItem, Explanation, SpanItem, TextSpan
from app.model.explanation_checks.facts import Facts
from app.model.explanation_warning import Found


def check(explanation: Explanation, facts: Facts) -> Iterator[Found]:
    """Spans that stand nowhere, and texts that are not there."""
    if not isinstance(explanation, TextSpan | Evidence) or not explanation.items:
        return
    lost = sum(not anchored(item) and not is_special(item) for item in explanation.items)
    if lost:
        yield Found("not_anchored", "medium", f"{lost:,} span{'s' if lost != 1 else ''} could not be anchored")
    if facts.text_of(explanation.target) is None:
        yield Found("text_not_here", "medium", "the text that its spans speak of is not here")


def anchored(item: SpanItem | EvidenceItem) -> bool:
    """Whether the span has a place in its text."""
    if item.anchor == "failed" or item.start is None or item.end is None:
        return False
    return 0 <= item.start < item.end


def is_special(item: SpanItem | EvidenceItem) -> bool:
    """Whether it is a token that stands for no words of the text (`[CLS]`)."""
    return isinstance(item, SpanItem) and bool(item.special_token)
