"""Spans as they are published, and where they are found."""

from __future__ import annotations

from typing import Any

import pytest

from app.intake.anchor import anchor_spans, target_text
from tests.builders import record

TEXT = "Ann 👍 saw Ann, naïve Ann."


def anchored(
    span: dict[str, Any], unit: str | None = None, text: str = TEXT, kind: str = "text_span"
) -> tuple[Any, ...]:
    explanation = {"kind": kind, "items": [dict(span)]} | ({"offset_unit": unit} if unit else {})
    made = record(output={"text": text}, explanations=[explanation])
    anchor_spans(made)
    (explained,) = made["explanations"]
    (item,) = explained["items"]
    assert explained["offset_unit"] == "codepoint"
    return item["start"], item["end"], item["anchor"]


@pytest.mark.parametrize("kind", ["text_span", "evidence"])
@pytest.mark.parametrize(
    ("span", "unit", "found"),
    [
        ({"start": 6, "end": 9, "text": "saw"}, None, (6, 9, "exact")),
        # The end may be meant inclusive: the words decide.
        ({"start": 6, "end": 8, "text": "saw"}, None, (6, 9, "exact")),
        ({"start": 7, "end": 10, "text": "saw"}, None, (6, 9, "shifted")),
        ({"start": 5, "end": 8, "text": "saw"}, None, (6, 9, "shifted")),
        ({"start": 9, "end": 12, "text": "saw"}, None, (6, 9, "searched")),
        ({"text": "saw"}, None, (6, 9, "searched")),
        ({"start": -1, "end": 2, "text": "Ann"}, None, (0, 3, "searched")),
        ({"start": -9, "end": -2, "text": "saw"}, None, (6, 9, "searched")),
        ({"start": 999, "end": 1002, "text": "Ann"}, None, (21, 24, "searched")),
        ({"start": 12, "end": 15, "text": "Ann"}, None, (10, 13, "searched")),
        ({"start": 6, "end": 9}, None, (6, 9, "exact")),
        ({"start": 9, "end": 6}, None, (None, None, "failed")),
        ({"start": 6, "end": 6}, None, (None, None, "failed")),
        ({"start": 6, "end": 999}, None, (None, None, "failed")),
        ({"start": 6, "end": 26}, None, (None, None, "failed")),
        ({"start": 6, "end": 25}, None, (6, 25, "exact")),
        ({"start": 6}, None, (None, None, "failed")),
        ({}, None, (None, None, "failed")),
        ({"start": 6, "end": 9, "text": "sees"}, None, (None, None, "failed")),
        ({"start": 7, "end": 10, "text": "saw"}, "utf16", (6, 9, "exact")),
        ({"start": 9, "end": 12, "text": "saw"}, "byte", (6, 9, "exact")),
        ({"start": 18, "end": 24}, "utf-8", (15, 20, "exact")),
        ({"start": 22, "end": 25}, "utf-16", (21, 24, "exact")),
        ({"start": 10, "end": 13, "text": "Ann"}, None, (10, 13, "exact")),
    ],
)
def test_where_a_span_is_found(kind: str, span: dict[str, Any], unit: str | None, found: tuple[Any, ...]) -> None:
    start, end, anchor = anchored(span, unit, kind=kind)
    assert (start, end, anchor) == found
    if "text" in span and start is not None:
        assert TEXT[start:end] == span["text"]


def test_the_nearest_of_several_is_taken() -> None:
    text = "ab" + "." * 20 + "ab" + "." * 20 + "ab"
    assert anchored({"start": 10, "end": 12, "text": "ab"}, text=text)[0] == 0
    assert anchored({"start": 13, "end": 15, "text": "ab"}, text=text)[0] == 22
    assert anchored({"start": 36, "end": 38, "text": "ab"}, text=text)[0] == 44


def test_anchoring_twice_changes_nothing_but_how_it_was_found() -> None:
    made = record(output={"text": TEXT}, explanations=[
        {"kind": "text_span", "offset_unit": "utf16", "items": [{"start": 7, "end": 10, "text": "saw"}]}])  # fmt: skip
    anchor_spans(made)
    first = [dict(item) for item in made["explanations"][0]["items"]]
    anchor_spans(made)
    assert made["explanations"][0]["items"] == first


def test_the_target_names_the_text() -> None:
    made = record(
        inputs=[{"name": "note", "value": 5}, {"name": "note", "kind": "text", "value": "words"}],
        output={"text": "out"},
    )
    for target, text in (
        (None, "out"),
        ("output.text", "out"),
        ("note", "words"),
        ("inputs.note", "words"),
        ("inputs.none", ""),
        ("output.label", ""),
    ):
        assert target_text(made, target) == text
    assert target_text(record(), None) == ""


def test_other_explanations_are_left_alone() -> None:
    made = record(
        explanations=[
            {"kind": "trace", "items": [{"step": 1}]},
            {"kind": "text", "items": ["free"]},
            {"kind": "evidence"},
        ]
    )
    before = [dict(explanation) for explanation in made["explanations"][:2]]
    anchor_spans(made)
    assert made["explanations"][:2] == before
