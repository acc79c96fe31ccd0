"""Reported leaks: masked where the person may change the case, a lead's where not, and an answer that tells nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.desk.protocol import Desk
from app.export.dataset import export
from app.intake.admission import Admission
from app.model.case import Draft, Filter
from app.model.errors import BadInput, NothingToDo, Refused, SecondlookError
from app.model.rights import Role
from db import backups, quarantine
from tests.builders import record
from tests.contract.test_first_judgement import everything_seen
from tests.contract.worlds import KEYS, POLICIES, WORLDS, SqliteWorld, World, agreeing, decide

LEAK = "Brombeerkuchen"
QUESTION = "Would Kunigunde get the loan, approve or decline?"
MASK = "[withheld: reported leak]"
REVIEWER: tuple[Role, ...] = ("reviewer",)
LEAD: tuple[Role, ...] = ("lead",)


def a_record(case: str = "a", label: str = "decline", hidden: str = "nothing more", **more: Any) -> dict[str, Any]:
    """A record whose visible parts do not depend on the label and on what stands in the hidden parts."""
    parts = {
        "id": case,
        "domain": "credit",
        "task": {"type": "binary", "labels": ["approve", "decline"], "positive": "decline", "question": QUESTION},
        "inputs": [
            {"name": "purpose", "kind": "category", "value": "Gartenhaus"},
            {"name": "note", "kind": "text", "value": f"{LEAK} for the decline of Gartenhaus, purpose [withheld: sex]"},
        ],
        "output": {"label": label, "score": 0.98765, "scores": {"approve": 0.01235, "decline": 0.98765}},
        "flags": [{"code": "odd_Gartenhaus", "detail": hidden}],
        "explanations": [
            {"kind": "text", "text": f"Because of {hidden}, {label}"},
            {"kind": "attribution", "items": [{"feature": "purpose", "value": "Gartenhaus", "contribution": 0.1}]},
        ],
    }
    return record(**{**parts, **more})


def fresh(world: World, *cases: dict[str, Any], queue: str = "credit") -> None:
    """Brings cases in, the sample cases stay."""
    assert world.admit(queue, cases).as_dict()["admitted"] == len(cases)


def as_revision(world: World, changed: dict[str, Any]) -> int:
    """Brings a case in again that is held already with other content."""
    world.admit("credit", [changed])
    with world.store() as store:
        with store.read() as connection:
            (row,) = quarantine.held(connection)
            found = quarantine.one(connection, row.quarantine_id)
        assert found is not None
        return Admission(store, KEYS, "credit", POLICIES["credit"], "importer", clock=world.clock).retry(*found, True)


def kept(world: World, case_id: int) -> dict[str, Any]:
    ((text,),) = world.query("SELECT record FROM case_records WHERE case_id = ?", case_id)
    found: dict[str, Any] = orjson.loads(text)
    return found


def notes(world: World) -> list[tuple[Any, ...]]:
    return world.query("SELECT case_id, person, note FROM marks WHERE kind = 'leak' ORDER BY 1, 2")


def answer(desk: Desk, case_id: int, text: str) -> str:
    """What a report is answered."""
    try:
        desk.report_leak(case_id, text)
    except SecondlookError as error:
        return f"{type(error).__name__}: {error}"
    return "reported"


# -- who may change what -----------------------------------------------------------------------------


def test_what_decides_a_case_is_never_masked(world: World) -> None:
    fresh(world, a_record())
    ada = world.desk("ada", roles=REVIEWER)
    case_id = ada.find("a")
    before = kept(world, case_id)
    ada.claim_case(case_id)
    said = {
        answer(ada, case_id, word)
        for word in ("decline", "APPROVE", "Kunigunde", "purpose", "odd_Gartenhaus", "credit", "98765", "supported")
    }
    assert said <= {"reported", answer(ada, case_id, "Stachelbeere")}
    after = kept(world, case_id)
    assert (after["task"], after["output"], after["flags"][0]["code"]) == (
        before["task"],
        before["output"],
        before["flags"][0]["code"],
    )
    assert [i["name"] for i in after["inputs"]] == ["purpose", "note"]
    assert world.query("SELECT predicted_label, flag, domain FROM cases WHERE case_id = ?", case_id) == [
        ("decline", "odd_Gartenhaus", "credit")
    ]
    assert "the decline of" in after["inputs"][1]["value"] and "[withheld: sex]" in after["inputs"][1]["value"]


def test_a_text_is_masked_and_the_label_in_which_it_stands_is_not(world: World) -> None:
    task = {"type": "binary", "labels": [f"{LEAK} yes", "no"], "positive": "no", "question": "?"}
    output = {"label": f"{LEAK} yes", "score": 0.5, "scores": {f"{LEAK} yes": 0.5, "no": 0.5}}
    fresh(world, a_record(task=task, output=output))
    ada = world.desk("ada", roles=REVIEWER)
    claim = ada.claim_case(ada.find("a"))
    ada.report_leak(claim.lease.case_id, LEAK)
    after = kept(world, claim.lease.case_id)
    assert (after["task"], after["output"]) == (task, output)
    assert after["inputs"][1]["value"].startswith(MASK)
    assert decide(ada, claim, {**agreeing(claim.view)}).verdict == "upheld"


def settled(world: World, ada: Desk) -> int:
    claim = ada.claim_case(ada.find("a"))
    decide(ada, claim)
    return claim.lease.case_id


@pytest.mark.parametrize("how", ["held", "settled", "reserved", "reviewed", "recused"])
def test_what_is_not_theirs_goes_to_a_lead(world: World, how: str) -> None:
    independent: dict[str, Any] = {"reviews": POLICIES["credit"].reviews.model_copy(update={"independent": 2})}
    rules: dict[str, Any] = independent if how == "reviewed" else {}
    fresh(world, a_record())
    ada, ben = (world.desk(name, roles=REVIEWER, **rules) for name in ("ada", "ben"))
    mia = world.desk("mia", roles=LEAD, **rules)
    case_id, before = ada.find("a"), kept(world, ada.find("a"))
    claim = ada.claim_case(case_id)
    if how in ("settled", "reviewed"):
        decide(ada, claim)
    elif how == "recused":
        ada.recuse(claim.lease, "a neighbour")
    elif how == "reserved":
        decide(ada, ada.claim("credit"))
        ada.release(claim.lease)
        mia.assign(case_id, "ada", "knows it")
    reporter = ada if how in ("reviewed", "recused") else ben
    assert answer(reporter, case_id, LEAK) == "reported"
    assert kept(world, case_id) == before
    reports = mia.leak_reports()
    assert [(r.case_id, r.id, r.queue, r.person, r.text) for r in reports] == [
        (case_id, "a", "credit", reporter.person, LEAK)
    ]
    for desk in (ada, ben):
        for act in (desk.leak_reports, lambda desk=desk: desk.dismiss_leaks(case_id)):
            with pytest.raises(Refused):
                act()
    assert all(LEAK.encode() not in bytes(body) for (body,) in world.query("SELECT body FROM audit"))
    mia.report_leak(case_id, LEAK)
    assert kept(world, case_id)["inputs"][1]["value"].startswith(MASK)
    assert (mia.leak_reports(), notes(world)) == ([], [])
    assert world.verify().ok


def test_a_report_is_between_the_reporter_and_the_leads(world: World) -> None:
    fresh(world, a_record())
    ada, ben, mia = world.desk("ada", roles=REVIEWER), world.desk("ben", roles=REVIEWER), world.desk("mia", roles=LEAD)
    case_id = settled(world, ada)
    ben.report_leak(case_id, LEAK)
    told = {desk.person: [e.action for e in desk.history(case_id)] for desk in (ada, ben, mia)}
    assert "leak reported" not in told["ada"]
    assert "leak reported" in told["ben"] and "leak reported" in told["mia"]
    assert LEAK not in str(ada.peers(case_id)) + str(ada.history(case_id))
    mia.dismiss_leaks(case_id)
    assert notes(world) == []
    with pytest.raises(NothingToDo):
        mia.dismiss_leaks(case_id)


def test_an_open_case_is_masked_at_once_with_drafts_and_list(world: World) -> None:
    fresh(world, a_record())
    ada = world.desk("ada", roles=REVIEWER)
    case_id = ada.find("a")
    ada.save_draft(case_id, Draft({"rationale": f"I know {LEAK}"}))
    ada.report_leak(case_id, LEAK.upper())
    assert LEAK not in str(kept(world, case_id)) + ada.rows([case_id])[case_id].title
    assert LEAK not in str(ada.claim_case(case_id).draft.answers)
    assert case_id not in ada.ids(Filter(text=LEAK))
    assert notes(world) == []


def test_other_revisions_are_masked_as_far_as_they_are_theirs(world: World) -> None:
    fresh(world, a_record())
    ada, mia = world.desk("ada", roles=REVIEWER), world.desk("mia", roles=LEAD)
    old = settled(world, ada)
    new = as_revision(world, a_record(hidden="something new"))
    assert new != old
    ada.report_leak(new, LEAK)
    assert (LEAK in str(kept(world, old)), LEAK in str(kept(world, new))) == (True, False)
    mia.report_leak(old, LEAK)
    assert LEAK not in str(kept(world, old))
    assert notes(world) == []


# -- the answer tells nothing ------------------------------------------------------------------------


def learned(desk: Desk, case_id: int) -> tuple[dict[str, Any], list[Any]]:
    """Answers to reports with what the case looks like then, and at last all that can be seen of it."""
    told = {word: (answer(desk, case_id, word), desk.view(case_id), desk.history(case_id)) for word in WORDS}
    again = [answer(desk, case_id, word) for word in WORDS]
    return told, [again, everything_seen(desk, case_id)]


HIDDEN = ("nothing more", "Brombeerkuchen and Quittenmus", "0.98765 decline Gartenhaus")
WORDS = ["decline", "approve", "Quittenmus", "odd_Gartenhaus", "0.98765", "purpose", LEAK, "Gartenhaus", "note"]


@pytest.mark.parametrize(("kind", "holds"), [*((kind, True) for kind in sorted(WORLDS)), ("sqlite", False)])
def test_reports_tell_nothing_of_the_model(kind: str, holds: bool, tmp_path: Path) -> None:
    told = []
    # A new database of a server takes its time.
    for n, hidden in enumerate(HIDDEN if kind == "sqlite" else HIDDEN[:2]):
        (tmp_path / str(n)).mkdir()
        world = WORLDS[kind](tmp_path / str(n))
        try:
            label = ("approve", "decline")[n % 2]
            fresh(world, a_record(label=label, hidden=hidden), queue="blind")
            ada = world.desk("ada", queues=["blind"], roles=REVIEWER)
            case_id = ada.find("a")
            (ada if holds else world.desk("ben", queues=["blind"], roles=REVIEWER)).claim_case(case_id)
            told.append(learned(ada, case_id))
            assert kept(world, case_id)["output"]["label"] == label
        finally:
            world.close()
    for other in told[1:]:
        assert other == told[0]
    said = {word: answered for word, (answered, _, _) in told[0][0].items()}
    assert said["decline"] == said["approve"] == said["purpose"] == "reported"
    assert said["Quittenmus"] == said["0.98765"] != "reported"


def test_what_is_mistyped_is_told_and_kept_nowhere(world: World) -> None:
    fresh(world, a_record())
    ada = world.desk("ada", roles=REVIEWER)
    for text, said in (("", "too short"), ("category", "too short"), ("Stachelbeere", "does not occur")):
        with pytest.raises(BadInput, match=said):
            ada.report_leak(ada.find("a"), text)
    assert notes(world) == []
    assert world.query("SELECT count(*) FROM audit WHERE action IN ('leak_reported', 'leak_masked')") == [(0,)]


# -- verdicts that a mask touches --------------------------------------------------------------------


def test_a_verdict_that_was_masked_later_says_so(world: World, tmp_path: Path) -> None:
    fresh(world, a_record(), a_record("b"))
    ada, mia = world.desk("ada", roles=REVIEWER), world.desk("mia", roles=LEAD)
    case_id, other = settled(world, ada), ada.find("b")
    ada.report_leak(other, LEAK)
    decide(ada, ada.claim_case(other))
    columns = "SELECT verdict, label, reviewers, agreement FROM verdicts WHERE case_id = ?"
    before = world.query(columns, case_id), [o for o in mia.outcomes() if o.queue == "credit"]
    assert ada.view(case_id).masked_after is None
    world.clock.forward(minutes=3)
    mia.report_leak(case_id, LEAK)
    assert ada.view(case_id).masked_after == world.clock()
    assert ada.view(other).masked_after is None
    newest = ada.history(case_id)[0]
    assert (newest.action, newest.detail) == ("leak masked", "after the decision")
    assert (world.query(columns, case_id), [o for o in mia.outcomes() if o.queue == "credit"]) == before
    with world.store() as store:
        export(store, tmp_path, "credit", "jsonl", "mia", world.clock())
    rows = [orjson.loads(line) for line in (tmp_path / "corrections.jsonl").read_bytes().splitlines()]
    assert {row["id"]: row["masked_after_review"] for row in rows} == {"a": True, "b": False}
    assert world.verify().ok


# -- copies ------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Iterator[SqliteWorld]:
    """A world with one case, whose files can be read."""
    made = SqliteWorld(tmp_path)
    fresh(made, a_record())
    yield made
    made.close()


def test_a_backup_holds_neither_the_text_nor_its_report_once_a_lead_has_masked_it(files: SqliteWorld) -> None:
    ada, ben, mia = (files.desk(n, roles=r) for n, r in (("ada", REVIEWER), ("ben", REVIEWER), ("mia", LEAD)))
    ada.claim_case(ada.find("a"))
    ben.report_leak(ben.find("a"), LEAK)
    with files.store() as store:
        backups.back_up(store, files.folder / "copy.db", files.clock())
    mia.report_leak(mia.find("a"), LEAK)
    left = b"".join(path.read_bytes() for path in files.folder.rglob("*") if path.is_file())
    assert LEAK.encode() not in left
    assert LEAK.lower().encode() not in left


def test_a_copy_that_measures_people_is_masked_with_its_case(files: SqliteWorld) -> None:
    rules: dict[str, Any] = {"reviews": POLICIES["credit"].reviews.model_copy(update={"gold": 1.0})}
    ada, ben, mia = (files.desk(n, roles=r, **rules) for n, r in (("ada", REVIEWER), ("ben", REVIEWER), ("mia", LEAD)))
    case_id = settled(files, ada)
    mia.trust(case_id)
    fresh(files, a_record("next"))
    copy = ben.claim("credit").lease.case_id
    assert kept(files, copy)["inputs"] == kept(files, case_id)["inputs"] and copy != case_id
    ben.report_leak(copy, LEAK)
    assert (LEAK in str(kept(files, copy)), LEAK in str(kept(files, case_id))) == (False, True)
    mia.report_leak(case_id, LEAK)
    assert LEAK not in str(kept(files, case_id))
    assert notes(files) == []
