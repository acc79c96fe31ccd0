"""A reported text in any record: what is masked, and what stays so that the record stays one."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model.prediction import Prediction
from app.protect.reported import MASKED, Reported
from tests.builders import record
from tests.contract.worlds import RUBRICS

LEAK = "Brombeerkuchen"
_words = st.sampled_from([LEAK, LEAK.upper(), "loan", "decline", f"{LEAK} decline", "12345.5", "[withheld: sex]"])
_texts = st.lists(_words, min_size=1, max_size=4).map(" ".join)
_data: st.SearchStrategy[Any] = st.recursive(
    _texts | st.sampled_from([12345.5, 0.25, 7, True, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    labels = draw(st.lists(_texts, min_size=2, max_size=3, unique=True))
    return record(
        id=draw(_texts),
        domain=draw(_texts),
        task={"type": "multiclass", "labels": labels, "positive": labels[0], "question": draw(_texts)},
        inputs=[
            {"name": draw(_texts), "kind": "text", "value": draw(_texts)},
            {"name": "call", "kind": "json", "value": draw(_data)},
            {"name": "withheld", "value": None, "withheld": draw(_texts)},
        ],
        output={"label": draw(_texts), "score": 0.25, "scores": {draw(_texts): 0.25}, "text": draw(_texts)},
        flags=[{"code": draw(_texts), "severity": "high", "detail": draw(_texts)}],
        explanations=[{"kind": "text", "text": draw(_texts), "class": labels[1]}],
        more=draw(_data),
    )


def fixed(found: dict[str, Any]) -> list[Any]:
    """What a case is told, routed and decided by."""
    output = found["output"]
    return [
        *(found["id"], found["domain"], found["task"], output["label"], output["score"], output["scores"]),
        *(flag["code"] for flag in found["flags"]),
        *((item["name"], item.get("kind"), item.get("withheld")) for item in found["inputs"]),
        found["explanations"][0]["class"],
    ]


@settings(max_examples=40, deadline=None)
@given(records(), st.sampled_from([LEAK, "12345.5", f"{LEAK} decline", "withheld", "decline loan"]))
def test_a_masked_record_stays_a_record_and_is_decided_as_before(before: dict[str, Any], text: str) -> None:
    leak = Reported(text)
    after, _ = leak.mask(before)
    Prediction.model_validate(after)
    assert fixed(after) == fixed(before)
    assert orjson.dumps(after).count(b"[withheld: sex]") == orjson.dumps(before).count(b"[withheld: sex]")
    assert leak.mask(after)[0] == after


@settings(max_examples=25, deadline=None)
@given(records(), records())
def test_what_is_seen_first_is_masked_whatever_the_model_said(one: dict[str, Any], other: dict[str, Any]) -> None:
    hidden = ("output", "flags", "explanations")
    other = {**one, **{name: other[name] for name in hidden}}
    (mine, _), (theirs, _) = (Reported(LEAK).mask(found) for found in (one, other))
    assert {k: v for k, v in mine.items() if k not in hidden} == {k: v for k, v in theirs.items() if k not in hidden}


def test_prose_is_masked_in_all_parts() -> None:
    before = record(
        inputs=[{"name": "note", "kind": "text", "value": f"{LEAK} and B R O M B E E R K U C H E N"}],
        output={"label": "decline", "score": 0.5, "text": f"said {LEAK}"},
        flags=[{"code": "odd", "detail": LEAK}],
        explanations=[{"kind": "text", "text": f"for {LEAK}"}],
    )
    after, _ = Reported(LEAK.lower()).mask(before)
    assert LEAK.lower() not in orjson.dumps(after).decode().lower()
    assert orjson.dumps(after).decode().count(MASKED) >= 4
    assert not Reported(LEAK).occurs(after)


@pytest.mark.parametrize("word", ["", "in", "category", "tool_calls", "Assistant", "multiclass", "fidelity-score"])
def test_words_of_the_format_cannot_be_reported(word: str) -> None:
    assert not Reported(word)


@pytest.mark.parametrize("word", ["decline", "DECLINE", " approve ", "amount", "supported", "proxy", "odd_case"])
def test_words_that_decide_are_named(word: str) -> None:
    seen = record(
        task={"type": "binary", "labels": ["approve", "decline"]},
        inputs=[{"name": "amount", "kind": "number", "value": 3}, {"name": "Kunigunde", "kind": "text", "value": "x"}],
        flags=[{"code": "odd-case"}],
    )
    assert Reported(word).names(seen, RUBRICS["credit"])
    assert not Reported("Kunigunde").names(seen, RUBRICS["credit"])


@pytest.mark.parametrize("text", ["withheld", "reported leak", "sex-given"])
def test_what_stands_for_a_withheld_value_is_not_searched(text: str) -> None:
    seen = record(inputs=[{"name": "note", "kind": "text", "value": "[withheld: sex-given] [withheld: reported leak]"}])
    assert not Reported(text).occurs(seen)
    assert Reported(text).mask(seen)[0] == seen
