"""Erasing and retention: nothing of a subject is left in any file that is ours, and the log stays whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.desk import erasing, retaining
from app.desk.protocol import Desk
from app.export.dataset import export
from app.intake.admission import Admission
from app.model.case import Draft, Filter
from app.model.errors import BadInput, Gone, NothingToDo, Refused
from app.model.policy import QueuePolicy, Retention
from db import backups, search
from tests.builders import lines, record
from tests.contract.worlds import KEYS, POLICIES, RUBRICS, SqliteWorld, World, agreeing, decide, overturning

SUBJECT = "customer Quastenflosser-7781"
# Words that stand in what is kept of the subject's cases: visible text, and what people wrote about it.
VISIBLE = "Brombeerkuchen"
WRITTEN = "Zwetschgendatschi"
DAY = 24 * 60


def a_record(case: str, subject: str = SUBJECT) -> dict[str, Any]:
    return record(
        id=case,
        subject=subject,
        sensitive=[{"name": "sex", "value": "female"}],
        inputs=[
            {"name": "month", "kind": "number", "value": 48},
            {"name": "note", "kind": "text", "value": f"{VISIBLE if subject == SUBJECT else 'Streusel'} in {case}"},
        ],
    )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SqliteWorld]:
    made = SqliteWorld(tmp_path)
    made.officer("olga")
    made.admit("credit", [a_record("a"), a_record("b"), a_record("other", "somebody else")])
    yield made
    made.close()


@pytest.fixture
def ada(world: SqliteWorld) -> Desk:
    return world.desk("ada")


def erase(world: World, even_if_held: bool = False, subject: str = SUBJECT) -> erasing.Erased:
    with world.store() as store:
        plan = erasing.plan_subject(store, KEYS, subject)
        return erasing.erase(store, KEYS, plan, "dpo", world.clock(), even_if_held)


def bytes_of(folder: Path) -> bytes:
    """All that lies in a folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def worked_on(world: SqliteWorld, ada: Desk) -> None:
    """One case decided with words, one drafted, flagged, parked."""
    claim = ada.claim_case(ada.find("a"))
    decide(ada, claim, {**overturning(claim.view), "rationale": f"{WRITTEN} is what the note says."})
    claim = ada.claim_case(ada.find("b"))
    ada.save_draft(claim.lease.case_id, Draft({"rationale": f"{WRITTEN}, half of it"}))
    ada.flag(claim.lease.case_id, f"{WRITTEN} again")
    ada.park(claim.lease, f"{WRITTEN} once more")


def test_every_trace_of_a_subject_goes_and_the_log_stays_whole(world: SqliteWorld, ada: Desk) -> None:
    worked_on(world, ada)
    here = bytes_of(world.folder)
    assert VISIBLE.encode() in here
    assert WRITTEN.encode() in here

    done = erase(world)

    assert (done.cases, done.reviews, done.unreached) == (2, 1, [])
    left = bytes_of(world.folder)
    for word in (VISIBLE, WRITTEN, VISIBLE.lower(), WRITTEN.lower()):
        assert word.encode() not in left
    assert world.verify().ok
    assert [row.id for row in ada.rows(ada.ids(Filter())).values()] == ["other"]
    for table in ("case_records", "reviews", "drafts", "marks", "verdicts"):
        ids = {row[0] for row in world.query(f"SELECT case_id FROM {table}")}
        assert ids <= {3}
    assert world.query("SELECT count(*) FROM sealed_values WHERE case_id < 3") == [(0,)]
    assert world.query("SELECT count(*) FROM sealed_keys WHERE case_id = 3") == [(1,)]


def test_what_was_erased_is_not_taken_in_again(world: SqliteWorld) -> None:
    erase(world)
    count = world.admit("credit", [a_record("a"), a_record("new", "somebody new")])
    assert count.as_dict() == {"admitted": 1, "duplicates": 1, "quarantined": 0}
    assert count.erased == 1


def test_a_subject_that_is_not_here(world: SqliteWorld) -> None:
    with pytest.raises(NothingToDo, match="no case and no quarantined record"):
        erase(world, subject="nobody")


