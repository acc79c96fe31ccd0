"""What was not admitted: sealed, listed with its reason, and admitted after all where that is possible."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.audit.verify import verify
from app.intake.admission import Admission
from app.intake.read import Raw, open_stream
from app.model.errors import BadInput, RecordError, Unavailable
from app.model.policy import QueuePolicy
from app.protect.seal import seal, unseal
from app.secrets import Keys
from db import quarantine
from db.engine import Store
from db.quarantine import Held
from tests.builders import KEYS, POLICY, admission, admit, kept, opened, record

LABELS = {"type": "binary", "labels": ["a", "b"]}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "a.db") as store:
        yield store


def held(store: Store, everything: bool = False) -> list[tuple[Held, bytes]]:
    with store.read() as connection:
        rows = quarantine.held(connection, "credit", everything)
        found = [quarantine.one(connection, row.quarantine_id) for row in rows]
    return [one for one in found if one is not None]


def changed(store: Store) -> tuple[Held, bytes]:
    admit(store, [record(), record(domain="other")])
    ((row, sealed),) = held(store)
    assert row.code == "changed"
    return row, sealed


def revisions(store: Store) -> list[tuple[int, int]]:
    with store.read() as connection:
        return [
            tuple(row) for row in connection.exec_driver_sql("SELECT case_id, revision FROM cases ORDER BY case_id")
        ]


def test_what_is_listed(store: Store) -> None:
    data = orjson.dumps(record(id="x", inputs=[{"name": "a", "value": 1}, {"value": 2}]))
    admit(store, [record(), b"", data])
    rows = [row for row, _ in held(store)]
    assert [(row.line, row.code, row.field, row.external_id, row.size, row.form) for row in rows] == [
        (2, "json", "", None, 0, "line"),
        (3, "schema", "inputs[1].name", "x", len(data), "line"),
    ]
    assert rows[1].expected == "is required"


def test_the_original_bytes_are_sealed_and_can_be_opened_with_the_key_only(store: Store) -> None:
    data = b'{"name": "Xanthippe Quorrowby", '
    admit(store, [data])
    ((_, sealed),) = held(store)
    assert b"Xanthippe" not in sealed
    assert unseal(KEYS.quarantine, sealed, "quarantine|credit") == data
    for key, context, content in (
        (Keys.derive(b"y" * 32).quarantine, "quarantine|credit", sealed),
        (KEYS.quarantine, "quarantine|other", sealed),
        (KEYS.quarantine, "quarantine|credit", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (KEYS.quarantine, "quarantine|credit", b""),
    ):
        with pytest.raises(Unavailable, match="cannot be opened"):
            unseal(key, content, context)


def test_sealing_twice_gives_other_bytes() -> None:
    assert seal(KEYS.quarantine, b"data", "c") != seal(KEYS.quarantine, b"data", "c")


def test_other_content_is_admitted_only_as_a_revision(store: Store) -> None:
    row, sealed = changed(store)
    with pytest.raises(BadInput, match="--as-revision"):
        admission(store).retry(row, sealed, as_revision=False)
    assert revisions(store) == [(1, 1)]
    assert admission(store).retry(row, sealed, as_revision=True) == 2
    assert revisions(store) == [(1, 1), (2, 2)]
    assert kept(store)["case-1"]["domain"] == "other"
    assert held(store) == []
    ((closed, left),) = held(store, everything=True)
    assert (closed.state, left) == ("retried", b"")
    assert verify(store).ok


def test_both_revisions_are_known_afterwards(store: Store) -> None:
    row, sealed = changed(store)
    admission(store).retry(row, sealed, as_revision=True)
    again = admit(store, [record(), record(domain="other"), record(domain="third")])
    assert again.as_dict() == {"admitted": 0, "duplicates": 2, "quarantined": 1}
    with pytest.raises(BadInput, match="held already with this content"):
        admission(store).retry(row, sealed, as_revision=True)


def test_a_record_is_admitted_once_its_problem_is_solved(store: Store) -> None:
    bare: dict[str, Any] = {key: value for key, value in record().items() if key != "task"}
    admit(store, [bare])
    ((row, sealed),) = held(store)
    with pytest.raises(RecordError, match="task: is required"):
        admission(store).retry(row, sealed, as_revision=False)
    assert [held_row.state for held_row, _ in held(store)] == ["held"]
    task = QueuePolicy.model_validate({"rubric": "r", "task": LABELS}).task
    assert admission(store, task=task).retry(row, sealed, as_revision=False) == 1
    assert kept(store)["case-1"]["task"] == LABELS


def test_a_row_of_a_table_is_tried_again_as_a_row(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,label,grade\n1,a,x\n2,b,3\n", encoding="utf-8")
    task = QueuePolicy.model_validate({"rubric": "r", "task": LABELS}).task

    def door(columns: dict[str, str]) -> Admission:
        return Admission(store, KEYS, "credit", POLICY.model_copy(update={"task": task}), "tester", columns)

    first = door({"grade": "input:number"})
    list(first.run(open_stream(str(tmp_path / "a.csv")).items, "a.csv"))
    assert first.count.as_dict() == {"admitted": 1, "duplicates": 0, "quarantined": 1}
    ((row, sealed),) = held(store)
    assert (row.form, row.line, row.field, row.expected) == ("row", 2, "grade", "expected a number")
    door({"grade": "input:category"}).retry(row, sealed, as_revision=False)
    assert kept(store)["1"]["inputs"] == [{"name": "grade", "kind": "category", "value": "x"}]


def test_what_was_cut_off_cannot_be_tried_again(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"id": "' + b"x" * (5 * 1024 * 1024) + b'"}')
    door = admission(store)
    list(door.run(open_stream(str(tmp_path / "a.jsonl")).items, "a.jsonl"))
    ((row, sealed),) = held(store)
    assert row.code == "too_large"
    with pytest.raises(BadInput, match="Only the beginning of this record was kept"):
        door.retry(row, sealed, as_revision=False)


def test_the_protected_view(store: Store) -> None:
    secret = record(domain="other", inputs=[{"name": "gender", "value": "female"}], subject="Ann Lee")
    admit(store, [record(), secret, b"{", record(id="x", task={})])
    views = [admission(store).protected_view(row, sealed) for row, sealed in held(store)]
    shown = [view for view in views if view is not None]
    assert len(views) == 3
    assert len(shown) == 1
    assert shown[0]["inputs"] == [{"name": "gender", "kind": "category", "value": None, "withheld": "sex"}]
    assert "Ann Lee" not in str(shown)


def test_another_key_shows_nothing(store: Store) -> None:
    row, sealed = changed(store)
    stranger = Admission(store, Keys.derive(b"y" * 32), "credit", POLICY, "tester")
    with pytest.raises(Unavailable):
        stranger.protected_view(row, sealed)
    with pytest.raises(Unavailable):
        stranger.retry(row, sealed, as_revision=True)


def test_a_row_is_retried_as_it_was_mapped(tmp_path: Path) -> None:
    row = {"key": "c1", "who": "person-17", "PD": "0.71", "decision": "bad", "amount": "5"}
    columns = {"key": "id", "who": "subject", "PD": "score", "decision": "label"}
    task = {"type": "binary", "labels": ["good", "bad"], "positive": "bad"}
    with opened(tmp_path / "x.db") as store:
        policy = QueuePolicy(rubric="adverse-credit-decision")
        door = Admission(store, KEYS, "credit", policy, "tester", columns)
        list(door.run([Raw(2, orjson.dumps(row), row)], "table"))
        with store.read() as connection:
            (held,) = quarantine.held(connection)
            found = quarantine.one(connection, held.quarantine_id)
        assert found is not None
        later = Admission(store, KEYS, "credit", QueuePolicy(rubric=policy.rubric, task=task), "tester")
        later.retry(*found, as_revision=False)
        (record,) = kept(store).values()
        assert record["output"] == {"score": 0.71, "label": "bad"}
        assert [i["name"] for i in record["inputs"]] == ["amount"]
        assert "person-17" not in orjson.dumps(record).decode()
        # The same row once more, now changed: it is held anew though it was retried before.
        door = Admission(store, KEYS, "credit", policy, "tester", columns)
        list(door.run([Raw(2, orjson.dumps(row), row)], "table"))
        with store.read() as connection:
            assert [h.code for h in quarantine.held(connection)] == ["schema"]


def test_a_mapped_column_that_is_not_there_stops_the_import(tmp_path: Path) -> None:
    row = {"id": "c1", "label": "bad"}
    with opened(tmp_path / "x.db") as store:
        door = Admission(store, KEYS, "credit", QueuePolicy(rubric="r"), "tester", {"PDD": "score"})
        with pytest.raises(BadInput, match="no column 'PDD'"):
            list(door.run([Raw(2, orjson.dumps(row), row)], "table"))
        assert door.count.as_dict() == {"admitted": 0, "duplicates": 0, "quarantined": 0}
