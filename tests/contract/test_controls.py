"""Controls: copies that measure reviewers are cases like any other to everybody who is measured."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.desk import controls, erasing
from app.desk.protocol import Desk
from app.model.case import Claim, Filter
from app.model.errors import BadInput, NothingToDo
from app.model.policy import Reviews
from app.model.words import STATES
from tests.contract import telling
from tests.contract.telling import Visit
from tests.contract.worlds import (
    KEYS,
    WORLDS,
    SqliteWorld,
    StoreWorld,
    World,
    agreeing,
    decide,
    decision,
    overturning,
    samples,
)

Q = "credit"
WORDS = "river lantern copper meadow harbour violet timber granite orchard saddle ribbon anchor candle".split()  # noqa: SIM905
# Share of ordinary cases at which people look closely.
_LOOKED_AT = 0.3


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
        self.closely: dict[int, bool] = {}

    def controls(self) -> dict[int, int]:
        return dict(self.world.query("SELECT case_id, of_case FROM controls"))

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
        closely = self.closely.setdefault(claim.lease.case_id, self.drawn.random() < _LOOKED_AT)
        if not closely and claim.lease.case_id not in self.controls():
            decide(desk, claim, answers)
            return True
        seen = telling.visit(desk, claim, before, Q)
        counted = telling.counts(desk)
        chosen = decision(claim, answers, f"{len(self.visits)}-{self.drawn.random()}", self.drawn.randrange(5, 60))
        receipt = desk.decide(chosen)
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
    made = shift.controls()
    found = telling.search(shift.visits, made)
    assert len({one.case_id for one in shift.visits} & made.keys()) >= 8, "too few controls to say anything"
    assert found.telling[0][0] <= found.by_lot, [(f"{far:.1f}", name) for far, name in found.telling[:15]]
    assert shift.world.verify().ok


@pytest.fixture(autouse=True)
def chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run draws the same."""
    monkeypatch.setattr(controls, "_chance", random.Random(4))


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
    shift.go_on(in_batches(50, 2, seed=1), every=7)
    check(shift)


@pytest.mark.parametrize("independent", [2, pytest.param(3, marks=pytest.mark.heavy)])
def test_nothing_tells_them_where_several_review(empty_sqlite: World, independent: int) -> None:
    shift = Shift(empty_sqlite, independent, seed=independent)
    shift.go_on(in_batches(50, 2, seed=independent), every=10)
    check(shift)


# -- what one copy does --------------------------------------------------------------------------------


def reviewer(world: World, person: str, **rules: Any) -> Desk:
    given = {"independent": 1, **rules}
    return world.desk(person, queues=(Q,), roles=("reviewer",), reviews=Reviews(**given))


def lead(world: World, **rules: Any) -> Desk:
    given = {"independent": 1, **rules}
    return world.desk("lea", queues=(Q,), roles=("lead",), reviews=Reviews(**given))


def until_given(world: World, desk: Desk) -> Claim:
    """The first copy that somebody gets; what comes before they decide."""
    for _ in range(80):
        claim = desk.claim(Q)
        if world.query("SELECT 1 FROM controls WHERE case_id = ?", claim.lease.case_id):
            return claim
        decide(desk, claim)
    raise AssertionError("no copy was given out")


def original_of(world: World, case_id: int) -> int:
    ((of_case,),) = world.query("SELECT of_case FROM controls WHERE case_id = ?", case_id)
    return int(of_case)


def gold(world: World, desk: Desk, boss: Desk, count: int = 3) -> list[int]:
    """Cases that somebody has decided and a lead trusts."""
    found = []
    for _ in range(count):
        claim = desk.claim(Q)
        decide(desk, claim, overturning(claim.view))
        boss.trust(claim.lease.case_id)
        found.append(claim.lease.case_id)
    return found


