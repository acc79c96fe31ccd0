"""Whether a value fits a JSON Schema, as far as tools describe their arguments: types, enums, ranges, required and
unknown keys, lists and alternatives. Anything else in a schema is the tool's own business and fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "number": lambda v: isinstance(v, int | float) and not isinstance(v, bool),
    "integer": lambda v: (isinstance(v, int) and not isinstance(v, bool)) or (isinstance(v, float) and v.is_integer()),
}


def misfit(value: Any, schema: Any, where: str) -> str:
    """What is wrong with the value, naming the place and what was expected; "" where nothing is. The value itself is
    not repeated: it may be withheld."""
    if not isinstance(schema, dict):
        return ""
    others = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(others, list) and others:
        wrong = [misfit(value, one, where) for one in others]
        if all(wrong):
            return " or ".join(dict.fromkeys(wrong))
    return _kind(value, schema, where) or _range(value, schema, where) or _inside(value, schema, where)


def _kind(value: Any, schema: Mapping[str, Any], where: str) -> str:
    given = schema.get("type")
    named = [str(name) for name in (given if isinstance(given, list) else [given])]
    if all(name in _TYPES for name in named) and not any(_TYPES[name](value) for name in named):
        return f"{where}: expected {' or '.join(named)}"
    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(allowed, list) and value not in allowed:
        return f"{where}: expected one of {', '.join(map(str, allowed))}"
    return ""


def _range(value: Any, schema: Mapping[str, Any], where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(low, int | float) and value < low:
        return f"{where}: expected at least {low}"
    if isinstance(high, int | float) and value > high:
        return f"{where}: expected at most {high}"
    return ""


def _inside(value: Any, schema: Mapping[str, Any], where: str) -> str:
    """The first misfit of what an object or a list holds."""
    if isinstance(value, list):
        found = (misfit(one, schema.get("items"), f"{where}[{number}]") for number, one in enumerate(value))
        return next((wrong for wrong in found if wrong), "")
    if not isinstance(value, dict):
        return ""
    given = schema.get("properties")
    known: Mapping[str, Any] = given if isinstance(given, dict) else {}
    missing = [str(key) for key in schema.get("required") or () if key not in value]
    if missing:
        return f"{where}: {', '.join(missing)} is missing"
    strange = [key for key in value if key not in known] if schema.get("additionalProperties") is False else []
    if strange:
        return f"{where}: there is no {', '.join(strange)} (there is {', '.join(known) or 'nothing'})"
    found = (misfit(inner, known.get(key), f"{where}.{key}") for key, inner in value.items())
    return next((wrong for wrong in found if wrong), "")
