"""A busy day in any order: several people, two terminals of one of them, and a clock that also jumps back.

A model of a few lines says what must come out; hypothesis looks for an order of acts that breaks it.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.desk.protocol import Desk
from app.model.case import Claim, Decision, Draft
from app.model.errors import LeaseLost, NothingToDo, Refused
from tests.contract.worlds import OPEN_QUEUES, WORLDS, World, decision, overturning

SIZES = {"credit": 3, "summaries": 2, "moderation": 1}
TERMINALS = (("ada", "first"), ("ada", "second"), ("ben", "first"), ("cleo", "first"))

terminals = st.sampled_from(TERMINALS)
numbers = st.integers(0, 30)


class Day(RuleBasedStateMachine):
    """What people do. `claims` holds every claim that was ever handed out, also those long lost."""

    kind: str
    base: Path
    template: str

    def __init__(self) -> None:
        super().__init__()
        self.folder = self.base / uuid.uuid4().hex
        self.folder.mkdir()
        self.world: World = WORLDS[self.kind](self.folder, self.template)
        self.desks: dict[tuple[str, str], Desk] = {who: self.world.desk(*who) for who in TERMINALS}
        self.claims: list[tuple[tuple[str, str], Claim]] = []
        self.sent: list[tuple[tuple[str, str], Decision]] = []
        self.tokens: dict[int, int] = {}

    def teardown(self) -> None:
        """Lets go of the files."""
        self.world.close()
        shutil.rmtree(self.folder)

    def _keep(self, who: tuple[str, str], claim: Claim) -> None:
        case_id, token = claim.lease.case_id, claim.lease.token
        assert token >= self.tokens.get(case_id, 0), "a token went back"
        self.tokens[case_id] = token
        self.claims.append((who, claim))

    def _with_a_claim(self, number: int, act: Callable[[Desk, Claim], object]) -> None:
        """Does something with one of the claims ever made; right or refused, never wrong."""
        if not self.claims:
            return
        who, claim = self.claims[-1 - number % len(self.claims)]
        live = self._is_live(claim)
        try:
            act(self.desks[who], claim)
        except LeaseLost:
            assert not live
        else:
            assert live, "an act went through without a live lease"

    def _is_live(self, claim: Claim) -> bool:
        lease = claim.lease
        found = self.world.query(
            "SELECT 1 FROM cases WHERE case_id = ? AND state = 'leased' AND lease_owner = ? AND lease_token = ?"
            " AND wake_at > ?",
            lease.case_id,
            lease.person,
            lease.token,
            self.world.clock.now,
        )
        return bool(found)

    @rule(who=terminals, queue=st.sampled_from([None, *OPEN_QUEUES]))
    def claim(self, who: tuple[str, str], queue: str | None) -> None:
        try:
            claim = self.desks[who].claim(queue)
        except NothingToDo as nothing:
            assert len(str(nothing)) > 20
            return
        others = [c for _, c in self.claims if c.lease.case_id == claim.lease.case_id]
        assert all(c.lease.token < claim.lease.token for c in others), "handed out twice"
        self._keep(who, claim)

    @rule(who=terminals, case_id=st.integers(1, sum(SIZES.values())), take_over=st.booleans())
    def claim_case(self, who: tuple[str, str], case_id: int, take_over: bool) -> None:
        try:
            self._keep(who, self.desks[who].claim_case(case_id, take_over))
        except Refused:
            row = self.desks[who].rows([case_id])[case_id]
            assert row.state == "settled" or (row.state == "leased" and not (row.holder == who[0] and take_over))

    @rule(number=numbers, wrong=st.booleans())
    def decide(self, number: int, wrong: bool) -> None:
        def act(desk: Desk, claim: Claim) -> None:
            sent = decision(claim, overturning(claim.view) if wrong else None)
            desk.decide(sent)
            self.sent.append(((claim.lease.person, claim.lease.session), sent))

        self._with_a_claim(number, act)

    @rule(number=numbers)
    def decide_again(self, number: int) -> None:
        if not self.sent:
            return
        who, sent = self.sent[number % len(self.sent)]
        before = self._counts()
        try:
            assert self.desks[who].decide(sent).repeated
        except Refused:
            assert self.world.query("SELECT 1 FROM retractions WHERE review_id = ?", sent.decision_id)
        assert self._counts() == before

    def _counts(self) -> list[tuple[Any, ...]]:
        return [
            self.world.query(f"SELECT count(*) FROM {t}")[0] for t in ("reviews", "verdicts", "retractions", "audit")
        ]

    @rule(number=numbers)
    def extend(self, number: int) -> None:
        self._with_a_claim(number, lambda desk, claim: desk.extend(claim.lease))

    @rule(number=numbers)
    def skip(self, number: int) -> None:
        self._with_a_claim(number, lambda desk, claim: desk.skip(claim.lease))

    @rule(number=numbers, minutes=st.sampled_from([1, 10, 100]))
    def defer(self, number: int, minutes: int) -> None:
        self._with_a_claim(number, lambda desk, claim: desk.defer(claim.lease, minutes))

    @rule(number=numbers)
    def park(self, number: int) -> None:
        self._with_a_claim(number, lambda desk, claim: desk.park(claim.lease, "odd"))

    @rule(number=numbers)
    def release(self, number: int) -> None:
        if self.claims:
            who, claim = self.claims[-1 - number % len(self.claims)]
            self.desks[who].release(claim.lease)

    @rule(who=terminals)
    def undo(self, who: tuple[str, str]) -> None:
        standing = "SELECT count(*) FROM reviews WHERE review_id NOT IN (SELECT review_id FROM retractions)"
        before = self.world.query(standing)[0][0]
        try:
            claim = self.desks[who].undo()
        except (NothingToDo, Refused):
            assert self.world.query(standing)[0][0] == before
            return
        assert self.world.query(standing)[0][0] == before - 1
        self._keep(who, claim)

    @rule(who=terminals)
    def unskip(self, who: tuple[str, str]) -> None:
        self.desks[who].unskip()

    @rule(who=terminals, case_id=st.integers(1, sum(SIZES.values())))
    def unpark(self, who: tuple[str, str], case_id: int) -> None:
        state = self.desks[who].rows([case_id])[case_id].state
        try:
            self.desks[who].unpark(case_id)
        except Refused:
            assert state not in ("parked", "deferred")

    @rule(who=terminals, case_id=st.integers(1, sum(SIZES.values())))
    def draft(self, who: tuple[str, str], case_id: int) -> None:
        self.desks[who].save_draft(case_id, Draft({"note": uuid.uuid4().hex}))

    @rule(minutes=st.sampled_from([0.01, 1, 4, 11, 16, 120, -3, -20]))
    def time_passes(self, minutes: float) -> None:
        self.world.clock.forward(minutes=minutes)

    @invariant()
    def a_lease_is_whole_or_not_there(self) -> None:
        leased = self.world.query(
            "SELECT count(*) FROM cases WHERE (state = 'leased') <> "
            "(lease_owner IS NOT NULL AND lease_session IS NOT NULL AND wake_at IS NOT NULL)"
        )
        assert leased == [(0,)]

    @invariant()
    def settled_if_and_only_if_there_is_a_verdict(self) -> None:
        odd = self.world.query(
            "SELECT case_id FROM cases WHERE (state = 'settled') <> (case_id IN (SELECT case_id FROM verdicts))"
        )
        assert odd == []

    @invariant()
    def a_case_has_at_most_one_review_that_stands(self) -> None:
        odd = self.world.query(
            "SELECT case_id FROM reviews WHERE review_id NOT IN (SELECT review_id FROM retractions)"
            " GROUP BY case_id HAVING count(*) > 1"
        )
        assert odd == []

    @invariant()
    def the_log_agrees(self) -> None:
        found = self.world.verify()
        assert found.ok, found.problems
        entries = self.world.query("SELECT action, count(*) FROM audit GROUP BY action")
        said = dict(entries)
        assert said.get("decided", 0) == self.world.query("SELECT count(*) FROM reviews")[0][0]
        assert said.get("undone", 0) == self.world.query("SELECT count(*) FROM retractions")[0][0]

    @invariant()
    def nobody_is_lost(self) -> None:
        total = sum(s.open + s.leased + s.deferred + s.parked + s.settled for s in self.desks[TERMINALS[0]].backlog())
        assert total == sum(SIZES.values())


def walk(kind: str, base: Path, examples: int, steps: int) -> None:
    """Runs a number of days in a small world, where people get in each other's way."""
    template = WORLDS[kind].template(base, SIZES)
    run_state_machine_as_test(
        type("Day", (Day,), {"kind": kind, "base": base, "template": template}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("kind", sorted(WORLDS))
def test_any_order_of_acts_keeps_the_store_sound(tmp_path: Path, kind: str) -> None:
    # Each step on a server costs several journeys.
    walk(kind, tmp_path, examples={"sqlite": 10, "postgres": 3, "hub": 2}[kind], steps=50)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", sorted(WORLDS))
def test_many_long_days_keep_the_store_sound(tmp_path: Path, kind: str) -> None:
    walk(kind, tmp_path, examples=150, steps=100)
