"""Values of any words, written in any of the ways that are found, at any place of a record: an independent judge reads
nothing of them in what is kept."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import protector, record
from tests.hostile.disguises import WAYS
from tests.hostile.judge import read_anywhere
from tests.hostile.test_known_values_table import cells

FOUND = [row for row, column, content in cells() if column == "other words" and content == "found"]
_SYLLABLES = "ko zi lo fab di dim apem vash tur quor row thad wex elm shu kri bran mol dov pra njo zek ulf"
WORD = st.lists(st.sampled_from(_SYLLABLES.split()), min_size=3, max_size=5).map("".join).filter(lambda w: len(w) > 6)
SAID = "we saw {} there"


def _explanations(written: str) -> list[dict[str, Any]]:
    """One of each kind."""
    items: dict[str, list[dict[str, Any]]] = {
        "attribution": [{"feature": "f", "value": written, "contribution": 1}],
        "text_span": [{"start": 0, "end": 2, "text": written, "contribution": 1}],
        "image_region": [{"label": written}],
        "counterfactual": [{"changes": [{"feature": "f", "from": written, "to": SAID.format(written)}]}],
        "example": [{"ref": written, "label": written, "values": {"f": written}}],
        "rule": [{"feature": "f", "op": "is", "value": written}],
        "evidence": [{"text": written, "source": {"uri": written, "text": written}}],
        "trace": [{"step": 1, "name": "call", "arguments": {"to": [written], written: 1}}],
        "text": [],
        "none": [],
    }
    more = {"text": {"text": SAID.format(written)}, "none": {"reason": written}}
    return [{"kind": kind, "method": written, "items": i, **more.get(kind, {})} for kind, i in items.items()]


def planted(written: str) -> dict[str, Any]:
    """A record with something at every place that is not exempt."""
    return {
        "request_id": written, "trace_id": written, "domain": written, "language": written, "created_at": written,
        "inputs": [
            {"name": f"of {written}", "kind": "category", "value": written, "role": written},
            {"name": "note", "kind": "text", "value": SAID.format(written)},
            {"name": "c", "kind": "chat", "value": [{"role": "user", "content": written, "tags": [written]}]},
            {"name": "j", "kind": "json", "value": {written: [{"deep": written}]}},
        ],
        "output": {"label": written, "text": SAID.format(written), "scores": {written: 0.5}, "baseline": written},
        "task": {"type": "binary", "labels": ["approve", "decline"], "question": SAID.format(written)},
        "flags": [{"code": written, "severity": "high", "detail": written, written: written}],
        "sampling": {"reason": written, "probability": 0.5},
        "explanations": _explanations(written),
        "provenance": {"model": {"name": written}, "data": {"uri": f"s3://b/{written}.csv"},
                       "runtime": {written: written},
                       "hyperparameters": {written: written}},
        "reply_to": {"url": "https://example.org/", "note": written},
        "tags": [written], written: {written: [written]},
    }  # fmt: skip


@pytest.mark.parametrize("way", FOUND)
@settings(max_examples=3, deadline=None)
@given(first=WORD, second=WORD, detect=st.sampled_from(["off", "identifiers"]))
def test_nothing_of_a_value_can_be_read(way: str, first: str, second: str, detect: str) -> None:
    value = f"{first.title()} {second.title()}"
    sent = record(**planted(WAYS[way](value)), sensitive=[{"name": "tribe", "value": value}])
    kept = orjson.dumps(protector(detect=detect).protect(sent)).decode()
    assert read_anywhere(kept, [first, second]) == [], kept


@pytest.mark.parametrize("way", FOUND)
def test_the_judge_reads_every_way(way: str) -> None:
    value = "Kozilofab Didimapem"
    written = orjson.dumps({"there": SAID.format(WAYS[way](value))}).decode()
    assert read_anywhere(written, value.casefold().split())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Business & Management", "A small business with good management asks for a loan."),
        ("United States", "The states of the pump are united in one table."),
        ("prefer not to say", "They prefer to say nothing, and not to wait."),
        ("Black or African", "a black car"),
        ("Self-employed, part time", "employed for some time, part of it by himself"),
        ("Married, living apart", "The living room is a part of it."),
        ("secondary school", "a secondary effect of the school year"),
    ],
)
def test_words_that_say_little_stay(value: str, text: str) -> None:
    sent = record(sensitive=[{"name": "background", "value": value}], output={"label": "decline", "text": text})
    assert protector(detect="off").protect(sent)["output"]["text"] == text


@pytest.mark.parametrize(
    ("value", "text", "kept"),
    [
        ("Roman Catholic", "goes to Catholic mass", "goes to [withheld: background] mass"),
        ("customer 88213", "no. 88213, not 88214", "no. [withheld: background], not 88214"),
        ("Kozi&Didi", "the Didi house", "the [withheld: background] house"),
    ],
)
def test_words_that_say_enough_go(value: str, text: str, kept: str) -> None:
    sent = record(sensitive=[{"name": "background", "value": value}], output={"label": "decline", "text": text})
    assert protector(detect="off").protect(sent)["output"]["text"] == kept


@pytest.mark.parametrize(
    ("subject", "text", "kept"),
    [
        ("german-person-1", "uci/german-credit, German", "uci/german-credit, German"),
        ("german-person-1", "of german-person-1", "of [withheld: subject]"),
        ("xsum-person-10138849", "xsum, bbc:10138849", "xsum, bbc:[withheld: subject]"),
        ("customer-anna-lee-1977", "Anna of customers", "[withheld: subject] of customers"),
    ],
)
def test_of_a_subject_the_words_that_say_whose_number_it_is_stay(subject: str, text: str, kept: str) -> None:
    made = record(subject=subject, output={"text": text})
    assert protector().protect(made)["output"]["text"] == kept


def test_a_long_value_is_prose_and_known_as_a_whole() -> None:
    value = "one two three four five six Kozilofab eight nine"
    sent = record(
        sensitive=[{"name": "story", "value": value}], output={"label": "decline", "text": f"Kozilofab; {value}"}
    )
    assert protector().protect(sent)["output"]["text"] == "Kozilofab; [withheld: story]"


MAILS = ["q.lastname@example.org", "q.LASTNAME@example.org", "lastname+x@example.org", "x@lastname.example.org",
         "q.lastname%40example.org", "q.lastnаme@example.org", "q.last\u200bname@example.org"]  # fmt: skip


@pytest.mark.parametrize("detect", ["off", "identifiers", "all"])
@pytest.mark.parametrize("mail", MAILS)
def test_of_an_e_mail_address_nothing_is_left(mail: str, detect: str) -> None:
    sent = record(sensitive=[{"name": "name", "value": "Jane Lastname"}], domain=mail,
                  inputs=[{"name": "n", "kind": "text", "value": f"Write to {mail}, she said."}])  # fmt: skip
    kept = protector(detect=detect).protect(sent)
    assert kept["inputs"][0]["value"] == "Write to [withheld: email], she said."
    assert kept["domain"] == "[withheld: email]"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("see https://example.org/u/lastname?x=1.", "see [withheld: url]."),
        ("(https://example.org/u/lastname)", "([withheld: url])"),
        ("in C:\\users\\lastname\\a.txt", "in [withheld: path]"),
        ("in /home/lastname/a and b/c", "in [withheld: path] and b/c"),
        ("cv_lastname.pdf is there", "[withheld: path] is there"),
        ("ask @q.lastname now", "ask [withheld: handle] now"),
        ("Smith/Lastname and Lastname.", "Smith/[withheld: name] and [withheld: name]."),
        ("user_lastname_1", "user_[withheld: name]_1"),
    ],
)
def test_of_other_identifiers_nothing_is_left_either(text: str, kept: str) -> None:
    sent = record(sensitive=[{"name": "name", "value": "Jane Lastname"}], output={"label": "decline", "text": text})
    assert protector(detect="off").protect(sent)["output"]["text"] == kept


def test_spans_follow_a_text_that_detectors_and_known_values_change() -> None:
    text = "Lastname wrote from q.lastname@example.org to Lastname."
    spans = [(0, 8), (20, 31), (32, 39), (46, 54)]
    items = [{"start": a, "end": b, "text": text[a:b], "contribution": 1} for a, b in spans]
    sent = record(
        sensitive=[{"name": "name", "value": "Jane Lastname"}],
        inputs=[{"name": "n", "kind": "text", "value": text}],
        explanations=[{"kind": "text_span", "target": {"input": "n"}, "items": items}],
    )
    kept, taken = protector().take_out(sent)
    shown = kept["inputs"][0]["value"]
    assert shown == "[withheld: name] wrote from [withheld: email] to [withheld: name]."
    name, mail = "[withheld: name]", "[withheld: email]"
    assert [item["text"] for item in kept["explanations"][0]["items"]] == [name, mail, mail, name]
    assert all(shown[i["start"] : i["end"]] == i["text"] for i in kept["explanations"][0]["items"])
    assert taken["text.inputs.n"] == text


def test_what_stands_in_place_of_an_identifier_is_not_searched() -> None:
    sent = record(
        sensitive=[{"name": "word", "value": "withheld"}, {"name": "other", "value": "email"}],
        inputs=[{"name": "n", "kind": "text", "value": "To a.b@example.org, withheld."}],
    )
    assert protector().protect(sent)["inputs"][0]["value"] == "To [withheld: email], [withheld: word]."
