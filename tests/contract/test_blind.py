"""Judged first means blind: what the model said changes nothing of what a person can see or ask before they judge.

Two worlds hold the same predictions; what the model said of them differs in everything: label, scores, flags and their
severity, explanations, sampling, unknown keys. All that a desk answers has to be the same in both, byte by byte.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.desk import wire
from app.desk.protocol import Desk
from app.intake.admission import Admission
from app.intake.read import Raw
from app.model.case import (
    Ageing,
    CaseRow,
    CaseView,
    Claim,
    Decision,
    Draft,
    Filter,
    HistoryEntry,
    Lease,
    PausedQueue,
    Peers,
    PersonStatus,
    Quality,
    QueueOutcome,
    QueueStatus,
    SessionSummary,
    SimilarCase,
)
from app.model.errors import BadInput, SecondlookError
from app.model.rights import Role
from app.model.words import SEVERITIES, STATES
from tests.contract.worlds import KEYS, POLICIES, WORLDS, StoreWorld, agreeing, decide, overturning
from tests.said import CODES, TELLING, WORDS, answered, asked

DAY = 1440
# So many predictions, and of the first few what the model said is the same in both worlds: they are settled.
_SIZE, _SETTLED = 14, 3
Answers = dict[str, bytes]


def said(seed: int, size: int = _SIZE) -> list[dict[str, Any]]:
    """Predictions; the same for every seed but for what the model said."""
    fixed, chance = random.Random(0), random.Random(seed)
    return [answered(asked(n), fixed if n < _SETTLED else chance) for n in range(size)]


def settle(desk: Desk, case_id: int) -> None:
    """Decides a case."""
    claim = desk.claim_case(case_id)
    view = desk.judge(claim.lease, "good", 3)
    decide(desk, claim, agreeing(view) if view.prediction.output.label else overturning(view))


@contextmanager
def worlds(folder: Path, kind: str, *seeds: int, **rules: Any) -> Iterator[list[StoreWorld]]:
    """Worlds that differ in what the model said; the first few cases are settled."""
    made: list[StoreWorld] = []
    try:
        for seed in seeds:
            (folder / str(seed)).mkdir()
            world: StoreWorld = WORLDS[kind](folder / str(seed))
            made.append(world)
            world.admit("blind", said(seed))
            ben = world.desk("ben", queues=("blind",), **{**rules, "reviews": POLICIES["blind"].reviews})
            for number in range(_SETTLED):
                settle(ben, ben.find(asked(number)["id"]))
        yield made
    finally:
        for world in made:
            world.close()


def outcome(act: Callable[[], object]) -> str:
    """What an act gives, or how it is refused."""
    try:
        return repr(act())
    except SecondlookError as error:
        return f"{type(error).__name__}: {error}"


def filters(thorough: bool) -> Iterator[Filter]:
    """Ways to ask for cases; thoroughly, all kinds of them."""
    yield from (Filter(state=state) for state in (None, "leased", "settled"))
    yield from (Filter(severity=one) for one in SEVERITIES)
    yield from (Filter(flag=one) for one in CODES[:4])
    yield from (Filter(text=one) for one in TELLING[:8])
    yield from (
        Filter(overdue=True),
        Filter(stage="begun"),
        Filter(text="ledger"),
        Filter(text="ledger", flag="appeal"),
    )
    if thorough:
        yield from (Filter(state=state) for state in STATES)
        yield from (Filter(severity=one, state="open") for one in SEVERITIES)
        yield from (Filter(queue="blind", severity=one, overdue=True) for one in SEVERITIES)
        yield from (Filter(text="ledger", severity=one) for one in SEVERITIES)
        yield from (Filter(text=one) for one in (*TELLING[8:], *WORDS[:3], "loan", "loan-507", "harbor", "zzsaid"))
        yield from (Filter(stage=stage) for stage in ("review", "adjudication"))
        yield from (Filter(holder=name) for name in ("ada", "ben"))


def lists(desk: Desk, thorough: bool = True) -> Answers:
    """What a desk says of its queues, as it crosses the wire."""
    found: Answers = {
        "backlog": wire.dump(list[QueueStatus], desk.backlog()),
        "outcomes": wire.dump(list[QueueOutcome], desk.outcomes()),
        "summary": wire.dump(SessionSummary, desk.summary(0)),
        "peek": wire.dump(CaseView | None, desk.peek(desk.queues[0])),
        "paused": wire.dump(list[PausedQueue], desk.paused()),
        "quality": wire.dump(list[Quality], desk.quality()),
    }
    for name, kind, act in (("ageing", list[Ageing], desk.ageing), ("people", list[PersonStatus], desk.people)):
        found[name] = outcome(lambda act=act, kind=kind: wire.dump(kind, act())).encode()  # type: ignore[misc]
    return found | {f"ids of {one}": repr(list(desk.ids(one))).encode() for one in filters(thorough)}


def cases(desk: Desk, case_ids: list[int]) -> Answers:
    """What a desk says of cases."""
    found: Answers = {"rows": wire.dump(dict[int, CaseRow], desk.rows(case_ids))}
    for i in case_ids:
        found |= {
            f"view of {i}": wire.dump(CaseView, desk.view(i)),
            f"similar to {i}": wire.dump(list[SimilarCase], desk.similar(i, 50)),
            f"most similar to {i}": wire.dump(list[SimilarCase], desk.similar(i, 2)),
            f"history of {i}": wire.dump(list[HistoryEntry], desk.history(i)),
            f"peers of {i}": wire.dump(Peers, desk.peers(i)),
            f"sealed of {i}": repr(desk.sealed_fields(i)).encode(),
        }
    return found


def too_early(desk: Desk, claim: Claim) -> Answers:
    """How it is refused to decide, and to judge with what is no judgement."""
    answers: tuple[Mapping[str, Any], ...] = (
        {}, {"label": "good"}, {"label": "bad"}, {"label": "neither"}, {"support": "supported", "label": "good"},
        {"support": "partly", "harm": 3, "label": "bad", "reasons": ["proxy"], "rationale": "The inputs say so."},
    )  # fmt: skip
    case_id, token = claim.lease.case_id, claim.lease.token
    found = {
        f"decide {n}": outcome(lambda given=given: desk.decide(Decision("early", case_id, token, given)))  # type: ignore[misc]
        for n, given in enumerate(answers)
    }
    found["wrong token"] = outcome(lambda: desk.decide(Decision("early", case_id, token + 1, {"label": "bad"})))
    for label, confidence in (("neither", 3), ("", None), ("good", 9)):
        found[f"judge {label} {confidence}"] = outcome(
            lambda label=label, confidence=confidence: desk.judge(claim.lease, label, confidence)  # type: ignore[misc]
        )
    return {name: text.encode() for name, text in found.items()}


def worked(desk: Desk) -> Answers:
    """What a person gets who takes one case after the other, and judges none."""
    found: Answers = {}
    for number in range(_SIZE - _SETTLED):
        claim = desk.claim("blind")
        found[f"claim {number}"] = wire.dump(Claim, claim)
        if number == 0:
            desk.save_draft(claim.lease.case_id, Draft({"support": "partly"}))
            found |= {f"early {name}": text for name, text in too_early(desk, claim).items()}
            found["lease"] = wire.dump(Lease, desk.extend(claim.lease))
            found |= {f"held: {name}": text for name, text in cases(desk, [claim.lease.case_id]).items()}
        (desk.skip, desk.release)[number == 1](claim.lease)
        if number == 1:
            desk.skip(desk.claim_case(claim.lease.case_id).lease)
    found["nothing left"] = outcome(lambda: desk.claim("blind")).encode()
    return found


def everything(world: StoreWorld, roles: tuple[Role, ...] | None, thorough: bool = True, **rules: Any) -> Answers:
    """All that a person sees, asks and is told before they judge, and as time goes by."""
    desk = world.desk("ada", queues=("blind",), roles=roles, **rules)
    found: Answers = {}
    for days in (0, 1.97, 6, 60) if thorough else (1.97,):
        world.clock.now += round(days * DAY * 60_000)
        found |= {f"day {days}: {name}": text for name, text in lists(desk, thorough).items()}
    waiting = [i for i in desk.ids(Filter()) if desk.view(i).hidden]
    assert len(waiting) == _SIZE - _SETTLED
    seen = [*waiting, *desk.ids(Filter(state="settled"))] if thorough else waiting[:5]
    return found | cases(desk, seen) | worked(desk)


def differing(one: Answers, other: Answers) -> dict[str, tuple[bytes, bytes]]:
    """The answers that are not the same."""
    return {
        name: (one.get(name, b""), other.get(name, b"")) for name in one | other if one.get(name) != other.get(name)
    }


@pytest.mark.parametrize("kind", sorted(WORLDS))
def test_what_the_model_said_changes_nothing_before_the_judgement(tmp_path: Path, kind: str) -> None:
    with worlds(tmp_path, kind, 1, 2) as (one, other):
        roles: tuple[Role, ...] | None = ("lead", "officer") if kind == "hub" else None
        found = [everything(world, roles, kind == "sqlite") for world in (one, other)]
    assert differing(*found) == {}


def test_nor_does_it_for_a_reviewer(tmp_path: Path) -> None:
    with worlds(tmp_path, "sqlite", 3, 4) as (one, other):
        assert differing(everything(one, ("reviewer",)), everything(other, ("reviewer",))) == {}


def reviewed_by_ben(world: StoreWorld, **rules: Any) -> None:
    """Ben says 'bad' of three cases, whatever the model said."""
    ben = world.desk("ben", queues=("blind",), **rules)
    for number in (4, 6, 7):
        claim = ben.claim_case(ben.find(asked(number)["id"]))
        view = ben.judge(claim.lease, "bad", 3)
        upheld = view.prediction.output.label == "bad"
        decide(ben, claim, agreeing(view) if upheld else {**overturning(view), "label": "bad"})


@pytest.mark.parametrize("roles", [("reviewer",), ("lead",)])
def test_nor_does_what_a_peer_made_of_it(tmp_path: Path, roles: tuple[Role, ...] | None) -> None:
    rules = {"reviews": POLICIES["blind"].reviews.model_copy(update={"independent": 2})}
    with worlds(tmp_path, "sqlite", 9, 10, **rules) as (one, other):
        for world in (one, other):
            reviewed_by_ben(world, **rules)
        assert differing(*(everything(world, roles, False, **rules) for world in (one, other))) == {}


def test_after_the_judgement_everything_is_shown(tmp_path: Path) -> None:
    with worlds(tmp_path, "sqlite", 1) as (world,):
        desk = world.desk("ada", queues=("blind",))
        for record in said(1)[_SETTLED:]:
            claim = desk.claim_case(desk.find(record["id"]))
            assert claim.view.row.severity is None
            view = desk.judge(claim.lease, "good", 3)
            grades = [SEVERITIES.index(flag.get("severity", "medium")) for flag in record.get("flags", ())]
            assert view.row.severity == SEVERITIES[max(grades, default=0)]
            assert view.prediction.output.label == record["output"].get("label")
            # Lists are the same for all: they say it once the case is settled.
            assert desk.rows([claim.lease.case_id])[claim.lease.case_id].severity is None
            decide(desk, claim, agreeing(view) if view.prediction.output.label else overturning(view))
            assert desk.rows([claim.lease.case_id])[claim.lease.case_id].severity == view.row.severity


# -- the order -----------------------------------------------------------------------------------------


def risky_first(size: int) -> list[dict[str, Any]]:
    """Predictions as senders sort them: the riskiest first, with a severity to match."""
    chance = random.Random(11)
    records = []
    for number in range(size):
        score = chance.random()
        severity = SEVERITIES[min(3, int(score * 4))]
        output = {"label": "bad" if score > 0.5 else "good", "score": score, "threshold": 0.5}
        record = {**asked(number), "id": f"loan-{chance.getrandbits(40)}", "output": output}
        records.append(record | {"flags": [{"code": "risk", "severity": severity}]})
    return sorted(records, key=lambda record: -record["output"]["score"])


def separation(values: Mapping[str, float], bad: Mapping[str, bool]) -> float:
    """How well a value by id tells the bad from the good: the area under the ROC curve; 0.5 is chance."""
    pairs = [(values[one], values[other]) for one in values if bad[one] for other in values if not bad[other]]
    return sum(1.0 if one > other else 0.5 * (one == other) for one, other in pairs) / len(pairs)


def test_place_and_due_time_do_not_tell_the_label_even_where_the_sender_sorts_by_it(tmp_path: Path) -> None:
    records = risky_first(400)
    bad = {record["id"]: record["output"]["label"] == "bad" for record in records}
    world = WORLDS["sqlite"](tmp_path)
    world.admit("blind", records)
    world.admit("credit", records)
    for queue, blind in (("blind", True), ("credit", False)):
        desk = world.desk("ada", queues=(queue,))
        rows = desk.rows(desk.ids(Filter()))
        by_place = {rows[case_id].id: place for place, case_id in enumerate(desk.ids(Filter()))}
        found = {
            "place": separation(by_place, bad),
            "due time": separation({row.id: row.due_at for row in rows.values()}, bad),
            "number": separation({row.id: row.case_id for row in rows.values()}, bad),
            "time": separation({row.id: row.admitted_at for row in rows.values()}, bad),
        }
        # The standard error is 0.03; where the answer is shown at once, order and due time are meant to tell.
        assert all(abs(value - 0.5) < 0.1 for value in found.values()) == blind, found
    world.close()


# -- queues that are switched over -----------------------------------------------------------------------

_KEPT = (
    "SELECT external_id, priority, due_at, severity, title, body FROM cases JOIN case_texts ON {key} = cases.case_id"
    " ORDER BY cases.case_id"
)


def kept(world: StoreWorld, kind: str) -> list[Any]:
    """What lists and order are made of."""
    return world.query(_KEPT.format(key="case_texts.case_id" if kind == "postgres" else "case_texts.rowid"))


@pytest.mark.parametrize("kind", sorted(WORLDS))
def test_a_queue_that_is_judged_first_from_now_on_is_put_in_order(tmp_path: Path, kind: str) -> None:
    seen: list[Answers] = []
    for seed in (1, 2):
        (tmp_path / str(seed)).mkdir()
        world = WORLDS[kind](tmp_path / str(seed))
        world.admit("credit", said(seed))
        before = kept(world, kind)
        desk = world.desk("ada", queues=("credit",), provisional=True)
        found = lists(desk, thorough=False) | cases(desk, list(desk.ids(Filter()))[:4])
        seen.append(found)
        assert kept(world, kind) != before
        assert world.verify().ok
        # And back: as it came in.
        world.desk("ada", "second", queues=("credit",), provisional=False)
        assert kept(world, kind) == before
        world.close()
    assert differing(*seen) == {}


def test_it_is_done_once(tmp_path: Path) -> None:
    world = WORLDS["sqlite"](tmp_path)
    world.admit("credit", said(1))
    for session in ("first", "second"):
        world.desk("ada", session, queues=("credit",), provisional=True)
    entries = world.query("SELECT count(*) FROM audit WHERE action = 'reordered'")
    assert entries == [(1,)]
    world.close()


def test_a_database_of_an_earlier_version_is_put_in_order(tmp_path: Path) -> None:
    world = WORLDS["sqlite"](tmp_path)
    world.admit("credit", said(1))
    later = ("auc", "low", "high", "by_chance", "said")
    world.run(
        "UPDATE cases SET queue = 'blind'",
        "DROP TABLE queue_orders",
        "DROP TABLE exposures",
        *(f"ALTER TABLE associations DROP COLUMN {name}" for name in later),
        "UPDATE alembic_version SET version_num = '0005'",
    )
    desk = world.desk("ada", queues=("blind",))
    assert {row.severity for row in desk.rows(desk.ids(Filter())).values()} == {None}
    assert world.query("SELECT DISTINCT priority, severity FROM cases") == [(100, -1)]
    assert list(desk.ids(Filter(text="zzflagzz"))) == []
    world.close()


def test_an_import_that_began_before_brings_nothing_in_that_tells(tmp_path: Path) -> None:
    world = WORLDS["sqlite"](tmp_path)
    with world.store() as store:
        admission = Admission(store, KEYS, "credit", POLICIES["credit"], "importer", clock=world.clock)
        world.desk("ada", queues=("credit",), provisional=True)
        with pytest.raises(BadInput, match="settings of queue 'credit' have changed"):
            list(admission.run((Raw(n, orjson.dumps(record)) for n, record in enumerate(said(1))), "samples"))
    assert world.query("SELECT count(*) FROM cases") == [(0,)]
    world.close()


def test_who_judges_first_is_not_told_which_fields_another_asked_for(tmp_path: Path) -> None:
    world = WORLDS["sqlite"](tmp_path)
    oz = world.officer("oz")
    world.officer("yy", oz)
    said_of_sex = {"kind": "text", "text": "said", "items": [{"feature": "sex", "value": "F"}]}
    record = {**asked(0), "output": {"label": "bad"}, "explanations": [said_of_sex]}
    world.admit("blind", [record])
    asks = world.desk("oz", queues=("blind",), roles=("officer",))
    looks = world.desk("yy", queues=("blind",), roles=("reviewer", "officer"))
    case_id = asks.find(record["id"])
    asks.ask_reveal(case_id, asks.sealed_fields(case_id), "a reason that will do")
    (mine,), (theirs,) = asks.reveals(), looks.reveals()
    assert set(theirs.fields) == set(looks.sealed_fields(case_id)) < set(mine.fields)
    claim = looks.claim_case(case_id)
    looks.judge(claim.lease, "good", 3)
    assert looks.reveals()[0].fields == mine.fields
    world.close()
