"""Feature attributions as signed bars around an axis: base, the largest, the others, f(x)."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from app.model.explanation import Attribution, AttributionItem
from app.model.prediction import Prediction
from screens.text import join, line
from screens.widgets.explanations import layout, words

LARGEST = 8
_WIDEST_BAR = 45


def render(explanation: Attribution, prediction: Prediction, width: int) -> list[Content]:
    """The waterfall: one line a feature, the rest folded into one line."""
    ranked = sorted(explanation.items, key=lambda item: -abs(item.contribution))
    shown, rest = ranked[:LARGEST], ranked[LARGEST:]
    labels = [(_feature(item), "" if item.value is None else words.short(item.value)) for item in shown]
    values = [item.contribution for item in shown]
    if rest or explanation.withheld:
        labels.append((_folded_label(explanation, len(rest)), ""))
        values.append(words.total([*(item.contribution for item in rest), explanation.withheld_contribution]))
    places = words.decimals(values)
    table = _table(labels, values, places, width) if values else [line("no contributions", layout.MUTED)]
    return [
        *_head(explanation, places, width),
        *table,
        *words.footer(explanation, width, _result(explanation)),
    ]


def additivity_gap(explanation: Attribution) -> float:
    """|base + contributions − output| ÷ the scale of the contributions; 0 where it cannot be told."""
    base, output = explanation.base_value, explanation.output_value
    if base is None or output is None:
        return 0.0
    # A hundredth of everything keeps the sums finite.
    parts = [item.contribution / 100 for item in explanation.items]
    scale = max(words.total(abs(part) for part in parts), abs(output / 100 - base / 100))
    gap = abs(words.total([base / 100, *parts]) - output / 100)
    return gap / scale if gap > 1e-9 * (abs(base / 100) + abs(output / 100)) and scale else 0.0


def _feature(item: AttributionItem) -> str:
    return item.feature if isinstance(item.feature, str) else " × ".join(item.feature[:5])


def _folded_label(explanation: Attribution, others: int) -> str:
    parts = [words.count(others, "other")] if others else []
    if explanation.withheld:
        parts.append(f"{explanation.withheld:,} withheld")
    return ", ".join(parts)


def _head(explanation: Attribution, places: int, width: int) -> list[Content]:
    target = explanation.target.label if explanation.target else None
    towards = f"▶ towards {words.short(target, 40)}  ◀ away" if target else "▶ raises  ◀ lowers"
    base = explanation.base_value
    start = join(line(f"base {words.number(base, places)}"), Content("   ")) if base is not None else Content("")
    return layout.wrap(join(start, line(towards, layout.MUTED)), width)


def _result(explanation: Attribution) -> str:
    output = explanation.output_value
    if output is None:
        return ""
    logit = explanation.target is not None and explanation.target.space == "logit"
    return f"f(x) {words.number(output)}" + (f" → {words.probability(output)}" if logit else "")


def _table(labels: list[tuple[str, str]], values: list[float], places: int, width: int) -> list[Content]:
    numbers = [words.signed(value, places) for value in values]
    number_width = max(len(text) for text in numbers)
    widest = max(cell_len(_label(feature, value, 200).plain) for feature, value in labels)
    label_width = min(widest, max(14, width * 45 // 100))
    bar_width = min(_WIDEST_BAR, width - label_width - number_width - 2 * layout.GAP)
    bars = layout.bars(values, bar_width)
    return [
        layout.row(
            layout.fit(_label(feature, value, label_width), label_width),
            layout.fit(bar, bar_width),
            layout.fit(line(text, words.sign_style(number)), number_width, right=True),
        )
        for (feature, value), bar, text, number in zip(labels, bars, numbers, values, strict=True)
    ]


def _label(feature: str, value: str, width: int) -> Content:
    """`feature = value`; where it is too long the name is cut before the value is."""
    if not value:
        return line(feature[:400]).truncate(width, ellipsis=True)
    name = line(feature[:400])
    room = max(width - name.cell_length, width * 6 // 10)
    tail = line(f" = {value}").truncate(room, ellipsis=True)
    return join(name.truncate(width - tail.cell_length, ellipsis=True), tail)
