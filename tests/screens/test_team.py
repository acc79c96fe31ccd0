"""Work that several people share, by keys: adjudication, escalation, conflicts of interest, the lead's screen."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from app.desk.local import LocalDesk
from app.model.case import Decision
from screens.lead import LeadScreen
from tests.screens.seat import Seat, copy_of, seated

TWO = "\n[queues.summaries.reviews]\nindependent = 2\n"
FAITHFUL = {"worst_error": "none", "label": "faithful"}
WRONG = {"worst_error": "detail", "harm": 2, "label": "hallucinated", "rationale": "The number is not in the article."}


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    return copy_of(template, tmp_path / "desk", TWO)


def decide(desk: LocalDesk, case_id: int, answers: dict[str, Any]) -> None:
    claim = desk.claim_case(case_id)
    desk.decide(Decision(f"{desk.person}-{case_id}", case_id, claim.lease.token, answers))


def disputed(seat: Seat) -> tuple[int, str]:
    """A case of which two people said different things."""
    ada, ben = seat.other_desk("ada"), seat.other_desk("ben")
    claim = ada.claim("summaries")
    ada.release(claim.lease)
    decide(ada, claim.lease.case_id, FAITHFUL)
    decide(ben, claim.lease.case_id, WRONG)
    ada.close()
    ben.close()
    return claim.lease.case_id, claim.view.row.id


def rows(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(root / "secondlook.db") as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_an_adjudicator_weighs_the_reviews_and_settles(root: Path, size: tuple[int, int]) -> None:
    async with seated(root, size, "judy") as seat:
        case_id, name = disputed(seat)
        seat.shell.in_thread(lambda: seat.shell.desk.claim_case(case_id), seat.shell.inbox._open)
        await seat.until(lambda: seat.shell.screen is seat.review and seat.case == name)
        await seat.press("v")
        await seat.until(lambda: seat.shows("reviewer 1", "reviewer 2", "adjudicate"))
        assert seat.shows("≠", "hallucinated", "upheld → faithful")
        assert not seat.shows("ben")
        await seat.press("a")
        await seat.until(lambda: seat.shows("Begin with whose answers?"))
        theirs = next(n for n in ("1", "2") if f"▸{n} reviewer" in seat.text() or f" {n} reviewer" in seat.text())
        mine = "1" if "1 reviewer 1: overturned" in seat.text() else "2"
        assert theirs
        await seat.press(mine)
        await seat.until(lambda: seat.shows("enter submits"))
        await seat.press("ctrl+s")
        await seat.next_after(name)
        found = rows(root, f"SELECT verdict, reviewers, agreement FROM verdicts WHERE case_id = {case_id}")
        assert found == [("overturned", 3, 0.5)]


async def test_reviewers_have_no_paper_of_reviews(root: Path) -> None:
    async with seated(root, person="ada") as seat:
        await seat.take_next("summaries")
        await seat.press("v")
        assert not seat.shows("Reviews")
        await seat.press("a")
        await seat.until(lambda: seat.shows("no reviews to adopt"))


async def test_escalating_and_recusing_by_keys(root: Path) -> None:
    async with seated(root, person="ada") as seat:
        first = await seat.take_next("summaries")
        await seat.press("e")
        await seat.type("the source is gone")
        await seat.press("enter")
        second = await seat.next_after(first)
        await seat.until(lambda: seat.shows("escalated"))
        await seat.press("I")
        await seat.until(lambda: seat.shows("conflict of interest"))
        await seat.type("my own text")
        await seat.press("enter")
        await seat.next_after(second)
        assert rows(root, "SELECT kind, note FROM marks ORDER BY kind") == [
            ("conflict", "my own text"),
            ("escalate", "the source is gone"),
        ]
        assert rows(root, "SELECT count(*) FROM cases WHERE stage = 'adjudication'") == [(1,)]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_a_lead_sees_who_holds_what_and_acts(root: Path, size: tuple[int, int]) -> None:
    async with seated(root, size, "lea") as seat:
        ada = seat.other_desk("ada")
        held = ada.claim("summaries")
        name = held.view.row.id
        await seat.press("T")
        await seat.until(lambda: isinstance(seat.shell.screen, LeadScreen))
        await seat.press("2")
        await seat.until(lambda: seat.shows(name[:12]) and seat.shows("2 held 1"))
        await seat.press("a")
        await seat.until(lambda: seat.shows("Who shall decide"))
        await seat.press("1")
        await seat.until(lambda: seat.shows("goes to ada"))
        await seat.type("she asked for it")
        await seat.press("enter")
        await seat.until(lambda: rows(root, "SELECT reserved_for FROM cases WHERE reserved_for IS NOT NULL") != [])
        await seat.press("p")
        await seat.until(lambda: seat.shows("Which queue?"))
        await seat.press("2")
        await seat.until(lambda: seat.shows("Pause summaries"))
        await seat.type("the model was rolled back")
        await seat.press("enter")
        await seat.until(lambda: rows(root, "SELECT queue, person FROM pauses") == [("summaries", "lea")])
        ada.close()


async def test_a_lead_takes_a_case_over(root: Path) -> None:
    async with seated(root, person="lea") as seat:
        ada = seat.other_desk("ada")
        held = ada.claim("summaries")
        await seat.press("T")
        await seat.until(lambda: isinstance(seat.shell.screen, LeadScreen))
        await seat.press("2")
        await seat.until(lambda: seat.shows(held.view.row.id[:12]))
        await seat.press("t")
        await seat.until(lambda: seat.shows("Take over"))
        await seat.type("ada went home")
        await seat.press("enter")
        await seat.until(lambda: seat.shell.screen is seat.review and seat.case == held.view.row.id)
        assert rows(root, "SELECT lease_owner FROM cases WHERE state = 'leased'") == [("lea",)]
        ada.close()


async def test_what_is_late_comes_first(root: Path) -> None:
    with sqlite3.connect(root / "secondlook.db") as connection:
        connection.execute("UPDATE cases SET due_at = 1000 + case_id WHERE queue = 'credit'")
    async with seated(root, person="lea") as seat:
        await seat.press("T")
        await seat.until(lambda: isinstance(seat.shell.screen, LeadScreen) and seat.shows("late"))
        (late,) = rows(root, "SELECT count(*) FROM cases WHERE queue = 'credit'")[0]
        await seat.until(lambda: seat.shows(f"1 late {late}"))
        first = rows(root, "SELECT external_id FROM cases ORDER BY due_at LIMIT 1")[0][0]
        await seat.until(lambda: seat.shows(first[:12]))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_lead_reads_what_was_written_about_cases(root: Path, size: tuple[int, int]) -> None:
    async with seated(root, size, "lea") as seat:
        ada = seat.other_desk("ada")
        claim = ada.claim("summaries")
        ada.flag(claim.lease.case_id, "The article is behind a paywall")
        await seat.press("T")
        await seat.until(lambda: isinstance(seat.shell.screen, LeadScreen))
        await seat.press("6")
        await seat.until(lambda: seat.shows(claim.view.row.id[:12], "ada  flag", "behind a paywall", "6 notes 1"))
        await seat.press("s")
        await seat.until(lambda: seat.shows("No case has a note for the lead"))
        assert rows(root, "SELECT person FROM marks WHERE kind = 'seen'") == [("lea",)]
        ada.close()