def test_a_gold_copy_measures_and_is_in_no_figure_of_a_lead(empty: World) -> None:
    empty.admit(Q, invented(40, seed=5))
    boss, ben, ada = lead(empty), reviewer(empty, "ben"), reviewer(empty, "ada", gold=0.5)
    trusted = gold(empty, ben, boss)
    claim = until_given(empty, ada)
    case_id = claim.lease.case_id
    of_case = original_of(empty, case_id)
    assert of_case in trusted
    model = boss.view(of_case).prediction
    assert (claim.view.prediction.inputs, claim.view.prediction.output) == (model.inputs, model.output)
    assert claim.view.row.id != model.id
    decided = sum(sum(one.verdicts.values()) for one in boss.outcomes())
    decide(ada, claim)
    assert sum(sum(one.verdicts.values()) for one in boss.outcomes()) == decided
    (status,) = boss.backlog()
    assert status.settled == decided
    assert ada.quality()[0].gold == 0
    assert {one.person: (one.gold, one.gold_same) for one in boss.quality()}["ada"] == (1, 0)
    empty.clock.forward(minutes=36 * 60)
    assert (ada.quality()[0].gold, ada.quality()[0].gold_same) == (1, 0)
    assert empty.verify().ok


def test_a_repeat_compares_with_oneself(empty: World) -> None:
    empty.admit(Q, invented(40, seed=6))
    ada = reviewer(empty, "ada", repeats=0.5, repeat_hours=1)
    for _ in range(4):
        decide(ada, ada.claim(Q))
    empty.clock.forward(minutes=61)
    claim = until_given(empty, ada)
    decide(ada, claim, overturning(claim.view))
    empty.clock.forward(minutes=36 * 60)
    (mine,) = ada.quality()
    assert (mine.again, mine.again_same, mine.gold) == (1, 0, 0)


def test_one_sees_a_case_or_its_copy(empty: World) -> None:
    empty.admit(Q, invented(40, seed=7))
    boss, ben = lead(empty), reviewer(empty, "ben", repeat_hours=24)
    ada, cyd = (reviewer(empty, name, gold=0.5, repeat_hours=24) for name in ("ada", "cyd"))
    gold(empty, ben, boss)
    claim = until_given(empty, ada)
    copy, of_case = claim.lease.case_id, original_of(empty, claim.lease.case_id)
    everything = range(1, 400)
    for desk, shown, kept in ((ada, copy, of_case), (cyd, copy, of_case), (ben, of_case, copy)):
        row = boss.rows([kept])[kept]
        assert shown in desk.rows(everything) and kept not in desk.rows(everything)
        listed = [*desk.ids(Filter()), *desk.ids(Filter(state="settled"))]
        assert shown in listed and kept not in listed
        assert sum(getattr(desk.backlog()[0], state) for state in STATES) == len(listed) == 40
        hits = list(desk.ids(Filter(text=row.title)))
        assert shown in hits and kept not in hits
        assert kept not in desk.ids(Filter(text=row.id))
        for ask in (desk.view, desk.history, desk.similar, desk.peers, desk.claim_case):
            with pytest.raises(BadInput, match="no such case"):
                ask(kept)
        with pytest.raises(BadInput, match="no case"):
            desk.find(row.id)
        near = {one.case_id for number in listed[:10] for one in desk.similar(number, 50)}
        assert kept not in near
    assert {copy, of_case} <= boss.rows(everything).keys()
    empty.clock.forward(minutes=25 * 60)
    assert copy in ben.rows(everything) and of_case not in ben.rows(everything)


