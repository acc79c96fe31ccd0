"""Similar cases: for each, a table of only the fields in which it differs from this case."""

from __future__ import annotations

from collections.abc import Mapping, Set

from rich.cells import cell_len
from textual.content import Content

from app.model.explanation import Example, ExampleItem
from app.model.prediction import Prediction
from screens.text import join, line, shorten
from screens.widgets.explanations import layout, words

_MARGIN = 3
_ROLES = {
    "nearest_same": "nearest with the same label",
    "nearest_other": "nearest with another label",
    "prototype": "typical case",
}
Difference = tuple[str, str, str]


def render(explanation: Example, prediction: Prediction, width: int) -> list[Content]:
    """Blocks of a heading and a table `field  this case  similar case`, then the fidelity."""
    items, left_out = layout.capped(explanation.items)
    inputs = {given.name: given.value for given in prediction.inputs}
    withheld = {given.name for given in prediction.inputs if given.withheld}
    withheld |= {attribute.name for attribute in prediction.sensitive or ()}
    lines: list[Content] = []
    for number, item in enumerate(items, 1):
        lines += [*_heading(number, item, width), *_differences(item, inputs, withheld, width)]
    if not explanation.items:
        lines.append(line("no similar cases", layout.MUTED))
    if left_out:
        lines.append(layout.more(left_out, "cases"))
    return [*lines, *words.footer(explanation, width)]


def _heading(number: int, item: ExampleItem, width: int) -> list[Content]:
    role = _ROLES.get(item.role or "", words.short(item.role, 60) if item.role else "similar case")
    body = join(
        line(words.short(item.label, 60) if item.label is not None else "no label", "bold"),
        line(f"  {role}"),
        line(f"  distance {words.short(item.distance, 20)}" if item.distance is not None else ""),
        line(f"  {shorten(item.ref, 60)}" if item.ref else "", layout.MUTED),
    )
    return layout.hang(line(f"{number}".ljust(_MARGIN)), body, width)


def _differences(item: ExampleItem, inputs: Mapping[str, object], withheld: Set[str], width: int) -> list[Content]:
    hidden = sum(name in withheld for name in item.values)
    found = _compare({k: v for k, v in item.values.items() if k not in withheld}, inputs)
    if not item.values:
        return [line("no values given", layout.MUTED).pad_left(_MARGIN)]
    shown, left_out = layout.capped(found, 20)
    lines = _table([("differs in", "this case", "there"), *shown], width) if shown else []
    if not found:
        lines.append(line("no difference in the fields shown", layout.MUTED).pad_left(_MARGIN))
    if left_out:
        lines.append(layout.more(left_out, "fields").pad_left(_MARGIN))
    if hidden:
        lines.append(line(f"{words.count(hidden, 'field')} withheld", layout.MUTED).pad_left(_MARGIN))
    return lines


def _compare(values: Mapping[str, object], inputs: Mapping[str, object]) -> list[Difference]:
    return [
        (words.short(name), words.short(inputs.get(name), 60), words.short(there, 60))
        for name, there in values.items()
        if not _same(inputs.get(name), there)
    ]


def _same(here: object, there: object) -> bool:
    """Equal, or a number and its own text."""
    try:
        if here == there:
            return True
        numeric = {isinstance(here, str), isinstance(there, str)} == {True, False}
        return numeric and float(here) == float(there)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError, RecursionError):
        return False


def _table(rows: list[Difference], width: int) -> list[Content]:
    room = width - _MARGIN - 2 * layout.GAP
    widths = [min(max(cell_len(row[at]) for row in rows), room // 3) for at in range(3)]
    return [
        layout.row(
            *(
                layout.fit(line(text, layout.MUTED if at == 0 else "bold" if column == 2 else ""), cells)
                for column, (text, cells) in enumerate(zip(row, widths, strict=True))
            )
        ).pad_left(_MARGIN)
        for at, row in enumerate(rows)
    ]
