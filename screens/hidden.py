"""Where in a case hidden characters are: names and keys count as much as texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from textual.content import Content

from app.model.prediction import Prediction
from app.protect.safe_text import hidden_characters

# How a reviewer calls the parts; all others are "the record".
_PARTS = {
    "task": "the question",
    "inputs": "inputs",
    "output": "the output",
    "flags": "flags",
    "explanations": "explanations",
    "provenance": "provenance",
}
_REST = "the record"


def case_badge(prediction: Prediction) -> list[Content]:
    """One line for the whole case, or none: `▲ hidden characters: 12 in inputs, explanations`."""
    found: dict[str, int] = {}
    for part, value in _fields(prediction):
        # In one text: counting is quick, calling it for each of a million keys is not.
        n = hidden_characters("\n".join([part, *_texts(value)]))
        if n:
            name = _PARTS.get(part, _REST)
            found[name] = found.get(name, 0) + n
    if not found:
        return []
    return [Content.styled(f"▲ hidden characters: {sum(found.values()):,} in {', '.join(found)}", "$warning")]


def _fields(model: BaseModel) -> Iterator[tuple[str, Any]]:
    yield from model.__dict__.items()
    yield from (model.model_extra or {}).items()


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, names of keys as well, however deep."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            yield from (key for key in one if isinstance(key, str))
            waiting.extend(one.values())
        elif isinstance(one, BaseModel):
            waiting.extend(one.__dict__.values())
            if one.model_extra:
                waiting.append(one.model_extra)