def test_a_case_that_somebody_holds_is_not_erased_by_the_way(world: SqliteWorld, ada: Desk) -> None:
    claim = ada.claim_case(ada.find("a"))
    before = world.query("SELECT count(*) FROM cases"), world.query("SELECT count(*) FROM audit")
    with pytest.raises(Refused, match="ada holds a for 15 more minutes"):
        erase(world)
    assert before == (world.query("SELECT count(*) FROM cases"), world.query("SELECT count(*) FROM audit"))

    erase(world, even_if_held=True)
    with pytest.raises(Gone, match="was erased"):
        decide(ada, claim, agreeing(claim.view))
    ada.claim()
    assert world.verify().ok


def test_an_expired_lease_does_not_keep_a_case(world: SqliteWorld, ada: Desk) -> None:
    ada.claim_case(ada.find("a"))
    world.clock.forward(minutes=16)
    assert erase(world).cases == 2


def test_quarantined_records_of_the_subject_go_too(world: SqliteWorld) -> None:
    broken = orjson.dumps({**a_record("c"), "inputs": "none"})
    with world.store() as store:
        admission = Admission(store, KEYS, "credit", POLICIES["credit"], "importer", clock=world.clock)
        list(admission.run(lines([broken, b"{}"]), "file"))
    assert erase(world).quarantined == 1
    assert world.query("SELECT state, length(sealed) > 0 FROM quarantine ORDER BY quarantine_id") == [
        ("discarded", 0),
        ("held", 1),
    ]


def test_backups_that_we_made_are_reached(world: SqliteWorld, ada: Desk) -> None:
    worked_on(world, ada)
    copies = [world.folder / "copies" / f"{n}.db" for n in (1, 2)]
    copies[0].parent.mkdir()
    with world.store() as store:
        for copy in copies:
            backups.back_up(store, copy, world.clock())
        with pytest.raises(BadInput, match="is there already"):
            backups.back_up(store, copies[0], world.clock())
    assert WRITTEN.encode() in copies[0].read_bytes()
    copies[1].unlink()

    done = erase(world)

    assert done.backups == 1
    assert len(done.unreached) == 1
    assert str(copies[1]) in done.unreached[0]
    assert WRITTEN.encode() not in bytes_of(world.folder)
    inside = SqliteWorld(world.folder / "copies")
    inside.path = copies[0]
    assert inside.verify().ok


def test_datasets_that_hold_a_row_get_a_retraction(world: SqliteWorld, ada: Desk, tmp_path: Path) -> None:
    decide(ada, ada.claim_case(ada.find("other")))
    with world.store() as store:
        export(store, tmp_path / "before", "credit", "jsonl", "mel", world.clock())
    worked_on(world, ada)
    with world.store() as store:
        export(store, tmp_path / "with", "credit", "jsonl", "mel", world.clock())
        export(store, tmp_path / "moved", "credit", "csv", "mel", world.clock())
    (tmp_path / "moved").rename(tmp_path / "elsewhere")

    done = erase(world)

    assert [Path(e.folder).name for e in done.retracted] == ["with"]
    assert "moved" in done.unreached[0]
    (line,) = (tmp_path / "with" / "retractions.jsonl").read_bytes().splitlines()
    assert orjson.loads(line)["id"] == "a"
    assert not (tmp_path / "before" / "retractions.jsonl").exists()


def test_a_decision_that_was_taken_back_before_an_export_is_in_none(world: SqliteWorld, ada: Desk) -> None:
    decide(ada, ada.claim_case(ada.find("other")))
    decide(ada, ada.claim_case(ada.find("a")))
    ada.undo()
    with world.store() as store:
        export(store, world.folder / "out", "credit", "jsonl", "mel", world.clock())
        ada.release(ada.held_lease(ada.find("a")))
        assert erasing.plan_subject(store, KEYS, SUBJECT).datasets == []


