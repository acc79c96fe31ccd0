"""Verdicts since a cursor: in order, each case as it stands now, nothing missed, whatever happened in between."""

from __future__ import annotations

import base64
import random
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from app.desk import erasing, wire
from app.hub import verdicts
from app.hub.hub import Hub
from app.model.policy import Reviews
from db.engine import open_store
from tests.contract import hubs
from tests.contract.worlds import KEYS, POLICIES, RUBRICS, PostgresWorld, SqliteWorld, StoreWorld, decide, overturning
from tests.hub.conftest import Ask, problem


def page(client: httpx.Client, **query: Any) -> dict[str, Any]:
    answer = client.get("/verdicts", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


class Reader:
    """A program that keeps the newest truth for every case."""

    def __init__(self, client: httpx.Client, **query: Any) -> None:
        self.client, self.query, self.cursor = client, query, ""
        self.known: dict[int, dict[str, Any]] = {}
        self.heard: list[dict[str, Any]] = []

    def read(self, most: int = 1000) -> None:
        for _ in range(most):
            found = page(self.client, after=self.cursor, **self.query)
            self.cursor = found["next"]
            for one in found["verdicts"]:
                self.heard.append(one)
                if one["verdict"] is None:
                    self.known.pop(one["case"], None)
                else:
                    self.known[one["case"]] = one
            if not found["more"]:
                return


def truth(world: StoreWorld) -> dict[int, tuple[str, str | None]]:
    return {row[0]: (row[1], row[2]) for row in world.query("SELECT case_id, verdict, label FROM verdicts")}


def said(reader: Reader) -> dict[int, tuple[str, str | None]]:
    return {case: (one["verdict"], one["label"]) for case, one in reader.known.items()}


def test_verdicts_in_the_order_in_which_they_were_settled(ask: Ask, world: SqliteWorld) -> None:
    desk = world.desk("ada")
    numbers = [12, 3, 7, 5]
    for number in numbers:
        claim = desk.claim_case(number)
        decide(desk, claim, overturning(claim.view) if number == 7 else None)
        world.clock.forward(minutes=-1)
    found = page(ask("intake"))
    assert [one["case"] for one in found["verdicts"]] == numbers
    assert not found["more"]
    third = found["verdicts"][2]
    ((external,),) = world.query("SELECT external_id FROM cases WHERE case_id = 7")
    ((review,),) = world.query("SELECT review_id FROM reviews WHERE case_id = 7")
    rubric = RUBRICS["credit"]
    assert third | {"cursor": "", "label": ""} == {
        "case": 7,
        "id": external,
        "revision": 1,
        "queue": "credit",
        "verdict": "overturned",
        "label": "",
        "correction": None,
        "reviewers": 1,
        "agreement": 1.0,
        "settled_at": "2027-04-29T11:58:00.000Z",
        "rubric": {"id": rubric.id, "version": rubric.version, "hash": rubric.hash},
        "decision_id": review,
        "erased": False,
        "cursor": "",
    }
    after = page(ask("lead"), after=third["cursor"])
    assert [one["case"] for one in after["verdicts"]] == [5]
    assert page(ask("auditor"), after=found["next"]) == {"verdicts": [], "next": found["next"], "more": False}


def test_nothing_yet(ask: Ask, world: SqliteWorld) -> None:
    client = ask("intake")
    empty = page(client)
    assert empty["verdicts"] == [] and not empty["more"]
    desk = world.desk("ada")
    decide(desk, desk.claim("credit"))
    assert len(page(client, after=empty["next"])["verdicts"]) == 1


def test_what_is_taken_back_and_decided_anew(ask: Ask, world: SqliteWorld) -> None:
    desk, reader = world.desk("ada"), Reader(ask("intake"))
    claim = desk.claim("credit")
    case = claim.lease.case_id
    decide(desk, claim)
    reader.read()
    assert said(reader) == truth(world) == {case: ("upheld", claim.view.prediction.output.label)}
    again = desk.undo()
    reader.read()
    assert (said(reader), reader.heard[-1]["verdict"], reader.heard[-1]["id"]) == ({}, None, again.view.row.id)
    decide(desk, again, overturning(again.view))
    reader.read()
    assert said(reader) == truth(world) and reader.known[case]["verdict"] == "overturned"
    # Whoever begins now hears of the case once.
    late = Reader(ask("intake"))
    late.read()
    assert [one["verdict"] for one in late.heard] == ["overturned"]


def test_what_was_erased(ask: Ask, world: SqliteWorld) -> None:
    desk, reader = world.desk("ada"), Reader(ask("intake"), queue="credit")
    case = desk.claim("credit").lease.case_id
    decide(desk, desk.claim_case(case))
    reader.read()
    with world.store() as store:
        erasing.erase(store, KEYS, erasing.plan_case(store, case), "officer", world.clock())
    reader.read()
    gone = reader.heard[-1]
    assert gone | {"cursor": ""} == dict.fromkeys(gone) | {"case": case, "erased": True, "cursor": ""}
    assert said(reader) == {}


def test_a_queue_of_ones_own(ask: Ask, world: SqliteWorld) -> None:
    desk, client = world.desk("ada"), ask("intake")
    for queue in ("credit", "summaries", "credit"):
        decide(desk, desk.claim(queue))
    assert [one["queue"] for one in page(client, queue="summaries")["verdicts"]] == ["summaries"]
    assert [one["queue"] for one in page(client)["verdicts"]] == ["credit", "summaries", "credit"]
    answer = client.get("/verdicts?queue=payroll")
    assert (answer.status_code, problem(answer)) == (422, "bad-input")


def test_a_hub_tells_of_its_queues_only(world: SqliteWorld, hub: Hub) -> None:
    desk = world.desk("ada")
    for queue in ("credit", "summaries"):
        decide(desk, desk.claim(queue))
    narrow = Hub(hub.store, {"credit": POLICIES["credit"]}, RUBRICS, KEYS, clock=world.clock)
    token = hubs.sign_in(hub, "scoring", "intake")
    with httpx.Client(base_url=f"{hubs.serve(narrow)}/v1", headers={"authorization": f"Bearer {token}"}) as client:
        assert [one["queue"] for one in page(client)["verdicts"]] == ["credit"]


def test_copies_that_measure_people_are_no_cases(ask: Ask, world: SqliteWorld) -> None:
    desk = world.desk("ada")
    for number in (1, 2):
        decide(desk, desk.claim_case(number))
    world.run("INSERT INTO controls (case_id, of_case, person, kind, at) VALUES (2, 1, 'ada', 'repeat', 0)")
    assert [one["case"] for one in page(ask("intake"))["verdicts"]] == [1]


def test_a_case_of_several_reviews_is_told_when_it_is_settled(ask: Ask, world: SqliteWorld) -> None:
    reader = Reader(ask("intake"))
    for person in ("ada", "ben"):
        desk = world.desk(person, reviews=Reviews(independent=2))
        assert reader.heard == []
        decide(desk, desk.claim_case(4))
        reader.read()
    (told,) = reader.heard
    assert (told["case"], told["verdict"], told["reviewers"], told["agreement"]) == (4, "upheld", 2, 1.0)
    late = Reader(ask("intake"))
    late.read()
    assert late.heard == [told]


def test_what_is_taken_back_is_told_although_more_reviews_are_to_come(ask: Ask, world: SqliteWorld) -> None:
    reader = Reader(ask("intake"))
    alone = world.desk("ada")
    decide(alone, alone.claim_case(4))
    reader.read()
    alone.undo()
    # From now on two have to review it, and the first one has.
    desk = world.desk("ada", reviews=Reviews(independent=2))
    decide(desk, desk.claim_case(4, take_over=True))
    reader.read()
    assert [(one["case"], one["verdict"]) for one in reader.heard] == [(4, "upheld"), (4, None)]


@pytest.mark.parametrize(
    "change",
    [
        lambda good: "nonsense",
        lambda good: "é",
        lambda good: good + "=",
        lambda good: good + "A",
        lambda good: good[:-1],
        lambda good: " " + good,
        lambda good: good[:-1] + ("B" if good[-1] != "B" else "C"),
        lambda good: base64.urlsafe_b64encode(b"\x02" + base64.urlsafe_b64decode(good + "=")[1:]).decode()[:-1],
        lambda good: base64.urlsafe_b64encode(b"\x01" + b"\xff" * 16).decode()[:-1],
        lambda good: base64.urlsafe_b64encode(b"\x01" + (10**6).to_bytes(8) + b"x" * 8).decode()[:-1],
    ],
)
def test_a_forged_cursor(change: Any, ask: Ask, world: SqliteWorld) -> None:
    desk, client = world.desk("ada"), ask("intake")
    decide(desk, desk.claim("credit"))
    good = page(client)["next"]
    answer = client.get("/verdicts", params={"after": change(good)})
    assert (answer.status_code, problem(answer)) == (422, "bad-input")
    assert page(client, after=good)["verdicts"] == []


def test_a_cursor_of_what_a_restored_database_no_longer_holds(ask: Ask, hub: Hub, tmp_path: Path) -> None:
    ahead, behind = SqliteWorld(tmp_path / "ahead"), SqliteWorld(tmp_path / "behind")
    for world, queue in ((ahead, "credit"), (behind, "summaries")):
        world.folder.mkdir()
        world._fill({queue: 2})
        desk = world.desk("ada")
        decide(desk, desk.claim(queue))
    cursors = []
    for world in (ahead, behind):
        store = open_store(world.url)
        one = Hub(store, dict(POLICIES), RUBRICS, KEYS, clock=world.clock)
        token = hubs.sign_in(one, "scoring", "intake")
        with httpx.Client(base_url=f"{hubs.serve(one)}/v1", headers={"authorization": f"Bearer {token}"}) as client:
            cursors.append(page(client)["next"])
            assert client.get("/verdicts", params={"after": cursors[0]}).status_code == (200 if world is ahead else 422)
        store.close()
        world.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize(("limit", "span"), [(1, 20_000), (3, 7), (1000, 20_000)])
def test_readers_miss_nothing(
    kind: str, limit: int, span: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People decide, undo and decide anew; readers that come at odd times end with the truth."""
    monkeypatch.setattr(verdicts, "_SPAN", span)
    world = (SqliteWorld if kind == "sqlite" else PostgresWorld)(tmp_path)
    world._fill({"credit": 8, "summaries": 4})
    store = open_store(world.url)
    hub = Hub(store, dict(POLICIES), RUBRICS, KEYS, clock=world.clock)
    token = hubs.sign_in(hub, "scoring", "intake")
    dice = random.Random(limit)
    with httpx.Client(base_url=f"{hubs.serve(hub)}/v1", headers={"authorization": f"Bearer {token}"}) as client:
        readers = [Reader(client, limit=limit) for _ in range(3)]
        desk = world.desk("ada")
        for _ in range(40):
            world.clock.forward(ms=dice.randrange(1000))
            if dice.random() < 0.4 and truth(world):
                claim = desk.undo()
                if dice.random() < 0.5:
                    decide(desk, claim, overturning(claim.view))
                else:
                    desk.release(claim.lease)
            elif world.query("SELECT 1 FROM cases WHERE state = 'open' LIMIT 1"):
                decide(desk, desk.claim())
            dice.choice(readers).read(dice.randrange(3))
        for reader in readers:
            reader.read()
            assert said(reader) == truth(world)
    store.close()
    world.close()


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1"])
def test_a_limit_that_is_none(limit: str, ask: Ask) -> None:
    assert problem(ask("intake").get(f"/verdicts?limit={limit}")) == "bad-input"


def test_the_example_is_a_page() -> None:
    example = {"verdicts": [verdicts._EXAMPLE], "next": verdicts._EXAMPLE["cursor"], "more": False}
    assert wire.dump(verdicts.Verdicts, wire.load(verdicts.Verdicts, example)) == orjson.dumps(example)