def test_a_copy_waits_for_as_many_reviews_as_any_case(empty_sqlite: StoreWorld) -> None:
    world = empty_sqlite
    world.admit(Q, invented(40, seed=8))
    rules = {"independent": 2, "gold": 0.5, "repeat_hours": 24}
    boss, people = lead(world, **rules), [reviewer(world, name, **rules) for name in ("ada", "ben", "cyd", "dan")]
    first = people[0].claim(Q)
    decide(people[0], first)
    decide(people[1], people[1].claim_case(first.lease.case_id))
    boss.trust(first.lease.case_id)
    claim = until_given(world, people[2])
    decide(people[2], claim)
    case_id = claim.lease.case_id
    assert world.query("SELECT state, stage FROM cases WHERE case_id = ?", case_id) == [("open", "begun")]
    decide(people[2], people[2].undo(case_id))
    # Who has reviewed the original lately is not asked again.
    for desk in people[:2]:
        with pytest.raises(BadInput, match="no such case"):
            desk.claim_case(case_id)
    again = people[3].claim_case(case_id)
    decide(people[3], again, overturning(again.view))
    assert world.query("SELECT state, stage FROM cases WHERE case_id = ?", case_id) == [("open", "adjudication")]
    judge = world.desk("judy", queues=(Q,), roles=("adjudicator",), reviews=Reviews(**rules))
    assert len(judge.peers(case_id).reviews) == 0
    decide(judge, judge.claim(Q))
    assert world.query("SELECT reviewers FROM verdicts WHERE case_id = ?", case_id) == [(3,)]
    assert {one.person: (one.gold, one.gold_same) for one in boss.quality()} | {"cyd": (1, 1), "dan": (1, 0)} == {
        one.person: (one.gold, one.gold_same) for one in boss.quality()
    }
    assert world.verify().ok


def test_no_number_is_given_twice(empty_sqlite: StoreWorld) -> None:
    world = empty_sqlite
    world.admit(Q, invented(60, seed=9))
    boss, ben, ada = lead(world), reviewer(world, "ben"), reviewer(world, "ada", gold=0.5)
    trusted = gold(world, ben, boss, count=12)
    numbers = {row[0] for row in world.query("SELECT case_id FROM cases")}
    with world.store() as store:
        for case_id in sorted(numbers - set(trusted))[::3]:
            erasing.erase(store, KEYS, erasing.plan_case(store, case_id), "lea", world.clock())
    claim = until_given(world, ada)
    assert claim.lease.case_id not in numbers
    assert world.verify().ok


def test_a_prediction_gets_the_id_that_a_copy_bears(empty: World) -> None:
    records = list(invented(40, seed=10))
    empty.admit(Q, records)
    boss, ben, ada = lead(empty), reviewer(empty, "ben"), reviewer(empty, "ada", gold=0.5)
    gold(empty, ben, boss)
    claim = until_given(empty, ada)
    name = claim.view.row.id
    new = {**next(invented(1, seed=11)), "id": name}
    assert empty.admit(Q, [new]).as_dict() == {"admitted": 1, "duplicates": 0, "quarantined": 0}
    assert boss.find(name) != claim.lease.case_id
    renamed = ada.view(claim.lease.case_id)
    assert renamed.row.id == renamed.prediction.id != name
    assert ada.find(renamed.row.id) == claim.lease.case_id
    assert claim.lease.case_id in ada.ids(Filter(text=renamed.row.id))


def test_ids_without_room_have_no_copies(empty_sqlite: StoreWorld) -> None:
    records = [{**record, "id": f"row-{n:04d}"} for n, record in enumerate(invented(40, seed=12))]
    empty_sqlite.admit(Q, records)
    boss, ben, ada = lead(empty_sqlite), reviewer(empty_sqlite, "ben"), reviewer(empty_sqlite, "ada", gold=0.5)
    gold(empty_sqlite, ben, boss)
    for _ in range(37):
        decide(ada, ada.claim(Q))
    assert empty_sqlite.query("SELECT * FROM controls") == []


def test_where_cases_come_one_by_one_a_copy_comes_as_the_newest(empty_sqlite: StoreWorld) -> None:
    world = empty_sqlite
    for record in invented(30, seed=13):
        world.admit(Q, [record])
        world.clock.forward(minutes=3)
    boss, ben, ada = lead(world), reviewer(world, "ben"), reviewer(world, "ada", gold=0.5)
    gold(world, ben, boss)
    claim = until_given(world, ada)
    row = claim.view.row
    assert row.admitted_at == max(one.admitted_at for one in boss.rows(range(1, 60)).values())
    assert row.case_id > 30
