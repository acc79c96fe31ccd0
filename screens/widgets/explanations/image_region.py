"""Regions of an image as a table, the strongest first; a terminal draws no image."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from app.model.explanation import ImageRegion, RegionItem
from app.model.prediction import Prediction
from screens.text import line
from screens.widgets.explanations import layout, words

_HEAD = ("region", "x, y  width × height", "weight")


def render(explanation: ImageRegion, prediction: Prediction, width: int) -> list[Content]:
    """A table of regions, then the fidelity."""
    ranked = sorted(explanation.items, key=lambda item: -abs(item.contribution or 0.0))
    items, left_out = layout.capped(ranked)
    if not items:
        return [line("no regions", layout.MUTED), *words.footer(explanation, width)]
    places = words.decimals(item.contribution for item in items if item.contribution is not None)
    lines = layout.wrap(words.subject(explanation, prediction, "+", words.MINUS), width)
    lines += _table([_HEAD, *(_cells(item, places) for item in items)], items, width)
    if left_out:
        lines.append(layout.more(left_out, "regions"))
    return [*lines, *words.footer(explanation, width)]


def _cells(item: RegionItem, places: int) -> tuple[str, str, str]:
    x, y, wide, high = (words.short(size, 9) for size in (item.x, item.y, item.width, item.height))
    weight = "—" if item.contribution is None else words.signed(item.contribution, places)
    return words.short(item.label) if item.label else "(no name)", f"{x}, {y}  {wide} × {high}", weight


def _table(rows: list[tuple[str, str, str]], items: list[RegionItem], width: int) -> list[Content]:
    name, place, weight = (max(cell_len(row[at]) for row in rows) for at in range(3))
    # The weight keeps its width; the name leaves the place what it needs, to a third of the rest.
    room = width - weight - 2 * layout.GAP
    name = min(name, max(room - place, room // 3))
    place = min(place, room - name)
    styles = [layout.MUTED, *(words.sign_style(item.contribution) for item in items)]
    return [
        layout.row(
            layout.fit(line(row[0], layout.MUTED if at == 0 else ""), name),
            layout.fit(line(row[1], layout.MUTED), place),
            layout.fit(line(row[2], style), weight, right=True),
        )
        for at, (row, style) in enumerate(zip(rows, styles, strict=True))
    ]
