"""Contributions over stretches of a text: underlined and signed in the text, ranked below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from app.model.explanation import SpanItem, TextSpan
from app.model.prediction import Prediction
from screens.text import join, line, plain
from screens.widgets.explanations import layout, words
from screens.widgets.explanations.anchors import anchored, is_special, moved, target_text

MARKED = 12
_FEW_LINES = 24


@dataclass(slots=True)
class Weighed:
    """A weight, and all the places it counts for: several where a word of a bag stands several times."""

    contribution: float | None
    places: list[SpanItem]


def render(explanation: TextSpan, prediction: Prediction, width: int) -> list[Content]:
    """The text with its strongest spans marked, then the ranked list, then the fidelity."""
    ranked = sorted(_weighed(explanation.items), key=lambda one: -abs(one.contribution or 0.0))
    text = target_text(explanation.target, prediction)
    if text is None:
        body = layout.hang(Content(""), line("The text of these spans is not here.", layout.MUTED), width)
    else:
        marked = _marked(text[: layout.MOST_CHARACTERS], ranked[:MARKED])
        body = _excerpt(layout.wrap(marked, width))
        if len(text) > layout.MOST_CHARACTERS:
            body.append(layout.more(len(text) - layout.MOST_CHARACTERS, "characters"))
    if ranked:
        head = layout.wrap(words.subject(explanation, prediction, "⁺", "⁻"), width)
        body = [*head, *body, Content("")]
    return [*body, *_ranking(ranked, text, width), *words.footer(explanation, width)]


def _weighed(items: Sequence[SpanItem]) -> list[Weighed]:
    """Weights with their places: items of one group are one."""
    groups: dict[int, Weighed] = {}
    found: list[Weighed] = []
    for item in items:
        known = groups.get(item.place_group) if item.place_group is not None else None
        if known:
            known.places.append(item)
            continue
        found.append(Weighed(item.contribution, [item]))
        if item.place_group is not None:
            groups[item.place_group] = found[-1]
    return found


def _marked(text: str, ranked: list[Weighed]) -> Content:
    """The text with spans underlined, and a raised sign behind each."""
    content = plain(text)
    signs: dict[int, list[Content]] = {}
    for weight, span in [(one.contribution, item) for one in ranked for item in one.places if anchored(item)]:
        start, end = span.start or 0, min(span.end or 0, len(text))
        if start >= end:
            continue
        style = words.sign_style(weight)
        content = content.stylize(f"bold underline {style}".strip(), start, end)
        if weight:
            signs.setdefault(end, []).append(line("⁺" if weight > 0 else "⁻", f"bold {style}"))
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


def _ranking(ranked: list[Weighed], text: str | None, width: int) -> list[Content]:
    shown, left_out = layout.capped(ranked, MARKED)
    # A span without a place is named even where its contribution is small.
    lost = [one for one in ranked[MARKED:] if _is_lost(one.places[0])][:MARKED]
    values = [one.contribution for one in ranked if one.contribution is not None]
    places = words.decimals(values)
    lines = [_entry(one, text, places, width) for one in [*shown, *lost]]
    if any(moved(one.places[0]) for one in shown):
        lines.append(line(words.FOUND_BY_WORDS, layout.MUTED))
    left_out -= len(lost)
    return [*lines, layout.more(left_out, "spans")] if left_out > 0 else lines


def _is_lost(item: SpanItem) -> bool:
    return not anchored(item) and not is_special(item)


def _entry(one: Weighed, text: str | None, places: int, width: int) -> Content:
    item, value = one.places[0], one.contribution
    number = line(words.signed(value, places) if value is not None else "—", words.sign_style(value))
    phrase = item.text
    if text is not None and anchored(item):
        # As it stands there, without the marks of a tokeniser.
        phrase = text[item.start : item.end] or phrase
    note = f" {words.MOVED}" if moved(item) else f"  {words.NOT_ANCHORED}" if _is_lost(item) else ""
    if len(one.places) > 1:
        note = f"  {len(one.places):,} places{note}"
    number = layout.fit(number, 10 if places > 5 else max(6, number.cell_length), right=True)
    room = width - number.cell_length - layout.GAP - len(note)
    body = line(f"“{phrase[:width]}”") if phrase is not None else line("(no text)", layout.MUTED)
    return layout.row(number, join(body.truncate(room, ellipsis=True), line(note, layout.MUTED)))
