"""Decisions: what they come to, that they are all or nothing, and how they are taken back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from app.desk.protocol import Desk
from app.model.case import CaseView, Claim, Decision, Filter
from app.model.errors import BadInput, LeaseLost, NothingToDo, Refused, RubricError, SecondlookError, Unavailable
from tests.contract.worlds import OPEN_QUEUES, SqliteWorld, World, agreeing, decide, decision, overturning

# Everything that acts may change, but the clock and the log.
STATE = (
    "SELECT case_id, state, lease_owner, lease_session, lease_token, wake_at, claims, note FROM cases",
    "SELECT * FROM reviews",
    "SELECT * FROM retractions",
    "SELECT * FROM verdicts",
    "SELECT * FROM judgements",
    "SELECT * FROM drafts",
    "SELECT * FROM marks",
    "SELECT * FROM rubrics",
    "SELECT * FROM audit",
)


def state(world: World) -> list[list[tuple[Any, ...]]]:
    """All that is kept."""
    return [world.query(sql) for sql in STATE]


@pytest.mark.parametrize("queue", OPEN_QUEUES)
def test_agreeing_upholds_and_disagreeing_overturns(ada: Desk, queue: str) -> None:
    first, second = ada.claim(queue), ada.claim(queue)
    upheld = decide(ada, first)
    assert (upheld.verdict, upheld.label) == ("upheld", agreeing(first.view)["label"])
    overturned = decide(ada, second, overturning(second.view))
    assert (overturned.verdict, overturned.label) == ("overturned", overturning(second.view)["label"])
    for receipt, claim in ((upheld, first), (overturned, second)):
        row = ada.rows([claim.lease.case_id])[claim.lease.case_id]
        assert (row.state, row.verdict, row.holder, row.wake_at) == ("settled", receipt.verdict, None, None)
        assert (receipt.id, receipt.moved, receipt.repeated) == (row.id, None, False)


def test_cannot_tell_is_unresolvable_and_has_no_label(ada: Desk) -> None:
    receipt = decide(ada, ada.claim("credit"), {"support": "supported", "label": "cannot tell"})
    assert (receipt.verdict, receipt.label) == ("unresolvable", None)


def test_a_better_text_is_a_correction(world: World, ada: Desk) -> None:
    claim = ada.claim("summaries")
    receipt = decide(ada, claim, {**overturning(claim.view), "correction": "A truer summary."})
    assert receipt.verdict == "corrected"
    assert world.query("SELECT correction FROM verdicts") == [("A truer summary.",)]


def test_the_same_decision_twice_is_one_decision(world: World, ada: Desk) -> None:
    claim = ada.claim("credit")
    sent = decision(claim, seconds=30)
    first = ada.decide(sent)
    kept = state(world)
    world.clock.forward(minutes=20)
    again = ada.decide(sent)
    after_crash = world.desk("ada", session="new").decide(sent)
    assert (first.repeated, again.repeated, after_crash.repeated) == (False, True, True)
    assert {(r.decision_id, r.case_id, r.verdict, r.label, r.undo_until) for r in (first, again, after_crash)} == {
        (sent.decision_id, claim.lease.case_id, "upheld", first.label, first.undo_until)
    }
    assert state(world) == kept


def test_a_second_decision_on_the_same_lease_is_refused(world: World, ada: Desk) -> None:
    claim = ada.claim("credit")
    decide(ada, claim)
    with pytest.raises(LeaseLost) as raised:
        decide(ada, claim, overturning(claim.view))
    assert raised.value.settled
    assert world.query("SELECT verdict FROM reviews") == [("upheld",)]


def test_a_decision_id_stands_for_one_decision_only(world: World, ada: Desk, ben: Desk) -> None:
    first, second, bens = ada.claim("credit"), ada.claim("credit"), ben.claim("credit")
    decision_id = ada.decide(decision(first)).decision_id
    for desk, claim in ((ada, second), (ben, bens)):
        with pytest.raises(BadInput, match="another decision"):
            desk.decide(decision(claim, decision_id=decision_id))
        assert desk.extend(claim.lease).token == claim.lease.token


WRONG: dict[str, Callable[[CaseView], dict[str, Any]]] = {
    "nothing": lambda view: {},
    "incomplete": lambda view: {"support": "supported"},
    "unknown criterion": lambda view: {**agreeing(view), "suport": "supported"},
    "unknown option": lambda view: {**agreeing(view), "support": "perhaps"},
    "unknown label": lambda view: {**agreeing(view), "label": "maybe"},
    "no reasons": lambda view: {k: v for k, v in overturning(view).items() if k != "reasons"},
    "rationale too short": lambda view: {**overturning(view), "rationale": "no"},
    "beyond the scale": lambda view: {**overturning(view), "harm": 6},
}


@pytest.mark.parametrize("answers", WRONG.values(), ids=WRONG)
def test_answers_that_do_not_fit_leave_nothing_behind(
    world: World, ada: Desk, answers: Callable[[CaseView], dict[str, Any]]
) -> None:
    claim = ada.claim("credit")
    kept = state(world)
    with pytest.raises(RubricError) as raised:
        decide(ada, claim, answers(claim.view))
    assert raised.value.problems
    assert state(world) == kept
    assert decide(ada, claim).verdict == "upheld"


def test_every_problem_is_named(ada: Desk) -> None:
    claim = ada.claim("credit")
    with pytest.raises(RubricError) as raised:
        decide(ada, claim, {"support": "perhaps", "label": "maybe", "colour": "red"})
    assert [problem.split(":")[0] for problem in raised.value.problems] == ["colour", "support", "label"]


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0, 1e9])
def test_odd_times_do_not_spoil_the_measures(ada: Desk, seconds: float) -> None:
    decide(ada, ada.claim("credit"), seconds=seconds)
    median = ada.summary(0).median_seconds
    assert median is not None
    assert 0 <= median <= 86_400


def test_whole_seconds_verify_as_well(world: World, ada: Desk) -> None:
    decide(ada, ada.claim("credit"), seconds=5)
    assert world.verify().ok


def test_hostile_words_are_refused_readably_or_kept_whole(world: World, ada: Desk) -> None:
    claim = ada.claim("credit")
    for text in ("\x1b]52;c;eA==\x07 and more", "null \x00 byte inside", "＝1+1 ‮override‬ text", "𐀀" * 20):
        receipt = decide(ada, claim, {**overturning(claim.view), "rationale": text})
        assert receipt.verdict == "overturned"
        claim = ada.undo()
        assert claim.draft.answers["rationale"] == text
    assert world.verify().ok


# -- undo --------------------------------------------------------------------------------------------


def test_undo_gives_the_case_and_the_answers_back(world: World, ada: Desk) -> None:
    claim = ada.claim("credit")
    answers = overturning(claim.view)
    decide(ada, claim, answers, seconds=33)
    back = ada.undo()
    assert (back.lease.case_id, back.lease.session) == (claim.lease.case_id, "first")
    assert back.draft.answers == answers
    assert back.draft.seconds == 33
    row = ada.rows([back.lease.case_id])[back.lease.case_id]
    assert (row.state, row.verdict, row.holder) == ("leased", None, "ada")
    again = decide(ada, back)
    assert (again.verdict, again.repeated) == ("upheld", False)
    assert world.query("SELECT verdict FROM verdicts") == [("upheld",)]
    assert world.query("SELECT count(*) FROM reviews") == [(2,)]
    assert world.verify().ok


@pytest.mark.parametrize(("ms", "allowed"), [(0, True), (300_000, True), (300_001, False)])
def test_undo_ends_when_the_policy_says(world: World, ada: Desk, ms: int, allowed: bool) -> None:
    receipt = decide(ada, ada.claim("credit"))
    assert receipt.undo_until == world.clock.now + 300_000
    world.clock.forward(ms=ms)
    if allowed:
        assert ada.undo().lease.case_id == receipt.case_id
        return
    kept = state(world)
    for case_id in (None, receipt.case_id):
        with pytest.raises(Refused, match="5 minutes"):
            ada.undo(case_id)
    assert state(world) == kept


def test_undo_takes_the_newest_first_and_any_by_name(world: World, ada: Desk) -> None:
    decided = []
    for _ in range(3):
        decided.append(decide(ada, ada.claim("credit")).case_id)
        world.clock.forward(ms=1)
    assert ada.undo(decided[0]).lease.case_id == decided[0]
    assert ada.undo().lease.case_id == decided[2]
    assert ada.undo().lease.case_id == decided[1]
    with pytest.raises(NothingToDo):
        ada.undo()


def test_nobody_undoes_anothers_decision(ada: Desk, ben: Desk) -> None:
    case_id = decide(ada, ada.claim("credit")).case_id
    for wanted in (None, case_id):
        with pytest.raises(NothingToDo):
            ben.undo(wanted)
    assert ben.rows([case_id])[case_id].state == "settled"


def test_a_late_retry_of_a_decision_taken_back_does_not_bring_it_back(world: World, ada: Desk) -> None:
    claim = ada.claim("credit")
    sent = decision(claim)
    ada.decide(sent)
    back = ada.undo()
    kept = state(world)
    with pytest.raises(Refused, match="taken back"):
        ada.decide(sent)
    assert state(world) == kept
    assert decide(ada, back).verdict == "upheld"


def test_after_an_undo_and_release_anybody_may_decide(world: World, ada: Desk, ben: Desk) -> None:
    claim = ada.claim("credit")
    decide(ada, claim)
    ada.release(ada.undo().lease)
    theirs = ben.claim("credit")
    assert theirs.lease.case_id == claim.lease.case_id
    assert theirs.draft.answers == {}
    decide(ben, theirs)
    with pytest.raises(NothingToDo):
        ada.undo(claim.lease.case_id)
    assert world.verify().ok


# -- all or nothing ----------------------------------------------------------------------------------

BLOCK = (
    "CREATE TRIGGER no_more BEFORE INSERT ON audit WHEN NEW.action = '{action}' "
    "BEGIN SELECT RAISE(ABORT, 'the log cannot be written'); END"
)
# What is done before, and the act that cannot be logged.
UNLOGGED: dict[str, Callable[[Desk, Claim], object]] = {
    "claimed": lambda desk, claim: desk.claim("credit"),
    "released": lambda desk, claim: desk.release(claim.lease),
    "skipped": lambda desk, claim: desk.skip(claim.lease),
    "deferred": lambda desk, claim: desk.defer(claim.lease, 5),
    "parked": lambda desk, claim: desk.park(claim.lease, "odd"),
    "flagged": lambda desk, claim: desk.flag(claim.lease.case_id, "look"),
    "judged": lambda desk, claim: desk.judge(claim.lease, "approve", 3),
    "decided": lambda desk, claim: decide(desk, claim),
    "undone": lambda desk, claim: desk.undo(),
}


@pytest.mark.parametrize("action", UNLOGGED)
def test_what_cannot_be_logged_is_not_done(sqlite: SqliteWorld, action: str) -> None:
    ada = sqlite.desk("ada")
    decide(ada, ada.claim("credit"))
    claim = ada.claim("credit")
    sqlite.run(BLOCK.format(action=action))
    kept = state(sqlite)
    with pytest.raises(Unavailable, match="the last act was not carried out"):
        UNLOGGED[action](ada, claim)
    assert state(sqlite) == kept
    sqlite.run("DROP TRIGGER no_more")
    UNLOGGED[action](ada, claim)
    assert state(sqlite) != kept
    assert sqlite.verify().ok


def test_without_its_log_the_desk_does_nothing_but_show(sqlite: SqliteWorld) -> None:
    ada = sqlite.desk("ada")
    claim = ada.claim("credit")
    sqlite.run("ALTER TABLE audit RENAME TO elsewhere")
    for act in (lambda: decide(ada, claim), lambda: ada.claim("credit"), lambda: ada.release(claim.lease)):
        with pytest.raises(SecondlookError):
            act()
    assert sqlite.query("SELECT count(*) FROM reviews") == [(0,)]
    assert ada.view(claim.lease.case_id).row.holder == "ada"
    sqlite.run("ALTER TABLE elsewhere RENAME TO audit")
    assert decide(ada, claim).verdict == "upheld"


def test_the_log_cannot_be_changed_by_accident(sqlite: SqliteWorld) -> None:
    sqlite.desk("ada").claim("credit")
    for statement in ("UPDATE audit SET actor = 'eve'", "DELETE FROM audit"):
        with pytest.raises(Exception, match="append-only"):
            sqlite.run(statement)
    assert sqlite.verify().ok


# -- what remains visible ----------------------------------------------------------------------------


def test_history_tells_it_newest_first(world: World, ada: Desk, ben: Desk) -> None:
    claim = ada.claim("credit")
    case_id = claim.lease.case_id
    world.clock.forward(minutes=16)
    theirs = ben.claim("credit")
    decide(ben, theirs, overturning(theirs.view))
    world.clock.forward(minutes=1)
    back = ben.undo()
    ben.park(back.lease, "ask legal")
    told = [(e.actor, e.action, e.detail) for e in ada.history(case_id)]
    label = overturning(theirs.view)["label"]
    assert told == [
        ("ben", "parked", "ask legal"),
        ("ben", "undone", ""),
        ("ben", "decided", f"overturned → {label} (taken back)"),
        ("ben", "claimed", ""),
        ("ben", "expired", "was held by ada"),
        ("ada", "claimed", ""),
    ]
    times = [e.at for e in ada.history(case_id)]
    assert times == sorted(times, reverse=True)


def test_the_summary_counts_what_stands(world: World, ada: Desk, ben: Desk) -> None:
    for seconds in (10, 20, 60):
        decide(ada, ada.claim("credit"), seconds=seconds)
    claim = ada.claim("credit")
    decide(ada, claim, overturning(claim.view), seconds=99)
    ada.skip(ada.claim("credit").lease)
    ada.defer(ada.claim("credit").lease, 5)
    world.clock.forward(minutes=1)
    since = world.clock.now
    last = ada.claim("summaries")
    decide(ada, last, overturning(last.view), seconds=7)
    ada.undo()
    everything = ada.summary(0)
    assert (everything.decided, everything.overturned, everything.undone) == (4, 1, 1)
    assert (everything.skipped, everything.deferred, everything.drafts) == (1, 1, 1)
    assert everything.median_seconds in (20, 60)
    recent = ada.summary(since)
    assert (recent.decided, recent.undone, recent.median_seconds) == (0, 1, None)
    assert ben.summary(0).decided == 0


def test_the_backlog_adds_up(world: World, ada: Desk, ben: Desk) -> None:
    decide(ada, ada.claim("credit"))
    ada.claim("credit")
    ben.defer(ben.claim("credit").lease, 5)
    ben.park(ben.claim("credit").lease, "odd")
    status = {s.queue: s for s in ada.backlog()}
    credit = status["credit"]
    assert (credit.open, credit.leased, credit.deferred, credit.parked, credit.settled) == (20, 1, 1, 1, 1)
    assert (credit.title, credit.overdue, credit.oldest_at) == ("Credit", 0, world.clock.now)
    assert status["summaries"].open == 24
    # The only settled case was critical: due within the hour, and out of the count.
    critical = len(ada.ids(Filter(queue="credit", severity="critical")))
    world.clock.forward(minutes=61)
    assert {s.queue: s for s in ada.backlog()}["credit"].overdue == critical > 0


def test_an_odd_decision_id_is_a_mere_name(ada: Desk) -> None:
    for decision_id in ("", "'; DROP TABLE reviews; --", "𐀀", "x" * 10_000):
        claim = ada.claim("credit")
        sent = Decision(decision_id, claim.lease.case_id, claim.lease.token, agreeing(claim.view))
        assert ada.decide(sent).decision_id == decision_id
        assert ada.decide(sent).repeated
