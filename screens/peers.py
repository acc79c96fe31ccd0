"""The paper for an adjudicator: what the reviewers said, side by side, question by question."""

from __future__ import annotations

from typing import Any

from textual.content import Content

from app.model.case import PeerReview, Peers
from app.model.rubric import Criterion, Rubric
from screens.fields import within
from screens.text import join, line, plain, shorten, value_text
from screens.widgets.explanations.layout import fit, hang, wrap

_MUTED = "$muted"
_BLANK = Content("")
# A reviewer's column takes at least so many cells; with less room the reviews stand below each other.
_NARROWEST = 16
_QUESTION = 20
_GAP = 2
# An answer shows so many lines; `secondlook peers ID --json` prints all of it.
_LINES = 8


def peers_document(peers: Peers | None, rubric: Rubric, width: int) -> list[Content]:
    """What several people said; differing answers are marked."""
    if peers is None:
        return [Content.styled("reading …", _MUTED)]
    lines: list[Content] = []
    for reason in peers.escalated:
        lines += hang(Content.styled("escalated  ", "bold $warning"), plain(shorten(reason, 500)), width)
    if peers.escalated:
        lines.append(_BLANK)
    if not peers.reviews:
        said = "Nobody has reviewed this case: it was escalated before." if peers.escalated else "There is one review."
        return [*lines, Content.styled(said, _MUTED)]
    column = (width - _QUESTION - _GAP) // len(peers.reviews) - _GAP
    draw = _table if column >= _NARROWEST else _stacked
    lines += draw(peers.reviews, rubric, width)
    return within(lines, width)


def _table(reviews: tuple[PeerReview, ...], rubric: Rubric, width: int) -> list[Content]:
    column = (width - _QUESTION - _GAP) // len(reviews) - _GAP
    names = [line(shorten(one.name, column), "bold") for one in reviews]
    lines = _row(Content.styled("", _MUTED), names, column)
    lines += _row(_question("verdict", _differ([one.verdict for one in reviews])), list(map(_outcome, reviews)), column)
    if any(one.judged_label for one in reviews):
        first = [line(one.judged_label or "—", _MUTED) for one in reviews]
        lines += _row(Content.styled("  first judgement", _MUTED), first, column)
    lines.append(_BLANK)
    for criterion in _answered(rubric, reviews):
        answers = [one.answers.get(criterion.id) for one in reviews]
        differ = _differ(answers)
        said = [plain(_answer(criterion, value), "" if differ else _MUTED) for value in answers]
        lines += _row(_question(criterion.title, differ), said, column)
    if all(one.seconds is None for one in reviews):
        return lines
    seconds = [line("—" if one.seconds is None else f"{one.seconds:.0f} s", _MUTED) for one in reviews]
    return [*lines, _BLANK, *_row(Content.styled("  time spent", _MUTED), seconds, column)]


def _row(question: Content, cells: list[Content], column: int) -> list[Content]:
    """Cells side by side, each wrapped in its column."""
    mark, title = question[:2], question[2:]
    wrapped = [hang(mark, title, _QUESTION), *(wrap(cell, column, most=_LINES) or [_BLANK] for cell in cells)]
    widths = [_QUESTION, *(column for _ in cells)]
    height = max(map(len, wrapped))
    gap = Content(" " * _GAP)
    return [
        gap.join(fit(part[n] if n < len(part) else _BLANK, size) for part, size in zip(wrapped, widths, strict=True))
        for n in range(height)
    ]


def _stacked(reviews: tuple[PeerReview, ...], rubric: Rubric, width: int) -> list[Content]:
    lines: list[Content] = []
    for one in reviews:
        lines += wrap(join(line(one.name, "bold $accent"), Content("  "), _outcome(one)), width)
        for criterion in _answered(rubric, reviews):
            differ = _differ([other.answers.get(criterion.id) for other in reviews])
            mark = join(_question(shorten(criterion.title, 40), differ), Content("  "))
            value = plain(_answer(criterion, one.answers.get(criterion.id)), "" if differ else _MUTED)
            lines += [join(mark, value)] if width < _QUESTION * 2 else hang(mark, value, width, most=_LINES)
        lines.append(_BLANK)
    return lines


def _question(title: str, differ: bool) -> Content:
    return join(Content.styled("≠ " if differ else "  ", "bold $warning"), line(title, "bold" if differ else _MUTED))


def _outcome(one: PeerReview) -> Content:
    label = f" → {one.label}" if one.label else ""
    return line(f"{one.verdict}{label}", "bold")


def _answered(rubric: Rubric, reviews: tuple[PeerReview, ...]) -> list[Criterion]:
    return [criterion for criterion in rubric.criteria if any(criterion.id in one.answers for one in reviews)]


def _differ(values: list[Any]) -> bool:
    return any(value != values[0] for value in values[1:])


def _answer(criterion: Criterion, value: Any) -> str:
    """An answer as a person reads it: an option's title, marked passages in quotes."""
    if value is None:
        return "—"
    titles = {option.id: option.title for option in criterion.options if option.title}
    if isinstance(value, list):
        return ", ".join(_part(one, titles) for one in value)
    return titles.get(str(value)) or (value if isinstance(value, str) else value_text(value))


def _part(one: Any, titles: dict[str, str]) -> str:
    if isinstance(one, dict) and isinstance(one.get("text"), str):
        return f"“{shorten(one['text'], 200)}”"
    return titles.get(str(one)) or value_text(one)
