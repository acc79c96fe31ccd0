"""Controls: copies that measure reviewers are cases like any other to everybody who is measured."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.desk.protocol import Desk
from app.model.case import Filter
from app.model.errors import NothingToDo
from app.model.policy import Reviews
from tests.contract import telling
from tests.contract.telling import Visit
from tests.contract.worlds import WORLDS, SqliteWorld, StoreWorld, World, agreeing, decide, overturning, samples

Q = "credit"
WORDS = "river lantern copper meadow harbour violet timber granite orchard saddle ribbon anchor candle".split()  # noqa: SIM905
# Share of ordinary cases at which people look closely.
_LOOKED_AT = 0.5


def invented(count: int, seed: int, first: int = 300_000) -> Iterator[dict[str, Any]]:
    """Records of one kind whose ids grow with gaps, as those do of which only some are flagged."""
    drawn, number = random.Random(seed), first
    model = samples(Q)[0]
    for _ in range(count):
        number += 1 + int(drawn.expovariate(0.2))
        score = round(drawn.random(), 2)
        severity = drawn.choice(("medium", "high"))
        yield {
            **{key: model[key] for key in ("schema", "task", "domain")},
            "id": f"loan-{number}",
            "request_id": f"{drawn.randrange(16**16):016x}",
            "trace_id": f"{drawn.randrange(16**32):032x}",
            "created_at": f"2027-04-{1 + number % 28:02d}T{number % 24:02d}:{number % 60:02d}:00Z",
            "subject": f"customer-{drawn.randrange(10**5)}",
            "inputs": [
                {"name": "income", "kind": "number", "value": drawn.randrange(1000, 9000)},
                {"name": "note", "kind": "text", "value": " ".join(drawn.choices(WORDS, k=12))},
            ],
            "output": {"label": drawn.choice(("approve", "decline")), "score": score, "threshold": 0.5},
            "flags": [{"code": "near", "severity": severity}],
        }


def in_batches(count: int, batches: int, seed: int) -> list[list[dict[str, Any]]]:
    found = list(invented(count, seed))
    return [found[n * count // batches : (n + 1) * count // batches] for n in range(batches)]


class Shift:
    """People at work on a queue, who look at everything they can."""

    def __init__(self, world: World, independent: int, seed: int = 0) -> None:
        self.world, self.independent = world, independent
        self.drawn = random.Random(seed)
        rules = Reviews(
            independent=independent, agreement="majority", gold=0.3, repeats=0.3, repeat_hours=0.5, names="hidden"
        )
        self.desks = [
            world.desk(name, queues=(Q,), roles=("reviewer",), reviews=rules) for name in ("ada", "ben", "cyd", "dan")
        ]
        self.judge = world.desk("judy", queues=(Q,), roles=("adjudicator",), reviews=rules)
        self.lead = world.desk("lea", queues=(Q,), roles=("lead",), reviews=rules)
        self.visits: list[Visit] = []
        self.trusted: set[int] = set()

    def controls(self) -> set[int]:
        return {row[0] for row in self.world.query("SELECT case_id FROM controls")}

    def go_on(self, batches: list[list[dict[str, Any]]], every: int) -> None:
        """Everybody takes a case in turn, until there is none; a batch comes in every so many rounds."""
        for n in range(200):
            if n % every == 0 and batches:
                self.world.admit(Q, batches.pop(0))
            given = [self._take(desk) for desk in self.desks]
            self.world.clock.forward(minutes=7)
            self._adjudicate()
            self._trust()
            if not any(given) and not batches:
                return

    def _take(self, desk: Desk) -> bool:
        before = list(desk.ids(Filter(queue=Q))), desk.peek(Q), telling.counts(desk)
        try:
            claim = desk.claim(Q)
        except NothingToDo:
            return False
        self.world.clock.forward(minutes=1)
        answers = overturning(claim.view) if self.drawn.random() < 0.3 else agreeing(claim.view)
        if self.drawn.random() > _LOOKED_AT and claim.lease.case_id not in self.controls():
            decide(desk, claim, answers)
            return True
        seen = telling.visit(desk, claim, before, Q)
        counted = telling.counts(desk)
        receipt = decide(desk, claim, answers, seconds=self.drawn.randrange(5, 60))
        case_id = claim.lease.case_id
        seen.figures |= telling.changed(counted, telling.counts(desk), "decided: ")
        seen.figures |= {f"then {k}": v for k, v in telling.looks(desk, case_id, Q).items()}
        seen.figures |= dict(telling.leaves(receipt, "receipt"))
        refused = telling.answer_of(lambda: desk.claim_case(case_id))
        seen.figures |= dict(telling.leaves(refused, "claimed again"))
        self._undo(desk, seen)
        self.visits.append(seen)
        return True

    def _undo(self, desk: Desk, seen: Visit) -> None:
        again = telling.answer_of(desk.undo)
        seen.figures["undo"] = 0.0 if isinstance(again, str) else 1.0
        seen.figures |= dict(telling.leaves(again, "undo")) if isinstance(again, str) else {}
        if not isinstance(again, str):
            assert again.lease.case_id == seen.case_id
            decide(desk, again)

    def _adjudicate(self) -> None:
        try:
            decide(self.judge, self.judge.claim(Q))
        except NothingToDo:
            return

    def _trust(self) -> None:
        made = self.controls()
        for case_id in self.lead.ids(Filter(queue=Q, state="settled"), 3):
            if case_id not in made and case_id not in self.trusted and self.drawn.random() < 0.5:
                self.trusted.add(case_id)
                self.lead.trust(case_id)


def check(shift: Shift) -> None:
    """Nothing tells controls from cases."""
    controls = shift.controls()
    tried = telling.best(shift.visits, controls)
    most = telling.bound(shift.visits)
    given = [one for one in shift.visits if one.case_id in controls]
    assert len(given) >= 10, "too few controls to say anything"
    assert tried[0][0] < most, [(f"{far:.1f}", name) for far, name in tried[:15]]
    assert shift.world.verify().ok


@pytest.fixture(params=sorted(WORLDS))
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreWorld]:
    """Nothing in any queue yet."""
    made = WORLDS[str(request.param)](tmp_path)
    yield made
    made.close()


@pytest.fixture
def empty_sqlite(tmp_path: Path) -> Iterator[StoreWorld]:
    """Nothing in any queue yet, on SQLite."""
    made = SqliteWorld(tmp_path)
    yield made
    made.close()


def test_nothing_tells_controls_from_cases(empty: World) -> None:
    shift = Shift(empty, independent=1, seed=1)
    shift.go_on(in_batches(78, 3, seed=1), every=6)
    check(shift)


@pytest.mark.parametrize("independent", [2, 3])
def test_nothing_tells_them_where_several_review(empty_sqlite: World, independent: int) -> None:
    shift = Shift(empty_sqlite, independent, seed=independent)
    shift.go_on(in_batches(52, 2, seed=independent), every=10)
    check(shift)
