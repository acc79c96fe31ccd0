"""Whatever valid prediction comes in: it is admitted, stays valid, and protecting it again changes nothing."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.intake.anchor import anchor_spans, target_text
from app.intake.parse import parse_json, validate
from app.intake.word_search import fold
from app.model.prediction import Prediction
from app.protect.protector import Protector
from tests.builders import POLICY, admit, kept, opened, protector, samples
from tests.predictions import PREDICTIONS

POLICIES = st.sampled_from(
    [
        {},
        {"withhold": ["month", "Race", "value of home", "text language", "start date", "score band", "kind"]},
        {"show": ["age", "name", "sex"]},
        {"withhold": ["sex"], "show": ["sex"], "reveals": {"race": ["month", "note"], "value": ["label"]}},
    ]
)


def protect(record: dict[str, Any], policy: dict[str, Any]) -> tuple[Protector, dict[str, Any]]:
    validate(record, POLICY)
    guard = protector(**policy)
    anchor_spans(record)
    return guard, guard.protect(record)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PREDICTIONS, POLICIES)
def test_protection_keeps_a_prediction_valid_and_is_done_once(record: dict[str, Any], policy: dict[str, Any]) -> None:
    guard, once = protect(record, policy)
    loaded = orjson.loads(orjson.dumps(once))
    prediction = Prediction.model_validate(loaded)
    assert prediction.id == record["id"]
    assert prediction.task.labels == record["task"].get("labels", [])
    assert all(s.value is None for s in prediction.sensitive or ())
    assert guard.protect(copy.deepcopy(loaded)) == loaded


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PREDICTIONS)
def test_protection_leaves_what_came_in_as_it_was(record: dict[str, Any]) -> None:
    validate(record, POLICY)
    anchor_spans(record)
    before = copy.deepcopy(record)
    protector().protect(record)
    assert record == before


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PREDICTIONS, POLICIES)
def test_spans_lie_in_their_text_before_and_after(record: dict[str, Any], policy: dict[str, Any]) -> None:
    validate(record, POLICY)
    anchor_spans(record)
    check_spans(record)
    check_spans(protector(**policy).protect(record))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["Quentin Tarr", "quentin\ntarr", "said", "é", "\U0001f600", "ß", " ", "12345"]), max_size=8
    ),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=6),
    st.sampled_from(["codepoint", "utf16", "byte"]),
    st.sampled_from([None, "output.text", "note", "inputs.note"]),
    st.integers(-1, 1),
)
def test_spans_follow_their_words_through_masking(
    parts: list[str], cuts: list[tuple[int, int]], unit: str, target: str | None, shift: int
) -> None:
    text = "".join(parts)
    spans = [(start, text[start : start + length]) for start, length in cuts if text[start : start + length]]

    def counted(offset: int) -> int:
        per = {"codepoint": ("utf-32-le", 4), "utf16": ("utf-16-le", 2), "byte": ("utf-8", 1)}[unit]
        return len(text[:offset].encode(per[0])) // per[1] + (shift if unit == "codepoint" else 0)

    items = [{"start": counted(s), "end": counted(s + len(words)), "text": words} for s, words in spans]
    record: dict[str, Any] = {
        "id": "a",
        "task": {"type": "binary"},
        "inputs": [{"name": "note", "kind": "text", "value": text}],
        "output": {"text": text},
        "sensitive": [{"name": "alias", "value": "Quentin Tarr"}, {"name": "number", "value": 12345}],
        "explanations": [{"kind": "text_span", "offset_unit": unit, "target": {"input": target}, "items": items}],
    }
    validate(record, POLICY)
    anchor_spans(record)
    check_spans(record)
    assert all(item["anchor"] != "failed" for item in record["explanations"][0]["items"])
    once = protector().protect(record)
    check_spans(once)
    for (_, words), item in zip(spans, once["explanations"][0]["items"], strict=True):
        # A span that touches nothing that was masked says what it said.
        assert item["text"] == words or "[withheld: " in item["text"]
        assert not {"quentin", "tarr"} & {word.casefold() for word in item["text"].split()}


def check_spans(record: dict[str, Any]) -> None:
    for explanation in record.get("explanations") or ():
        if explanation["kind"] not in ("text_span", "evidence"):
            continue
        text = target_text(record, (explanation.get("target") or {}).get("input"))
        for item in explanation.get("items", []):
            if item["anchor"] == "failed" or item.get("special_token"):
                assert (item["start"], item["end"]) == (None, None)
                continue
            assert 0 <= item["start"] <= item["end"] <= len(text)
            here = text[item["start"] : item["end"]]
            if item.get("text") is not None and here != item["text"]:
                # Words without offsets may be spelt another way there, and blanks around them are left out.
                assert item["anchor"] == "searched"
                assert fold(here, 3) == fold(item["text"].strip(), 3)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PREDICTIONS, min_size=1, max_size=5, unique_by=lambda record: str(record["id"])), POLICIES)
def test_an_import_admits_every_valid_prediction(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]], policy: dict[str, Any]
) -> None:
    folder: Path = tmp_path_factory.mktemp("any")
    with opened(folder / "a.db") as store:
        count = admit(store, records, **policy)
        assert count.as_dict() == {"admitted": len(records), "duplicates": 0, "quarantined": 0}, count.reasons
        assert {record["id"] for record in records} == set(kept(store))
        for found in kept(store).values():
            Prediction.model_validate(found)
        assert admit(store, records, **policy).duplicates == len(records)


@pytest.mark.parametrize("name", ["credit", "summaries", "moderation"])
def test_samples_stay_valid_and_keep_what_is_not_withheld(name: str) -> None:
    for sample in samples(name):
        record = parse_json(orjson.dumps(sample))
        guard, once = protect(record, {})
        assert guard.protect(copy.deepcopy(once)) == once
        before, after = Prediction.model_validate(sample), Prediction.model_validate(once)
        assert (after.task, after.flags, after.provenance) == (before.task, before.flags, before.provenance)
        assert after.output.model_copy(update={"text": None}) == before.output.model_copy(update={"text": None})
        assert after.output.text == before.output.text or "[withheld: " in (after.output.text or "")
        check_spans(once)
        raw = [str(s["value"]) for s in sample.get("sensitive") or () if len(str(s["value"])) > 5]
        assert [value for value in raw if value in orjson.dumps(once).decode()] == []
        if sample.get("subject"):
            assert sample["subject"].encode() not in orjson.dumps(once)
