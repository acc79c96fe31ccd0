"""Counterfactuals: one block for each way to another outcome, its changes below it."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from app.model.explanation import Change, Counterfactual, CounterfactualItem
from app.model.explanation_checks.features import Features
from app.model.explanation_checks.folding import real_changes, unchanged
from app.model.prediction import Prediction
from screens.text import join, line
from screens.widgets.explanations import layout, words

_MARGIN = 3


def render(explanation: Counterfactual, prediction: Prediction, width: int) -> list[Content]:
    """Blocks of `month  48 → 10`, then the fidelity."""
    items, left_out = layout.capped(explanation.items)
    features = Features(prediction.inputs)
    changes = [real_changes(item.changes, features) for item in items]
    names = (change.feature for each in changes for change in each[: layout.MOST_ITEMS])
    name_width = min(max((cell_len(words.short(name)) for name in names), default=0), width // 3)
    immutable = set(explanation.immutable)
    lines: list[Content] = []
    for number, (item, real) in enumerate(zip(items, changes, strict=True), 1):
        lines += [*_heading(number, item, explanation, width), *_changes(real, immutable, name_width, width)]
        if len(real) < len(item.changes) and (same := unchanged(item.changes)):
            lines.append(line(f"{same:,} left out: no change", layout.MUTED).pad_left(_MARGIN))
    if not explanation.items:
        lines.append(line("no counterfactuals", layout.MUTED))
    if left_out:
        lines.append(layout.more(left_out))
    return [*lines, *words.footer(explanation, width)]


def _heading(number: int, item: CounterfactualItem, explanation: Counterfactual, width: int) -> list[Content]:
    target = explanation.target.label if explanation.target else None
    label = (item.output.label if item.output else None) or target or "class not stated"
    score = item.output.score if item.output else None
    distance = (item.model_extra or {}).get("distance")
    body = join(
        line(f"→ {words.short(label, 60)}", "bold"),
        line(f" {words.number(score)}" if score is not None else ""),
        line(f" (distance {words.short(distance, 20)})" if distance is not None else "", layout.MUTED),
        line("  ✗ not valid", "bold $warning") if item.valid is False else Content(""),
    )
    return layout.hang(line(f"{number}".ljust(_MARGIN)), body, width)


def _changes(real: list[Change], immutable: set[str], name_width: int, width: int) -> list[Content]:
    changes, left_out = layout.capped(real)
    lines: list[Content] = []
    for change in changes:
        lines += _change(change, change.feature in immutable, name_width, width)
    if left_out:
        lines.append(layout.more(left_out, "changes").pad_left(_MARGIN))
    return lines


def _change(change: Change, immutable: bool, name_width: int, width: int) -> list[Content]:
    fixed = change.actionable is False or (change.actionable is None and immutable)
    name = layout.fit(line(words.short(change.feature)), name_width).pad_left(_MARGIN)
    body = join(
        line(words.short(change.from_)),
        line(" → ", layout.MUTED),
        line(words.short(change.to), "bold"),
        line("  ✗ not actionable", "$warning") if fixed else Content(""),
    )
    return layout.hang(name.pad_right(layout.GAP), body, width)
