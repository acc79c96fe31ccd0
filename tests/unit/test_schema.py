"""What fits a JSON Schema and what does not, as far as tools describe their arguments."""

from __future__ import annotations

from typing import Any

import pytest

from app.deliver.sinks.schema import misfit

OPTIONAL = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}
NESTED = {"type": "object", "properties": {"rows": {"type": "array", "items": {"type": "number"}}}}


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (1, None),
        (1, {"type": "strange"}),
        (1, {"$ref": "#/$defs/Amount"}),
        (True, {"type": "boolean", "minimum": 5}),
        (2.0, {"type": "integer"}),
        (None, OPTIONAL),
        (3, OPTIONAL),
        ("x", {"type": ["string", "null"]}),
        ({"rows": [1, 2.5], "more": 1}, NESTED),
    ],
)
def test_fits(value: Any, schema: Any) -> None:
    assert misfit(value, schema, "call") == ""


@pytest.mark.parametrize(
    ("value", "schema", "said"),
    [
        (True, {"type": "integer"}, "call: expected integer"),
        (1.5, {"type": "integer"}, "call: expected integer"),
        (0, OPTIONAL, "call: expected at least 1 or call: expected null"),
        (2, {"const": 1}, "call: expected one of 1"),
        ({"rows": [1, "2"]}, NESTED, "call.rows[1]: expected number"),
        ([], NESTED, "call: expected object"),
        ({"b": 1}, {"additionalProperties": False}, "call: there is no b (there is nothing)"),
        ({}, {"required": ["a"]}, "call: a is missing"),
    ],
)
def test_does_not_fit(value: Any, schema: Any, said: str) -> None:
    assert misfit(value, schema, "call") == said
