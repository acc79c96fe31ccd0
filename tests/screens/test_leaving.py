"""Whoever leaves takes no case along, at whatever moment they leave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.model.case import Filter
from tests.screens.seat import Seat, seated


def held(seat: Seat) -> list[str]:
    """The cases that somebody has."""
    desk = seat.other_desk("lea")
    try:
        return [row.id for row in desk.rows(list(desk.ids(Filter(state="leased")))).values()]
    finally:
        desk.close()


def until(holds: Callable[[], bool]) -> None:
    """A thread of a program that has ended may have something left to do."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


class Slow:
    """An act of the desk that comes back (or, unless `first`, is carried out) when it is told to."""

    def __init__(self, act: Any, first: bool = True) -> None:
        self._act = act
        self._first = first
        self.over = False
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, *arguments: Any) -> Any:
        try:
            done = self._act(*arguments) if self._first else None
            self.begun.set()
            assert self.go_on.wait(20)
            return done if self._first else self._act(*arguments)
        finally:
            self.over = True


async def claiming(seat: Seat, monkeypatch: pytest.MonkeyPatch, key: str) -> Slow:
    """Presses a key that claims a case; the claim is carried out, and its answer on its way."""
    slow = Slow(seat.shell.desk.claim)
    monkeypatch.setattr(seat.shell.desk, "claim", slow)
    await seat.press(key)
    await seat.until(slow.begun.is_set)
    return slow


async def test_while_a_claim_is_on_its_way(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with seated(root) as seat:
        slow = await claiming(seat, monkeypatch, "n")
        assert len(held(seat)) == 1
        await seat.press("ctrl+q")
        slow.go_on.set()
        await seat.until(lambda: not seat.shell.is_running or seat.shell._exit)
    until(lambda: held(seat) == [])


async def test_while_a_case_is_being_drawn(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with seated(root) as seat:
        claim = seat.shell.desk.claim("summaries")
        # Claimed, and on no screen yet.
        seat.shell.review.show_claim(claim, "summaries")
        assert not seat.review.is_mounted
        await seat.press("ctrl+q")
        await seat.until(lambda: not seat.shell.is_running or seat.shell._exit)
    assert held(seat) == []


async def test_answers_of_the_case_before_are_not_kept_for_the_next(root: Path) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        await seat.press("1")
        await seat.until(lambda: bool(seat.review.form.answers))
        desk = seat.shell.desk
        claim = desk.claim("summaries")
        assert claim.view.row.id != first
        # The form still shows the case before.
        seat.review._working = type(seat.review._working).claimed(claim, 60, 0)  # type: ignore[union-attr]
        seat.review.hand_back()
        assert desk.claim_case(claim.lease.case_id).draft.answers == {}


async def test_esc_while_an_act_is_on_its_way(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        slow = await claiming(seat, monkeypatch, "s")
        await seat.press("escape")
        await seat.until(lambda: seat.shows("leaving after this"))
        slow.go_on.set()
        await seat.until(lambda: seat.shell.screen is seat.shell.inbox)
        await seat.until(lambda: seat.shows(f"{first[:20]}") and seat.shows("skipped"))
        until(lambda: held(seat) == [])


async def test_while_a_decision_is_on_its_way(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        slow = Slow(seat.shell.desk.decide, first=False)
        monkeypatch.setattr(seat.shell.desk, "decide", slow)
        await seat.press("1", "j", "j", "j", "1", "enter")
        await seat.until(slow.begun.is_set)
        await seat.press("ctrl+q")
        threading.Timer(0.2, slow.go_on.set).start()
        await seat.until(lambda: not seat.shell.is_running or seat.shell._exit)
    until(lambda: held(seat) == [])
    desk = seat.other_desk("ada")
    assert desk.view(desk.find(first)).row.verdict == "upheld"
    assert desk.summary(0).drafts == 0
    desk.close()


async def test_a_late_answer_about_the_case_before_closes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        slow = Slow(seat.shell.desk.extend, first=False)
        monkeypatch.setattr(seat.shell.desk, "extend", slow)
        assert seat.review._working is not None
        seat.review._working.extended_at = 0
        await seat.press("s")
        await seat.until(slow.begun.is_set)
        second = await seat.next_after(first)
        slow.go_on.set()
        until(lambda: slow.over)
        await seat.pilot.pause(0.1)
        assert held(seat) == [second]
        assert not seat.review._working.lost


async def test_a_key_pressed_twice_takes_one_case(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with seated(root) as seat:
        slow = await claiming(seat, monkeypatch, "n")
        await seat.press("n", "n")
        slow.go_on.set()
        await seat.until(lambda: seat.shell.screen is seat.review and bool(seat.case) and not seat.review._busy)
        assert held(seat) == [seat.case]
