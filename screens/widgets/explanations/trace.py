"""The steps of an agent: numbered, the risky ones marked and shown with all their arguments."""

from __future__ import annotations

from textual.content import Content

from app.model.explanation import Trace, TraceItem
from app.model.prediction import Prediction
from screens.text import join, line, plain, shorten
from screens.widgets.explanations import layout, words

_MARGIN = 4
_MOST_LINES = 6


def render(explanation: Trace, prediction: Prediction, width: int) -> list[Content]:
    """Steps in order; a risky step is shown even where the list is cut before it."""
    shown = list(enumerate(explanation.items[: layout.MOST_ITEMS], 1))
    after = enumerate(explanation.items[layout.MOST_ITEMS :], layout.MOST_ITEMS + 1)
    risky = [(number, item) for number, item in after if item.risk]
    late = risky[: layout.MOST_ITEMS]
    lines = [one for number, item in shown for one in _step(number, item, width)]
    left_out = len(explanation.items) - len(shown) - len(late)
    if left_out > 0:
        unseen = len(risky) - len(late)
        lines.append(layout.more(left_out, "steps" + (f", {unseen:,} of them risky" if unseen else "")))
    lines += [one for number, item in late for one in _step(number, item, width)]
    if not explanation.items:
        lines.append(line("no steps", layout.MUTED))
    return [*lines, *words.footer(explanation, width)]


def _step(number: int, item: TraceItem, width: int) -> list[Content]:
    mark = line(words.short(item.step if item.step is not None else number, 8) + " ").pad_right(1)
    mark = layout.fit(mark, max(_MARGIN, mark.cell_length))
    body = join(
        line(words.short(item.name) if item.name else "(unnamed)", "bold" if item.risk else ""),
        line(f"  {words.short(item.status, 40)}" if item.status else "", _status_style(item.status)),
        line(f"  {_duration(item.duration_ms)}" if item.duration_ms is not None else "", layout.MUTED),
    )
    lines = layout.hang(mark, body, width)
    if item.risk:
        risks = words.short(", ".join(item.risk[:20]), 300)
        lines += layout.hang(line("▲ risk: ", "bold $error").pad_left(_MARGIN), line(risks, "bold $error"), width)
    return [*lines, *_arguments(item, width)]


def _arguments(item: TraceItem, width: int) -> list[Content]:
    """One short line for a harmless step, a line or more an argument for a risky one."""
    arguments = item.arguments
    if arguments is None or arguments == {} or arguments == []:
        return []
    indent = Content(" " * _MARGIN)
    if not item.risk:
        body = line(words.short(arguments, 200), layout.MUTED)
        return [join(indent, body.truncate(width - _MARGIN, ellipsis=True))]
    if not isinstance(arguments, dict):
        return layout.hang(indent, _whole(arguments), width, _MOST_LINES)
    lines: list[Content] = []
    pairs, left_out = layout.capped(list(arguments.items()), 20)
    for name, value in pairs:
        key = line(words.short(str(name), 30) + ": ", layout.MUTED).truncate(width // 2, ellipsis=True)
        lines += layout.hang(join(indent, key), _whole(value), width, _MOST_LINES)
    return [*lines, join(indent, layout.more(left_out, "arguments"))] if left_out else lines


def _whole(value: object) -> Content:
    """An argument with its newlines kept if it is a text, else in short."""
    return plain(shorten(value, 800)) if isinstance(value, str) else line(words.short(value, 600))


def _status_style(status: str | None) -> str:
    return "$error" if status and status.lower() in ("error", "failed", "denied", "blocked") else layout.MUTED


def _duration(milliseconds: float) -> str:
    if milliseconds < 1_000:
        return f"{words.number(milliseconds, 2) if milliseconds < 1 else round(milliseconds)} ms"
    return f"{words.number(milliseconds / 1_000)} s"
