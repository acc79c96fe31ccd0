"""Turns of a chat: who speaks, what is said, which tools are called, in the shapes that chat interfaces write."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.chat import ToolCall, Turn, read_turn
from app.model.prediction import Prediction
from screens.inputs import input_lines
from tests.builders import record

ARGUMENTS = {"amount": 120}
CALL = ToolCall("transfer", ARGUMENTS)


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        ({"role": "user", "content": "hi"}, Turn("user", "hi", ())),
        ("plain words", Turn("", "plain words", ())),
        (
            {"role": "assistant", "content": None,
             "tool_calls": [{"id": "c", "type": "function", "function": {"name": "transfer", "arguments": "{}"}}]},
            Turn("assistant", "", (ToolCall("transfer", "{}"),)),
        ),
        (
            {"role": "assistant", "content": "now", "tool_calls": [{"name": "transfer", "args": ARGUMENTS, "id": "c"}]},
            Turn("assistant", "now", (CALL,)),
        ),
        (
            {"role": "assistant", "content": [{"type": "text", "text": "now"},
                                              {"type": "tool_use", "name": "transfer", "input": ARGUMENTS}]},
            Turn("assistant", "now", (CALL,)),
        ),
        (
            {"role": "model", "parts": [{"text": "now"}, {"functionCall": {"name": "transfer", "args": ARGUMENTS}}]},
            Turn("model", "now", (CALL,)),
        ),
        (
            {"role": "assistant", "function_call": {"name": "transfer", "arguments": "{}"}},
            Turn("assistant", "", (ToolCall("transfer", "{}"),)),
        ),
        ({"type": "function_call", "name": "transfer", "arguments": "{}"},
         Turn("function_call", "", (ToolCall("transfer", "{}"),))),
        ({"type": "function_call_output", "output": "done"}, Turn("function_call_output", "done", ())),
        ({"kind": "odd"}, Turn("?", '{\n  "kind": "odd"\n}', ())),
        ({"role": "tool", "name": "transfer", "content": "done"}, Turn("tool transfer", "done", ())),
        (
            {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "done"}]}]},
            Turn("user", "done", ()),
        ),
        ({"role": "assistant", "tool_calls": ["odd"]}, Turn("assistant", "", (ToolCall("?", "odd"),))),
    ],
)  # fmt: skip
def test_turns_as_they_are_written(turn: Any, expected: Turn) -> None:
    assert read_turn(turn) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "tool_calls", "function", "name", "args", "type", "text", "parts", "input"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.integers(20, 120))
def test_any_turn_is_drawn_within_its_width(turn: Any, width: int) -> None:
    made = record(inputs=[{"name": "chat", "kind": "chat", "value": [turn, {"role": "user", "content": "after"}]}])
    lines = input_lines(Prediction.model_validate(made), width)
    assert any("after" in one.plain for one in lines)
    assert all(one.cell_length <= width for one in lines)


def test_a_call_is_drawn_with_its_tool_and_its_arguments() -> None:
    turn = {"role": "assistant", "content": "I pay.", "tool_calls": [{"name": "transfer", "args": {"to": "X"}}]}
    made = record(inputs=[{"name": "chat", "kind": "chat", "value": [turn]}])
    drawn = "\n".join(one.plain.rstrip() for one in input_lines(Prediction.model_validate(made), 60))
    assert drawn.splitlines()[1:4] == ["assistant  I pay.", "           calls transfer", "             {"]
    assert '"to": "X"' in drawn
