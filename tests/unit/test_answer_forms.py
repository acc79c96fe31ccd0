"""One answer of each kind: what is taken, how it is stored, and what the refusal says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.answers import check, normal
from app.model.errors import RubricError
from app.model.prediction import Output, Task
from app.model.rubric import Criterion, Rubric

OPTIONS = [{"id": "a"}, {"id": "b"}, {"id": "c"}]
LABELS = ["approve", "decline"]


def criterion(kind: str, **more: Any) -> Criterion:
    options = OPTIONS if kind in ("choice", "multi") else []
    return Criterion.model_validate({"id": "x", "kind": kind, "title": "X", "options": options, **more})


@pytest.mark.parametrize(
    ("asks", "given", "stored"),
    [
        (criterion("choice"), "b", "b"),
        (criterion("label"), "approve", "approve"),
        (criterion("label"), "cannot tell", "cannot tell"),
        (criterion("yes_no"), True, "yes"),
        (criterion("yes_no"), False, "no"),
        (criterion("yes_no"), "no", "no"),
        (criterion("multi"), ["c", "a", "c"], ["a", "c"]),
        (criterion("multi"), "b", ["b"]),
        (criterion("scale"), 3, 3),
        (criterion("scale"), "3", 3),
        (criterion("scale"), 3.0, 3),
        (criterion("scale", min=0, max=9), 0, 0),
        (criterion("number"), -1.5, -1.5),
        (criterion("number"), " 12 ", 12.0),
        (criterion("number", min=0, max=1), 1, 1),
        (criterion("text"), "  words \n", "words"),
        (criterion("text", min_length=3), "abc", "abc"),
        (criterion("text", max_length=3), " abc ", "abc"),
        (criterion("text_span"), {"start": 0, "end": 2}, [{"start": 0, "end": 2}]),
        (criterion("text_span"), [[0, 2], {"start": 3.0, "end": 4, "note": "n"}],
         [{"start": 0, "end": 2}, {"start": 3, "end": 4, "note": "n"}]),
    ],
)  # fmt: skip
def test_what_is_taken_and_how_it_is_stored(asks: Criterion, given: Any, stored: Any) -> None:
    found = normal(asks, given, LABELS)
    assert found == stored
    assert type(found) is type(stored)
    assert normal(asks, found, LABELS) == found


@pytest.mark.parametrize(
    ("asks", "given", "expected"),
    [
        (criterion("choice"), "d", "expected one of a, b, c, got 'd'"),
        (criterion("choice"), ["a"], "expected one of a, b, c"),
        (criterion("choice"), True, "expected one of a, b, c"),
        (criterion("choice"), {"a": 1}, "expected one of a, b, c"),
        (criterion("label"), "Approve", "approve, decline, cannot tell"),
        (criterion("label", unresolvable=False), "cannot tell", "expected one of approve, decline, got"),
        (criterion("yes_no"), 1, "yes, no"),
        (criterion("multi"), ["a", "z"], "expected one of a, b, c, got 'z'"),
        (criterion("multi"), [["a"]], "expected one of a, b, c"),
        (criterion("scale"), 0, "1, 2, 3, 4, 5"),
        (criterion("scale"), 6, "1, 2, 3, 4, 5"),
        (criterion("scale"), 2.5, "1, 2, 3, 4, 5"),
        (criterion("scale"), True, "1, 2, 3, 4, 5"),
        (criterion("scale"), float("inf"), "1, 2, 3, 4, 5"),
        (criterion("scale"), "٣", "1, 2, 3, 4, 5"),
        (criterion("number"), "many", "expected a number, got 'many'"),
        (criterion("number"), True, "expected a number"),
        (criterion("number"), float("nan"), "expected a number"),
        (criterion("number"), "1e999", "expected a number"),
        (criterion("number"), "9" * 5000, "expected a number"),
        (criterion("number"), [1], "expected a number"),
        (criterion("number", min=0, max=1), 1.5, "expected a number from 0 to 1, got 1.5"),
        (criterion("number", min=0), -1, "from 0 to ∞"),
        (criterion("number", max=0), 10**400, "from −∞ to 0"),
        (criterion("text"), 5, "expected text, got int"),
        (criterion("text"), ["words"], "expected text, got list"),
        (criterion("text", min_length=4), " abc ", "at least 4 characters, got 3"),
        (criterion("text", max_length=3), "abcd", "at most 3 characters, got 4"),
        (criterion("text_span"), {"start": 2, "end": 2}, "start < end"),
        (criterion("text_span"), {"start": -1, "end": 2}, "start < end"),
        (criterion("text_span"), {"start": 1}, "start < end"),
        (criterion("text_span"), {"start": True, "end": 2}, "start < end"),
        (criterion("text_span"), "0-2", "start < end"),
        (criterion("text_span"), [[0, 1, 2]], "start < end"),
    ],
)
def test_what_is_refused_says_what_was_expected(asks: Criterion, given: Any, expected: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        normal(asks, given, LABELS)
    assert expected in str(caught.value)


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.sampled_from(["a", "yes", "3"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["start", "end", "a"]), inner),
    max_leaves=6,
)
KINDS = ("choice", "multi", "scale", "yes_no", "number", "text", "text_span", "label")


@given(st.sampled_from(KINDS), ANYTHING, st.sampled_from([[], LABELS]))
def test_any_answer_is_stored_the_same_twice_or_refused_by_name(kind: str, value: Any, labels: list[str]) -> None:
    label = {"id": "label", "kind": "label", "title": "L"}
    asks = [label] if kind == "label" else [label, criterion(kind).model_dump(exclude_defaults=True)]
    form = Rubric.model_validate({"id": "r", "version": "1", "title": "R", "criteria": asks})
    key = "label" if kind == "label" else "x"
    task, output = Task(type="binary", labels=labels), Output(label="approve")
    try:
        kept, outcome = check(form, {"label": "approve" if labels else "cannot tell", key: value}, task, output)
    except RubricError as error:
        assert all(problem.startswith(f"{key}: ") for problem in error.problems)
    else:
        assert check(form, kept, task, output) == (kept, outcome)
