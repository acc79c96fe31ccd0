"""Admission: what becomes of each record, and that stopping and starting again loses and doubles nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.audit.verify import verify
from app.intake.admission import Admission
from app.intake.read import Raw
from app.model.errors import BadInput
from app.model.policy import QueuePolicy
from app.secrets import Keys
from db.engine import Store
from tests.builders import NOW, admission, admit, kept, lines, opened, protector, record


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "a.db") as store:
        yield store


def many(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [record(id=f"c{number}") for number in range(first, first + count)]


def cases(store: Store, columns: str) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(f"SELECT {columns} FROM cases ORDER BY case_id")]


def log(store: Store) -> list[dict[str, Any]]:
    with store.read() as connection:
        return [
            orjson.loads(body) for body in connection.exec_driver_sql("SELECT body FROM audit ORDER BY seq").scalars()
        ]


def test_each_record_becomes_one_of_three(store: Store) -> None:
    records = [*many(3), record(id="c1"), record(id="c2", domain="other"), b"{", record(id="bad", task={})]
    count = admit(store, records)
    assert count.as_dict() == {"admitted": 3, "duplicates": 1, "quarantined": 3}
    assert count.reasons == {"changed": 1, "json": 1, "schema": 1}
    assert list(kept(store)) == ["c0", "c1", "c2"]
    assert kept(store)["c2"] == record(id="c2")


def test_the_same_content_in_another_order_is_a_duplicate(store: Store) -> None:
    one = record()
    admit(store, [one])
    turned = orjson.dumps({key: one[key] for key in reversed(one)}).replace(b",", b" ,  ")
    assert admit(store, [turned]).duplicates == 1


def test_content_is_compared_before_it_is_protected(store: Store) -> None:
    admit(store, [record(sensitive=[{"name": "sex", "value": "f"}])])
    assert admit(store, [record(sensitive=[{"name": "sex", "value": "f"}])]).duplicates == 1
    assert admit(store, [record(sensitive=[{"name": "sex", "value": "m"}])]).reasons == {"changed": 1}


def test_running_again_changes_nothing_but_the_log(store: Store) -> None:
    records = [*many(5), b"{", record(id="c1", domain="other")]
    admit(store, records)
    before = cases(store, "*")
    assert admit(store, records).as_dict() == {"admitted": 0, "duplicates": 5, "quarantined": 2}
    assert cases(store, "*") == before
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM quarantine").scalar() == 2
    assert [entry["data"]["admitted"] for entry in log(store)] == [5, 0]


def test_queues_do_not_know_each_other(store: Store) -> None:
    admit(store, many(1))
    other = admission(store, "other")
    assert [count.admitted for count in other.run(lines(many(1)), "x")] == [1]
    assert cases(store, "queue, external_id, case_id") == [("credit", "c0", 1), ("other", "c0", 2)]


def test_a_batch_leaves_numbers_free_which_only_the_key_tells(store: Store, tmp_path: Path) -> None:
    admit(store, many(300))
    numbers = [row[0] for row in cases(store, "case_id")]
    assert 600 < numbers[-1] < 1200
    with opened(tmp_path / "again.db") as again:
        admit(again, many(300))
        assert numbers == [row[0] for row in cases(again, "case_id")]
    with opened(tmp_path / "other.db") as other:
        of_another = Admission(other, Keys.derive(b"k" * 32), "credit", QueuePolicy(rubric="r"), "ada")
        list(of_another.run(lines(many(300)), "x"))
        assert numbers != [row[0] for row in cases(other, "case_id")]


def test_an_import_that_stops_half_way_is_finished_by_the_next(store: Store) -> None:
    records = [*many(2500), b"{"]
    stopped = admission(store).run(lines(records), "x")
    assert next(stopped).as_dict() == {"admitted": 1000, "duplicates": 0, "quarantined": 0}
    del stopped
    assert len(cases(store, "case_id")) == 1000
    assert admit(store, records).as_dict() == {"admitted": 1500, "duplicates": 1000, "quarantined": 1}
    kept = cases(store, "case_id, external_id, revision")
    assert [row[1:] for row in kept] == [(f"c{n}", 1) for n in range(2500)]
    assert [row[0] for row in kept] == sorted({row[0] for row in kept})
    assert verify(store).ok


def test_a_failure_inside_a_batch_leaves_nothing_of_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the log cannot be written")

    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr("app.audit.log.append", broken)
        admit(store, [*many(3), b"{"])
    assert cases(store, "*") == []
    assert admit(store, [*many(3), b"{"]).as_dict() == {"admitted": 3, "duplicates": 0, "quarantined": 1}


def test_a_source_that_breaks_keeps_what_came_before(store: Store) -> None:
    def source() -> Iterator[Raw]:
        yield from lines(many(1003))
        raise BadInput("a.csv has a line of more than 4 MiB. What came before it was imported.")

    door = admission(store)
    with pytest.raises(BadInput, match="What came before"):
        list(door.run(source(), "x"))
    assert door.count.admitted == len(cases(store, "case_id")) == 1003


def test_what_is_logged_of_an_import(store: Store) -> None:
    admit(store, [*many(2), b"{"])
    (entry,) = log(store)
    assert (entry["actor"], entry["action"], entry["at"]) == ("tester", "imported", NOW)
    assert entry["data"] == {"queue": "credit", "admitted": 2, "duplicates": 0, "quarantined": 1, "first": 1, "last": 2}


def test_a_case_is_routed_by_its_policy(store: Store) -> None:
    flags = [{"code": "dull"}, {"code": "near", "severity": "high"}, {"code": "later", "severity": "high"}]
    admit(store, [record(id="a", flags=flags), record(id="b", output={"label": "approve"})])
    wanted = "external_id, severity, flag, priority, due_at, predicted_label, predicted_score, state"
    assert cases(store, wanted) == [
        ("a", 2, "near", 200 + 37 + 1, NOW + 480 * 60_000, "decline", 0.74, "open"),
        ("b", 0, "", 0, NOW + 7 * 1440 * 60_000, "approve", None, "open"),
    ]


def test_the_queues_task_stands_in_for_one_that_is_missing(store: Store) -> None:
    bare = {key: value for key, value in record().items() if key != "task"}
    assert admit(store, [bare]).reasons == {"schema": 1}
    task = QueuePolicy.model_validate({"rubric": "r", "task": {"type": "binary", "labels": ["a", "b"]}}).task
    assert admit(store, [bare], task=task).admitted == 1
    assert kept(store)["case-1"]["task"] == {"type": "binary", "labels": ["a", "b"]}


def test_a_number_as_id_is_text(store: Store) -> None:
    admit(store, [record(id=7)])
    assert cases(store, "external_id") == [("7",)]
    assert admit(store, [record(id="7")]).duplicates == 1


def test_subjects_are_pseudonyms_that_tell_nothing_across_cases(store: Store) -> None:
    admit(store, [record(id="a", subject="s"), record(id="b", subject="s"), record(id="c", subject="t")])
    subjects = [subject for (subject,) in cases(store, "subject")]
    assert len(set(subjects)) == 3
    assert all(subject.startswith("subj-") and len(subject) == 21 for subject in subjects)
    buckets = [bucket for (bucket,) in cases(store, "split_bucket")]
    assert buckets[0] == buckets[1] != buckets[2]


def test_another_key_gives_other_pseudonyms() -> None:
    other = Keys.derive(b"x" * 32)
    assert len({other.pseudonym, other.content, other.quarantine}) == 3
    name = protector().pseudonym("case:a", "subject", "s")
    assert protector().pseudonym("case:a", "subject", name) == name
    assert protector().pseudonym("case:a", "subject", "ｓ") == name
    assert protector().pseudonym("case:b", "subject", "s") != name


def test_numbers_written_as_text_and_the_like_are_refused_not_guessed(store: Store) -> None:
    span = {"kind": "text_span", "items": [{"start": "3", "end": 4}]}
    term = {"kind": "attribution", "items": [{"feature": "sex", "contribution": "1.5"}]}
    records = [
        record(id="a", output={"score": "0.5"}),
        record(id="b", output={"score": True}),
        record(id="c", explanations=[span]),
        record(id="d", explanations=[term]),
    ]
    assert admit(store, records).reasons == {"schema": 4}


def test_the_deepest_and_largest_that_parse_are_admitted(store: Store) -> None:
    deep = b'{"deep":' + b"[" * 249 + b"]" * 249 + b"," + orjson.dumps(record(id="deep"))[1:]
    wide = record(id="wide", extra={f"key {n}": n for n in range(50_000)})
    items = [{"feature": f"f{n}", "contribution": 1} for n in range(20_000)]
    long = record(
        id="long", explanations=[{"kind": "attribution", "items": [*items, {"feature": "sex", "contribution": 2}]}]
    )
    assert admit(store, [deep, wide, long]).as_dict() == {"admitted": 3, "duplicates": 0, "quarantined": 0}
    (explanation,) = kept(store)["long"]["explanations"]
    assert (len(explanation["items"]), explanation["withheld"], explanation["withheld_contribution"]) == (20_000, 1, 2)


def test_other_processes_prepare_a_long_import_the_same(tmp_path: Path) -> None:
    records: list[Any] = [
        record(id=f"case-{n}", subject=f"person-{n}", sensitive=[{"name": "sex", "value": "f"}]) for n in range(7_500)
    ]
    records[10] = b'{"id": "broken"'
    records[6_000] = record(id="case-5", output={"label": "approve"})
    found = {}
    for workers in (0, 2):
        with opened(tmp_path / f"{workers}.db") as store:
            door = admission(store)
            for _ in door.run(lines(records), "test", workers):
                pass
            with store.read() as connection:
                rows = connection.exec_driver_sql(
                    "SELECT record, features, priority, due_at FROM cases "
                    "JOIN case_records USING (case_id) ORDER BY case_id"
                ).all()
            found[workers] = (door.count, rows)
    assert found[0] == found[2]
    assert (found[2][0].admitted, found[2][0].quarantined) == (7_498, 2)
