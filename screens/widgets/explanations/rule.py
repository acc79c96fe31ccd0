"""A rule: its conditions as IF and AND lines, with precision and coverage so far."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from app.model.explanation import Rule, RuleItem
from app.model.prediction import Prediction
from screens.text import line
from screens.widgets.explanations import layout, words

_HEADS = ("precision", "coverage")


def render(explanation: Rule, prediction: Prediction, width: int) -> list[Content]:
    """`IF … AND … THEN label`, then the fidelity."""
    items, left_out = layout.capped(explanation.items)
    if not items:
        return [line("no conditions", layout.MUTED), *words.footer(explanation, width)]
    label = explanation.target.label if explanation.target else None
    lines = _table(items, width)
    if left_out:
        lines.append(layout.more(left_out, "conditions"))
    then = line(words.short(label), "bold") if label is not None else line("class not stated", words.WARNED)
    lines += layout.hang(line("THEN  ", layout.MUTED), then, width)
    return [*lines, *words.footer(explanation, width)]


def _table(items: list[RuleItem], width: int) -> list[Content]:
    conditions = [words.short(f"{item.feature} {item.op} {words.short(item.value)}", 200) for item in items]
    measured = any(item.precision_so_far is not None or item.coverage_so_far is not None for item in items)
    measures = sum(len(head) + layout.GAP for head in _HEADS) if measured else 0
    room = min(max(cell_len(text) for text in conditions), width - 6 - measures)
    lines = [_row(Content(""), Content(""), room, _HEADS, layout.MUTED)] if measured else []
    for at, (item, text) in enumerate(zip(items, conditions, strict=True)):
        numbers = [_share(item.precision_so_far), _share(item.coverage_so_far)] if measured else []
        first, *others = layout.wrap(line(text), room, most=3)
        lines.append(_row(line("IF" if at == 0 else "AND", layout.MUTED), first, room, numbers))
        lines += [other.pad_left(6) for other in others]
    return lines


def _row(
    word: Content, condition: Content, room: int, numbers: list[str] | tuple[str, ...], style: str = ""
) -> Content:
    cells = [layout.fit(line(text, style), len(head), right=True) for text, head in zip(numbers, _HEADS, strict=False)]
    return layout.row(layout.fit(word, 4), layout.fit(condition, room), *cells)


def _share(value: float | None) -> str:
    return "—" if value is None else words.number(value)
