"""What is wrong with an explanation, as badges above it and notes below it.

A badge is a shape, a word and a colour; what contradicts the model stands reversed. What the head of an
explanation says by itself (a class or unit that is not stated) is not said twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

from app.model.explanation_warning import ExplanationWarning
from app.model.words import Severity
from screens.text import join, line, shorten
from screens.theme import SEVERITY_SHAPES, SEVERITY_STYLES
from screens.widgets.explanations.layout import MUTED, hang

_IN_THE_HEAD = frozenset(("class_not_stated", "unit_not_stated"))
_MOST_LINES = 3
_MOST_CHARACTERS = 400
_MARK_STYLES: dict[Severity, str] = {**SEVERITY_STYLES, "critical": "bold reverse $error", "medium": "bold"}


def badge_lines(warnings: Iterable[ExplanationWarning], width: int, about: str = "") -> list[Content]:
    """What a reader must know before reading an explanation; `about` names it where it stands elsewhere."""
    return [one for warning in warnings if warning.severity != "low" for one in _badge(warning, width, about)]


def note_lines(warnings: Iterable[ExplanationWarning], width: int) -> list[Content]:
    """What was not stated or not checked."""
    shown = [w for w in warnings if w.severity == "low" and w.code not in _IN_THE_HEAD]
    mark = Content.styled(f"{SEVERITY_SHAPES['low']} ", MUTED)
    return [one for note in shown for one in hang(mark, _said(note, MUTED), width, most=_MOST_LINES)]


def of_explanation(warnings: Sequence[ExplanationWarning], number: int) -> list[ExplanationWarning]:
    """The warnings of one explanation."""
    return [warning for warning in warnings if warning.explanation == number]


def contradictions(warnings: Iterable[ExplanationWarning]) -> list[ExplanationWarning]:
    """Those that say the explanation is not of this answer."""
    return [warning for warning in warnings if warning.severity == "critical"]


def _badge(warning: ExplanationWarning, width: int, about: str) -> list[Content]:
    severity = warning.severity
    word = f"{SEVERITY_SHAPES[severity]} {severity}"
    mark = Content.styled(f" {word} " if severity == "critical" else word, _MARK_STYLES[severity])
    style = SEVERITY_STYLES[severity]
    body = join(line(f"{shorten(about, 60)}: " if about else "", style), _said(warning, style))
    return hang(join(mark, Content(" ")), body, width, most=_MOST_LINES)


def _said(warning: ExplanationWarning, style: str) -> Content:
    return line(shorten(warning.message, _MOST_CHARACTERS), style)
