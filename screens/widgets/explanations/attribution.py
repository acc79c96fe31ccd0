"""Feature attributions as signed bars around an axis: base, the largest, the others, f(x)."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from app.model.explanation import Attribution
from app.model.explanation_checks.additivity import omitted
from app.model.explanation_checks.features import Features
from app.model.explanation_checks.folding import Contribution, folded
from app.model.explanation_checks.units import unit_of
from app.model.prediction import Prediction
from screens.text import join, line
from screens.widgets.explanations import layout, words

LARGEST = 8
_WIDEST_BAR = 45
_MOST_NAMES = 5


def render(explanation: Attribution, prediction: Prediction, width: int) -> list[Content]:
    """The waterfall: one line a feature, the rest folded into one line."""
    ranked = sorted(folded(explanation.items, Features(prediction.inputs)), key=lambda one: -abs(one.amount))
    shown, rest = ranked[:LARGEST], ranked[LARGEST:]
    labels = [(_feature(one), _value(one)) for one in shown]
    values = [one.amount for one in shown]
    left_out = omitted(explanation)
    if rest or explanation.withheld or left_out is not None:
        labels.append((_folded_label(explanation, len(rest), left_out is not None), ""))
        sums = (explanation.withheld_contribution, left_out or 0.0)
        values.append(words.total([*(one.amount for one in rest), *sums]))
    places = words.decimals(values)
    table = _table(labels, values, places, width) if values else [line("no contributions", layout.MUTED)]
    return [
        *_head(explanation, prediction, places, width),
        *table,
        *words.footer(explanation, width, _result(explanation, prediction)),
    ]


def _feature(one: Contribution) -> str:
    return " × ".join(one.names[:_MOST_NAMES])


def _value(one: Contribution) -> str:
    """The value, or the input's where the explainer saw an encoded one."""
    if one.value is None or one.value == "":
        return ""
    return words.short(one.value) + (" (encoded)" if one.encoded else "")


def _folded_label(explanation: Attribution, others: int, more: bool) -> str:
    parts = [words.count(others, "other")] if others else []
    if more:
        parts.append("what is not listed")
    if explanation.withheld:
        parts.append(f"{explanation.withheld:,} withheld")
    return ", ".join(parts)


def _head(explanation: Attribution, prediction: Prediction, places: int, width: int) -> list[Content]:
    base = explanation.base_value
    start = join(line(f"base {words.number(base, places)}"), Content("   ")) if base is not None else Content("")
    return layout.wrap(join(start, words.subject(explanation, prediction)), width)


def _result(explanation: Attribution, prediction: Prediction) -> str:
    """The output, and its probability where one class's log-odds give it."""
    output = explanation.output_value
    if output is None:
        return ""
    told = unit_of(explanation) == "log-odds" and not words.several_classes(prediction)
    return f"f(x) {words.number(output)}" + (f" → {words.probability(output)}" if told else "")


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
