"""Edited arguments of tool calls: from a reviewer's JSON back to what the agent is to do.

What was withheld from the reviewer comes back from the call itself, where it stands unchanged; anything else that
still holds a mask is refused, so that no mask is ever sent as a value. An argument that was left out is refused too: a
mistyped name must not drop one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.deliver.sinks.schema import misfit
from app.model.errors import Undelivered

# What intake puts in place of a value: `app.protect` withholds and pseudonymises with these.
_MASK = re.compile(r"\[withheld: [^\]]*\]|subj-[a-z2-7]{16}")
_KEPT = "The agent was not resumed and still waits: answer the thread in LangGraph."


def edited_calls(
    correction: str, calls: Sequence[Mapping[str, Any]], schemas: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """`{name, args}` of each call as edited. `correction` is the arguments as a JSON object, or the whole call; of
    several calls a list with one for each. `schemas` are JSON Schemas of arguments by the tool's name. Raises
    Undelivered (final) saying what was expected."""
    try:
        value = orjson.loads(correction)
    except orjson.JSONDecodeError as error:
        raise _refused(f"the edited arguments are no JSON ({error})") from None
    if len(calls) == 1 and not isinstance(value, list):
        value = [value]
    if not isinstance(value, list) or len(value) != len(calls):
        raise _refused(f"expected a JSON list with the arguments of all {len(calls)} calls, in their order")
    return [_edited(one, call, (schemas or {}).get(call["name"])) for one, call in zip(value, calls, strict=True)]


def _edited(value: Any, call: Mapping[str, Any], schema: Any) -> dict[str, Any]:
    name, before = call["name"], call["args"]
    if not isinstance(value, dict):
        raise _refused(f"expected a JSON object with the arguments of {name}")
    whole = set(value) == {"name", "args"} and isinstance(value["args"], dict) and set(before) != {"name", "args"}
    if whole and value["name"] != name:
        raise _refused(f"the tool cannot be changed from {name} to {value['name']}, only its arguments")
    made = _unmasked(value["args"] if whole else value, before, name)
    optional = set(before) - set(schema.get("required") or ()) if isinstance(schema, dict) else set()
    missing = sorted(set(before) - set(made) - optional)
    if missing:
        raise _refused(f"{name}: {', '.join(missing)} is missing; write all arguments, the unchanged ones as well")
    wrong = misfit(made, schema, name)
    if wrong:
        raise _refused(wrong)
    return {"name": name, "args": made}


def _unmasked(value: Any, before: Any, where: str) -> Any:
    """The value with what was withheld put back from `before`, the same place in the call as it was."""
    if isinstance(value, dict):
        old = before if isinstance(before, dict) else {}
        masked = next((key for key in value if _MASK.search(key)), None)
        if masked is not None:
            raise _refused(f"{where}: the name '{masked}' is withheld and cannot be sent")
        return {key: _unmasked(inner, old.get(key), f"{where}.{key}") for key, inner in value.items()}
    if isinstance(value, list):
        earlier = before if isinstance(before, list) and len(before) == len(value) else [None] * len(value)
        pairs = enumerate(zip(value, earlier, strict=True))
        return [_unmasked(inner, old, f"{where}[{number}]") for number, (inner, old) in pairs]
    if not isinstance(value, str) or not _MASK.search(value):
        return value
    if before is not None and _MASK.fullmatch(value):
        return before
    pattern = ".+?".join(re.escape(piece) for piece in _MASK.split(value))
    if isinstance(before, str) and re.fullmatch(pattern, before, re.DOTALL):
        return before
    raise _refused(f"{where} holds a withheld value that is not the one at this place before")


def _refused(what: str) -> Undelivered:
    return Undelivered(f"Not sent: {what}. {_KEPT}", final=True)
