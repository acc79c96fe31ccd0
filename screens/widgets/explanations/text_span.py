"""Contributions over stretches of a text: underlined and signed in the text, ranked below it."""

from __future__ import annotations

from textual.content import Content

from app.model.explanation import SpanItem, TextSpan
from app.model.prediction import Prediction
from screens.text import join, line, plain
from screens.widgets.explanations import layout, words
from screens.widgets.explanations.anchors import anchored, moved, target_text

MARKED = 12
_FEW_LINES = 24


def render(explanation: TextSpan, prediction: Prediction, width: int) -> list[Content]:
    """The text with its strongest spans marked, then the ranked list, then the fidelity."""
    ranked = sorted(explanation.items, key=lambda item: -abs(item.contribution or 0.0))
    text = target_text(explanation.target, prediction)
    if text is None:
        body = layout.hang(Content(""), line("The text of these spans is not here.", layout.MUTED), width)
    else:
        marked = _marked(text[: layout.MOST_CHARACTERS], [item for item in ranked if anchored(item)][:MARKED])
        body = _excerpt(layout.wrap(marked, width))
        if len(text) > layout.MOST_CHARACTERS:
            body.append(layout.more(len(text) - layout.MOST_CHARACTERS, "characters"))
    blank = [Content("")] if ranked else []
    return [*body, *blank, *_ranking(ranked, text, width), *words.footer(explanation, width)]


def _marked(text: str, spans: list[SpanItem]) -> Content:
    """The text with spans underlined, and a raised sign behind each."""
    content = plain(text)
    signs: dict[int, list[Content]] = {}
    for span in spans:
        start, end = span.start or 0, min(span.end or 0, len(text))
        if start >= end:
            continue
        style = words.sign_style(span.contribution)
        content = content.stylize(f"bold underline {style}".strip(), start, end)
        if span.contribution:
            signs.setdefault(end, []).append(line("⁺" if span.contribution > 0 else "⁻", f"bold {style}"))
    ends = sorted(signs)
    pieces = content.divide(ends) if ends else [content]
    parts = [pieces[0]]
    for end, piece in zip(ends, pieces[1:], strict=True):
        parts += [*signs[end], piece]
    return join(*parts)


def _excerpt(lines: list[Content]) -> list[Content]:
    """A long text's lines near to marks only; `⋮` stands for what is left out."""
    if len(lines) <= _FEW_LINES:
        return lines
    near = {at + by for at, one in enumerate(lines) if one.spans for by in (-1, 0, 1)} or set(range(_FEW_LINES))
    kept: list[Content] = []
    for at, one in enumerate(lines):
        if at in near:
            kept.append(one)
        elif not kept or kept[-1].plain != "⋮":
            kept.append(Content.styled("⋮", layout.MUTED))
    return kept


def _ranking(ranked: list[SpanItem], text: str | None, width: int) -> list[Content]:
    shown, left_out = layout.capped(ranked, MARKED)
    # A span without a place is named even where its contribution is small.
    lost = [item for item in ranked[MARKED:] if not anchored(item)][:MARKED]
    values = [item.contribution for item in ranked if item.contribution is not None]
    places = words.decimals(values)
    lines = [_entry(item, text, places, width) for item in [*shown, *lost]]
    if any(moved(item) for item in shown):
        lines.append(line(f"{words.MOVED} moved to where its words stand", layout.MUTED))
    left_out -= len(lost)
    return [*lines, layout.more(left_out, "spans")] if left_out > 0 else lines


def _entry(item: SpanItem, text: str | None, places: int, width: int) -> Content:
    value = item.contribution
    number = line(words.signed(value, places) if value is not None else "—", words.sign_style(value))
    phrase = item.text
    if phrase is None and text is not None and anchored(item):
        phrase = text[item.start : item.end]
    note = f" {words.MOVED}" if moved(item) else "" if anchored(item) else f"  {words.NOT_ANCHORED}"
    number = layout.fit(number, 10 if places > 5 else max(6, number.cell_length), right=True)
    room = width - number.cell_length - layout.GAP - len(note)
    body = line(f"“{phrase[:width]}”") if phrase is not None else line("(no text)", layout.MUTED)
    return layout.row(number, join(body.truncate(room, ellipsis=True), line(note, layout.MUTED)))
