"""The inputs of a case: small ones in a grid, then texts, chats and objects one below the other."""

from __future__ import annotations

from typing import Any

import orjson
from textual.content import Content

from app.model.chat import read_turn
from app.model.prediction import Input, Prediction
from screens.fields import FIELD_LIMIT, PAPER_LINES, field, left_out
from screens.text import join, line, shorten, value_text
from screens.widgets.explanations.layout import fit, hang, wrap

MUTED = "$muted"
BLANK = Content("")
_SMALL = 60
# A grid has so many cells, a chat so many turns.
_MOST_CELLS = 1_000
_MOST_TURNS = 500
# Columns of who speaks; characters of a tool's name.
_SPEAKER = 11
_TOOL_NAME = 200


def input_lines(prediction: Prediction, width: int) -> list[Content]:
    """All inputs but the withheld ones, and the names of those."""
    shown = [i for i in prediction.inputs if i.withheld is None]
    small, large = [i for i in shown if _is_small(i)], [i for i in shown if not _is_small(i)]
    lines = grid([(i.name, value_text(i.value)) for i in small], width, "inputs")
    for number, item in enumerate(large):
        if len(lines) > PAPER_LINES:
            lines += [BLANK, *left_out(len(large) - number, "inputs", width)]
            break
        lines += [*([BLANK] if lines else []), *_large(item, width)]
    return lines + _withheld(prediction, width)


def _is_small(item: Input) -> bool:
    value = item.value
    if item.kind not in ("number", "category", "reference") or isinstance(value, dict | list):
        return False
    return len(value if isinstance(value, str) else str(value)) <= _SMALL


def _withheld(prediction: Prediction, width: int) -> list[Content]:
    names = dict.fromkeys(i.name for i in prediction.inputs if i.withheld is not None)
    names |= dict.fromkeys(s.name for s in prediction.sensitive or ())
    if not names:
        return []
    said = shorten(", ".join(names), 2_000)
    return [BLANK, *hang(Content.styled("withheld  ", "bold"), line(said, MUTED), width, most=3)]


def grid(pairs: list[tuple[str, str]], width: int, what: str) -> list[Content]:
    """Names and values in as many columns as the width takes, read from top to bottom.

    What does not fit a cell gets a line of its own below: a name that was cut cannot be read. `what` they are is
    said where there are too many.
    """
    pairs, over = pairs[:_MOST_CELLS], len(pairs) - _MOST_CELLS
    columns = max(1, min(3, (width + 3) // 34))
    cell = (width - 3 * (columns - 1)) // columns
    fitting = [p for p in pairs if len(p[0]) + 1 + len(p[1]) <= cell]
    name_width = max((len(name) for name, _ in fitting), default=8)
    value_width = max((len(value) for _, value in fitting), default=8)
    # Values line up where the widest name and value leave room for that, else they follow their name.
    name_width = min(name_width, cell - 1 - min(value_width, cell // 3))
    cells = [
        _cell(name, value, max(name_width, len(name) if len(name) > name_width else 0), cell) for name, value in fitting
    ]
    height = -(-len(cells) // columns)
    gap = Content("   ")
    lines = [gap.join(cells[at::height]).rstrip() for at in range(height)]
    for name, value in pairs:
        if len(name) + 1 + len(value) > cell:
            lines += _row(name, value, width)
    return [*lines, *left_out(over, what, width)] if over > 0 else lines


def _row(name: str, value: str, width: int) -> list[Content]:
    """A name and its value over the whole width; below a long name the value stands by itself."""
    mark, body = line(f"{name} ", MUTED), line(value, "bold")
    if mark.cell_length <= width // 2:
        return hang(mark, body, width, most=3)
    return [*wrap(mark, width, most=3), *hang(Content("  "), body, width, most=3)]


def _cell(name: str, value: str, name_width: int, width: int) -> Content:
    return join(
        fit(line(name, MUTED), name_width), Content(" "), fit(line(value, "bold"), max(1, width - name_width - 1))
    )


def _large(item: Input, width: int) -> list[Content]:
    """A text, a chat, or an object."""
    role = f"  {shorten(item.role, 40)}" if item.role else ""
    lines = [join(line(item.name, "bold"), line(role, MUTED)).truncate(width, ellipsis=True)]
    if item.kind == "chat" and isinstance(item.value, list):
        return [*lines, *_chat(item.value, width)]
    return lines + field(_text_of(item.value), width)


def _chat(turns: list[Any], width: int) -> list[Content]:
    """Turns until the field is full."""
    lines: list[Content] = []
    room = FIELD_LIMIT
    for number, turn in enumerate(turns):
        if room <= 0 or number >= _MOST_TURNS or len(lines) > PAPER_LINES:
            return [*lines, *left_out(len(turns) - number, "turns", width)]
        drawn, used = _turn(turn, width, room)
        lines += drawn
        room -= used
    return lines


def _turn(turn: Any, width: int, room: int) -> tuple[list[Content], int]:
    """Who said what and called which tools, and how many characters of the room that took."""
    read = read_turn(turn)
    calls = [(call.name, _text_of(call.arguments)) for call in read.calls]
    used = len(read.said) + sum(len(name) + len(arguments) for name, arguments in calls)
    if not read.speaker:
        return field(read.said, width, room), used
    mark = fit(line(shorten(read.speaker, _SPEAKER - 1), "bold $accent"), _SPEAKER)
    below = width - mark.cell_length
    lines = field(read.said, below, room) if read.said or not calls else []
    for name, arguments in calls:
        lines += hang(Content.styled("calls ", MUTED), line(shorten(name, _TOOL_NAME), "bold"), below, most=2)
        lines += [one.pad_left(2) for one in field(arguments, below - 2, max(1, room - len(read.said)))]
    first, *rest = lines or [BLANK]
    return [join(mark, first), *(one.pad_left(mark.cell_length) for one in rest)], used


def _text_of(value: Any) -> str:
    """A text as it is; an object as indented JSON, so that nothing of it is lost."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
    return value_text(value)
