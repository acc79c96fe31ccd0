"""Turns of a chat, in the shapes that chat interfaces write: who speaks, what is said, which tools are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

# Where a turn keeps its words.
_CONTENTS = ("content", "text", "parts", "output")
# Where a turn keeps the calls of tools beside its words.
_CALL_LISTS = ("tool_calls", "invalid_tool_calls")
_SINGLE_CALLS = ("function_call", "functionCall", "toolUse")
_CALL_TYPES = frozenset(("tool_use", "tool_call", "function_call", "server_tool_use", "mcp_tool_use", "mcp_call"))
_RESULT_TYPES = frozenset(("tool_result", "function_call_output", "mcp_tool_result"))
_ARGUMENTS = ("arguments", "args", "input", "parameters")


class ToolCall(NamedTuple):
    """A tool that is called: its name, and its arguments as they came (an object, or text)."""

    name: str
    arguments: Any


class Turn(NamedTuple):
    """One turn. `speaker`: the role, and of a tool's answer its name. `said`: the words, or what is no text as JSON."""

    speaker: str
    said: str
    calls: tuple[ToolCall, ...]


def read_turn(turn: Any) -> Turn:
    """A turn as a person reads it; what has no known shape is kept as JSON."""
    if not isinstance(turn, dict):
        return Turn("", _words(turn), ())
    speaker = str(turn.get("role") or turn.get("author") or turn.get("type") or "?")
    if speaker in ("tool", "function") and turn.get("name"):
        speaker = f"{speaker} {turn['name']}"
    content = next((turn[key] for key in _CONTENTS if turn.get(key)), "")
    said, calls = _parts(content)
    calls += [call for call in (_call(turn),) if call and str(turn.get("type")) in _CALL_TYPES]
    calls += _calls_beside(turn)
    if not (said or calls or any(key in turn for key in _CONTENTS)):
        said = _words(turn)
    return Turn(speaker, said, tuple(calls))


def _parts(content: Any) -> tuple[str, list[ToolCall]]:
    """The words of a content, which may be a list of blocks, and the calls among them."""
    if not isinstance(content, list):
        return _words(content), []
    words: list[str] = []
    calls: list[ToolCall] = []
    for block in content:
        call = _call(block) if isinstance(block, dict) and _is_call(block) else None
        if call is not None:
            calls.append(call)
        elif isinstance(block, dict) and isinstance(block.get("text"), str):
            words.append(block["text"])
        elif isinstance(block, dict) and str(block.get("type")) in _RESULT_TYPES:
            words.append(_parts(block.get("content", block.get("output", "")))[0])
        else:
            words.append(_words(block))
    return "\n".join(filter(None, words)), calls


def _is_call(block: Mapping[str, Any]) -> bool:
    return str(block.get("type")) in _CALL_TYPES or any(key in block for key in _SINGLE_CALLS)


def _calls_beside(turn: Mapping[str, Any]) -> Iterator[ToolCall]:
    """The calls that a turn lists beside its content."""
    for key in _CALL_LISTS:
        found = turn.get(key)
        for one in found if isinstance(found, list) else ():
            yield _call(one) or ToolCall("?", one)
    for key in _SINGLE_CALLS:
        if isinstance(turn.get(key), dict):
            yield _call(turn[key]) or ToolCall("?", turn[key])


def _call(value: Any) -> ToolCall | None:
    """A call in one of the usual shapes; None where there is no name."""
    if not isinstance(value, dict):
        return None
    inner = next((value[key] for key in ("function", *_SINGLE_CALLS) if isinstance(value.get(key), dict)), value)
    name = inner.get("name")
    if not isinstance(name, str):
        return None
    return ToolCall(name, next((inner[key] for key in _ARGUMENTS if key in inner), {}))


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
    return "" if value is None else str(value)
