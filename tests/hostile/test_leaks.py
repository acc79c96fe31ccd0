"""No withheld value reaches the disk: planted values are searched in every byte of the workspace.

The judge knows nothing of how values are found: it reads the files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.protect.names import DEFAULT_WITHHELD
from db.engine import Store
from tests.builders import admission, admit, kept, lines, opened, record

CANARY = "Xanthippe Quorrowby"
OTHER = "Zbigniew Trzaskalski"


def spellings(value: str) -> list[bytes]:
    """The value as UTF-8 and UTF-16, in any case, whole and word by word."""
    words = [value, *value.split()]
    forms = {form for word in words for form in (word, word.lower(), word.upper())}
    return [form.encode(encoding) for form in forms for encoding in ("utf-8", "utf-16-le")]


def assert_nowhere(folder: Path, *values: str) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.stat().st_size > 4096 for path in files)
    for path in files:
        content = path.read_bytes()
        for value in values:
            found = [form for form in spellings(value) if form in content]
            assert found == [], f"{found} in {path.name}"


def test_the_judge_finds_what_is_there(store: Store, tmp_path: Path) -> None:
    admit(store, [record(inputs=[{"name": "note", "kind": "text", "value": f"by {CANARY.split()[1].upper()}"}])])
    with pytest.raises(AssertionError, match="QUORROWBY"):
        assert_nowhere(tmp_path, CANARY)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "secondlook.db") as store:
        yield store


EXPLAINED = {"model": "m", "version": "1"}
SENSITIVE = [{"name": "race", "value": CANARY}]

# Each plants the value in another place of a record that declares it under `sensitive`.
ECHOES: dict[str, dict[str, Any]] = {
    "subject": {"subject": CANARY},
    "output text": {"output": {"text": f"Dear {CANARY.upper()}, we regret"}},
    "output label": {"output": {"label": CANARY}},
    "output baseline": {"output": {"label": "a", "baseline": {"name": CANARY, "value": CANARY}}},
    "scores": {"output": {"label": "a", "scores": {CANARY: 0.5}}},
    "input text": {"inputs": [{"name": "note", "kind": "text", "value": f"I am {CANARY.lower()}."}]},
    "input inside a word": {"inputs": [{"name": "note", "kind": "text", "value": f"from:{CANARY}Group"}]},
    "input over two lines": {"inputs": [{"name": "n", "kind": "text", "value": CANARY.replace(" ", "\n  ")}]},
    "input name": {"inputs": [{"name": f"income of {CANARY}", "value": 1}]},
    "chat turn": {"inputs": [
        {"name": "c", "kind": "chat", "value": [{"role": "user", "content": f"hi {CANARY.upper()}"}]}]},
    "json input": {"inputs": [{"name": "j", "kind": "json", "value": {"a": [{CANARY: {"b": CANARY}}]}}]},
    "attribution value": {"explanations": [
        {"kind": "attribution", "items": [{"feature": "f", "value": CANARY, "contribution": 1}]}]},
    "one-hot feature": {"explanations": [
        {"kind": "attribution", "items": [{"feature": f"race_{CANARY}", "value": 1, "contribution": 1}]}]},
    "interaction": {"explanations": [
        {"kind": "attribution", "items": [{"feature": ["month", f"race={CANARY}"], "contribution": 1}]}]},
    "text span": {"output": {"text": f"by {CANARY} now"}, "explanations": [
        {"kind": "text_span", "items": [{"start": 3, "end": 12, "text": "Xanthippe", "contribution": 1},
                                        {"start": 13, "end": 22, "text": "Quorrowby", "contribution": 1}]}]},
    "counterfactual": {"explanations": [{"kind": "counterfactual", "immutable": [f"race_{CANARY}"], "items": [
        {"changes": [{"feature": "race", "from": CANARY, "to": "x", "from_": CANARY, "was": CANARY}]}]}]},
    "rule": {"explanations": [{"kind": "rule", "items": [{"feature": "f", "op": f"in {CANARY}", "value": [CANARY]}]}]},
    "example": {"explanations": [
        {"kind": "example", "items": [{"ref": CANARY, "values": {"f": CANARY, "race": CANARY}}]}]},
    "evidence": {"output": {"text": "x"}, "explanations": [{"kind": "evidence", "items": [
        {"text": CANARY, "source": {"uri": f"file:///{CANARY}.pdf", "text": CANARY}}]}]},
    "trace": {"explanations": [{"kind": "trace", "items": [
        {"step": 1, "name": f"mail {CANARY}", "arguments": {"to": [CANARY], CANARY: 1}, "risk": [CANARY]}]}]},
    "text note": {"explanations": [{"kind": "text", "text": f"because of {CANARY}"}]},
    "no explanation": {"explanations": [{"kind": "none", "reason": CANARY}]},
    "image region": {"explanations": [{"kind": "image_region", "items": [{"label": CANARY}]}]},
    "target and method": {"explanations": [
        {"kind": "text", "method": CANARY, "explains": EXPLAINED | {"model": CANARY}, "target": {"label": CANARY}}]},
    "flag": {"flags": [{"code": CANARY, "severity": "high", "detail": f"about {CANARY}", "more": {"why": CANARY}}]},
    "sampling": {"sampling": {"reason": CANARY, "probability": 0.5, "note": CANARY}},
    "question": {"task": {"type": "binary", "labels": ["a", "b"], "question": f"Is {CANARY} good?", "note": CANARY}},
    "provenance": {"provenance": {"data": {"uri": f"s3://b/{CANARY}.csv", CANARY: 1}, "model": {"name": CANARY},
                                  "model_card_uri": f"https://x/{CANARY}", "hyperparameters": {"by": CANARY}}},
    "domain and request": {"domain": CANARY, "request_id": CANARY, "trace_id": CANARY, "created_at": CANARY},
    "unknown keys": {"batch": {"deep": [{"er": {CANARY: CANARY}}]}, CANARY: {"x": 1}, "extra": {"y": CANARY}},
    "reply": {"reply_to": {"url": "https://x/y", "note": CANARY}},
}  # fmt: skip


@pytest.mark.parametrize("place", ECHOES)
def test_a_declared_value_is_nowhere_on_disk(store: Store, tmp_path: Path, place: str) -> None:
    planted = record(sensitive=SENSITIVE) | json.loads(json.dumps(ECHOES[place]))
    assert admit(store, [planted]).admitted == 1
    assert "case-1" in kept(store)
    assert_nowhere(tmp_path, CANARY)


def test_a_subject_in_other_places_is_nowhere_on_disk(store: Store, tmp_path: Path) -> None:
    planted = record(
        subject=CANARY,
        output={"label": "approve", "text": f"{CANARY.upper()} may have it"},
        provenance={"data": {"uri": f"s3://b/{CANARY.lower()}"}},
    )
    assert admit(store, [planted]).admitted == 1
    assert_nowhere(tmp_path, CANARY)


@pytest.mark.parametrize("attribute", DEFAULT_WITHHELD)
@pytest.mark.parametrize("value", [CANARY, [CANARY], {"deep": [{"er": CANARY}]}], ids=["plain", "list", "object"])
def test_an_input_withheld_by_default_is_nowhere_on_disk(
    store: Store, tmp_path: Path, attribute: str, value: Any
) -> None:
    inputs = [
        {"name": name, "kind": "json", "value": value, "role": CANARY, "note": CANARY}
        for name in DEFAULT_WITHHELD[attribute]
    ]
    text = {"name": "note", "kind": "text", "value": f"so says {CANARY}"}
    assert admit(store, [record(inputs=[*inputs, text])]).admitted == 1
    stored = kept(store)["case-1"]["inputs"]
    assert [item["value"] for item in stored] == [None] * len(inputs) + [f"so says [withheld: {attribute}]"]
    assert_nowhere(tmp_path, CANARY)


# Values that the record declares nowhere: only the key or the feature's name tells what they are.
UNDECLARED: dict[str, dict[str, Any]] = {
    "unknown key": {"applicant": {"contact": {"e-mail": CANARY}}},
    "unknown key at the top": {"gender": CANARY},
    "key of a flag": {"flags": [{"code": "x", "fullName": CANARY, "who": {"name": OTHER}}]},
    "key of sampling": {"sampling": {"reason": "flag", "ethnicity": CANARY}},
    "key of the task": {"task": {"type": "binary", "labels": ["a"], "Date of Birth": CANARY}},
    "key of reply_to": {"reply_to": {"url": "https://x/y", "email": CANARY}},
    "key of an input": {"inputs": [{"name": "month", "value": 1, "meta": {"name": CANARY, "religion": OTHER}}]},
    "key in an input's value": {"inputs": [{"name": "j", "kind": "json", "value": {"name": CANARY}}]},
    "name of a chat's turn": {"inputs": [{"name": "c", "kind": "chat", "value": [{"name": CANARY, "content": "hi"}]}]},
    "key of the output": {"output": {"label": "a", "person": {"name": CANARY}, "name": OTHER}},
    "trace arguments": {"explanations": [{"kind": "trace", "items": [{"arguments": {"phoneNumber": CANARY}}]}]},
    "provenance": {"provenance": {"data": {"birth_place": "x", "placeOfBirth": CANARY}}},
    "hyperparameters": {"provenance": {"hyperparameters": {"name": CANARY}}},
    "no inputs at all": {"inputs": [], "extra": {"nationality": CANARY}},
    "attribution": {"explanations": [
        {"kind": "attribution", "items": [{"feature": "sex", "value": CANARY, "contribution": 1}]}]},
    "one-hot attribution": {"explanations": [
        {"kind": "attribution", "items": [{"feature": f"gender_{CANARY}", "contribution": 1}]}]},
    "LIME's condition": {"explanations": [
        {"kind": "attribution", "items": [{"feature": f"{CANARY} < age <= 37", "contribution": 1},
                                          {"feature": f"race={OTHER}", "contribution": 1}]}]},
    "scikit-learn's prefix": {"explanations": [
        {"kind": "attribution", "items": [{"feature": f"encoder__sex_{CANARY}", "contribution": 1}]}]},
    "counterfactual": {"explanations": [{"kind": "counterfactual", "items": [
        {"changes": [{"feature": "maritalStatus", "from": CANARY, "to": OTHER, "from_": CANARY, "note": OTHER}]}]}]},
    "rule": {"explanations": [
        {"kind": "rule", "items": [{"feature": "ZIP-Code", "op": f"= {OTHER}", "value": CANARY, "text": CANARY}]}]},
    "example": {"explanations": [{"kind": "example", "items": [{"values": {"SSN": CANARY, f"race_{OTHER}": 1}}]}]},
    "tokens of a withheld text": {
        "inputs": [{"name": "full name", "kind": "text", "value": CANARY}],
        "explanations": [{"kind": kind, "target": {"input": target}, "items": [
            {"start": 0, "end": 9, "text": "Xanthippe"}, {"start": 10, "end": 19, "text": "Quorrowby"}]}
            for kind in ("text_span", "evidence") for target in ("full name", "inputs.full name")]},
    "said to reveal": {
        "inputs": [{"name": "area", "value": CANARY}],
        "explanations": [{"kind": "attribution", "items": [
            {"feature": "area", "value": CANARY, "contribution": 1, "reveals": ["ethnicity"]}]}]},
    "input said to reveal": {"inputs": [{"name": "area", "value": CANARY, "reveals": "ethnicity"}]},
    "declared without value": {
        "sensitive": [{"name": "tribe"}], "inputs": [], "extra": {"tribe": CANARY, "tribe_name": OTHER}},
}  # fmt: skip


@pytest.mark.parametrize("place", UNDECLARED)
def test_what_only_its_name_gives_away_is_nowhere_on_disk(store: Store, tmp_path: Path, place: str) -> None:
    planted = record(**UNDECLARED[place])
    assert admit(store, [planted]).admitted == 1
    assert_nowhere(tmp_path, CANARY, OTHER)


def bad_records() -> list[dict[str, Any] | bytes]:
    private = {"sensitive": SENSITIVE, "subject": CANARY, "name": CANARY}
    good = json.dumps(record(id="twin", **private)).encode()
    return [
        json.dumps(private).encode(),
        json.dumps(record(id="score", **private) | {"output": {"score": CANARY}}).encode(),
        json.dumps(record(id="scores", **private) | {"output": {"scores": {CANARY: "many"}}}).encode(),
        json.dumps(record(id="na", **private, provenance={"not_applicable": {CANARY: 1}})).encode(),
        json.dumps(record(id="kind", **private, explanations=[{"kind": CANARY}])).encode(),
        json.dumps(record(id="severity", **private, flags=[{"code": "x", "severity": CANARY}])).encode(),
        f'{{"{CANARY}": 1, "{CANARY}": 2}}'.encode(),
        f'["{CANARY}"]'.encode(),
        f'{{"a": "{CANARY}'.encode(),
        f'{{"a": "{CANARY}", "b": NaN}}'.encode(),
        b'{"a": "' + CANARY.encode() + b'\xff"}',
        good,
        good.replace(b"48", b"49"),
    ]


def test_quarantined_records_are_sealed_and_their_reasons_repeat_nothing(store: Store, tmp_path: Path) -> None:
    records = bad_records()
    count = admit(store, records)
    assert (count.admitted, count.quarantined) == (1, len(records) - 1)
    assert set(count.reasons) == {"schema", "json", "encoding", "changed"}
    assert_nowhere(tmp_path, CANARY)


def test_a_long_number_in_a_refused_record_is_not_repeated(store: Store, tmp_path: Path) -> None:
    assert admit(store, [b'{"sensitive": [{"name": "account", "value": 4929123456781234567890}]}']).quarantined == 1
    assert_nowhere(tmp_path, "4929123456781234567890", "49291234567812345678")


def test_a_known_number_is_masked_as_number_and_in_words(store: Store, tmp_path: Path) -> None:
    planted = record(
        sensitive=[{"name": "account", "value": 4929123456}],
        inputs=[{"name": "x", "kind": "number", "value": 4929123456}],
        output={"text": "account 4929123456."},
        extra={"n": [4929123456]},
    )
    assert admit(store, [planted]).admitted == 1
    assert_nowhere(tmp_path, "4929123456")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Weißmüller", "Weißmüller"),
        ("Weißmüller", "WEISSMÜLLER"),
        ("José Núñez", "Jose\u0301 Nu\u0301n\u0303ez"),
        ("José Núñez", "Jose Nunez"),
        ("İbrahim Çelik", "İbrahim Çelik"),
        ("İbrahim Çelik", "ibrahim çelik"),
        ("Anna Maria", "Anna\u00a0Maria"),
        ("Anna Maria", "Anna\u200b Maria"),
        ("Anna Maria", "Ａｎｎａ　Ｍａｒｉａ"),
        ("Anna Maria", "Anna\r\n\tMaria"),
        ("O\u2019Brien \\ Co", "O\u2019BRIEN \\ CO"),
        ('Jo "Jay" Fox', 'jo "jay" fox'),
        ("ﬁnley", "Finley"),
    ],
)
def test_other_ways_of_writing_a_value_are_found(store: Store, value: str, written: str) -> None:
    planted = record(sensitive=[{"name": "alias", "value": value}], output={"text": f"for {written}."})
    assert admit(store, [planted]).admitted == 1
    assert kept(store)["case-1"]["output"]["text"] == "for [withheld: alias]."


def test_the_answer_for_a_quarantined_record_is_protected(store: Store) -> None:
    from db import quarantine

    twin = record(sensitive=SENSITIVE, output={"text": f"to {CANARY}"})
    admit(store, [twin, twin | {"output": {"text": f"from {CANARY}"}}])
    with store.read() as connection:
        (held,) = quarantine.held(connection)
        found = quarantine.one(connection, held.quarantine_id)
    assert found is not None
    view = admission(store).protected_view(*found)
    assert view is not None
    assert view["output"]["text"] == "from [withheld: race]"
    assert CANARY not in json.dumps(view)


def test_an_import_that_is_stopped_leaves_nothing_either(store: Store, tmp_path: Path) -> None:
    planted = (record(id=f"c{n}", sensitive=SENSITIVE, output={"text": CANARY}) for n in range(1500))
    run = admission(store).run(lines(planted), "test")
    assert next(run).admitted == 1000
    assert_nowhere(tmp_path, CANARY)