def test_killed_before_it_is_committed_nothing_is_erased(world: SqliteWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(search, "merge", stop)
    with pytest.raises(KeyboardInterrupt):
        erase(world)
    assert world.query("SELECT count(*) FROM cases") == [(3,)]
    assert world.query("SELECT count(*) FROM erasures") == [(0,)]
    assert world.verify().ok


# -- retention ---------------------------------------------------------------------------------------


def policies(**retain: Any) -> dict[str, QueuePolicy]:
    return {"credit": POLICIES["credit"].model_copy(update={"retain": Retention(**retain)})}


def test_retention_lets_go_after_its_days(world: SqliteWorld, ada: Desk) -> None:
    decide(ada, ada.claim_case(ada.find("a")))
    world.clock.forward(minutes=10 * DAY)
    decide(ada, ada.claim_case(ada.find("b")))
    rules = policies(settled_days=9, sealed_days=20, quarantine_days=1)
    with world.store() as store:
        (due,) = retaining.due(store, rules, world.clock())
        assert (due.cases, due.sealed, due.quarantined) == (1, 0, 0)
        assert world.query("SELECT count(*) FROM cases") == [(3,)]
        assert retaining.retain(store, KEYS, rules, "cron", world.clock())[0].cases == 1
        assert retaining.due(store, rules, world.clock())[0].anything is False
    assert world.query("SELECT external_id FROM cases ORDER BY case_id") == [("b",), ("other",)]
    assert world.verify().ok


def test_sealed_values_may_go_before_their_cases(world: SqliteWorld) -> None:
    world.clock.forward(minutes=30 * DAY)
    with world.store() as store:
        assert retaining.retain(store, KEYS, policies(sealed_days=29), "cron", world.clock())[0].sealed == 3
    assert world.query("SELECT count(*) FROM sealed_keys") == [(0,)]
    assert world.query("SELECT count(*) FROM cases") == [(3,)]
    assert world.verify().ok


def test_a_policy_without_days_keeps_everything(world: SqliteWorld) -> None:
    world.clock.forward(minutes=3000 * DAY)
    with world.store() as store:
        assert retaining.due(store, policies(), world.clock()) == []
        assert retaining.retain(store, KEYS, policies(), "cron", world.clock()) == []


# -- reported leaks ----------------------------------------------------------------------------------


def test_a_reported_leak_is_masked_in_every_copy(world: SqliteWorld, ada: Desk) -> None:
    claim = ada.claim_case(ada.find("a"))
    ada.save_draft(claim.lease.case_id, Draft({"rationale": f"They write {VISIBLE} here"}))
    ada.report_leak(claim.lease.case_id, VISIBLE.upper())
    shown = ada.claim_case(ada.find("a"))
    texts = [i.value for i in shown.view.prediction.inputs if i.name == "note"]
    assert texts == ["[withheld: reported leak] in a"]
    assert VISIBLE not in str(shown.draft.answers)
    assert VISIBLE not in shown.view.row.title
    assert [ada.rows([i])[i].id for i in ada.ids(Filter(text=VISIBLE))] == ["b"]
    assert [e.action for e in ada.history(claim.lease.case_id)][:2] == ["leak masked", "leak reported"]
    with world.store() as store:
        backups.back_up(store, world.folder / "copy.db", world.clock())
    ada.report_leak(ada.find("b"), VISIBLE)
    assert VISIBLE.encode() not in bytes_of(world.folder)
    assert VISIBLE.lower().encode() not in bytes_of(world.folder)
    decide(ada, shown)
    assert world.verify().ok


@pytest.mark.parametrize(("text", "said"), [("", "too short"), ("in", "too short"), ("Stachelbeere", "does not occur")])
def test_a_leak_has_to_be_found(ada: Desk, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        ada.report_leak(ada.find("a"), text)


def test_spans_of_a_draft_move_with_their_text(world: SqliteWorld) -> None:
    desk = world.desk("ada", queues=["summaries"])
    text = "The mayor Ottokar Wüllenweber opened the bridge. It fell."
    world.admit(
        "summaries",
        [record(id="s", task={"type": "generation", "labels": ["faithful", "hallucinated"]},
                output={"text": text}, inputs=[])],
    )  # fmt: skip
    spans = next(c for c in RUBRICS["summaries"].criteria if c.kind == "text_span")
    assert spans.text == "output.text"
    start = text.index("It fell")
    case_id = desk.find("s")
    claim = desk.claim_case(case_id)
    desk.save_draft(case_id, Draft({spans.id: [{"start": start, "end": start + 7}]}))
    desk.report_leak(case_id, "Ottokar Wüllenweber")
    shown = desk.claim_case(case_id)
    (span,) = shown.draft.answers[spans.id]
    kept = shown.view.prediction.output.text or ""
    assert kept[span["start"] : span["end"]] == "It fell"
    assert claim.lease.case_id == case_id
