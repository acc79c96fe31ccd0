"""The inbox: what it lists, how one searches and filters, what it says when there is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.model.errors import Refused
from tests.screens.seat import seated


async def test_lists_every_case_and_the_backlog(root: Path) -> None:
    async with seated(root, (200, 50)) as seat:
        await seat.until(lambda: seat.shows("72 cases", "Backlog", "Content moderation", "24  open"))
        assert seat.cases.count == 72


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_moves_by_keys_at_every_size(root: Path, size: tuple[int, int]) -> None:
    async with seated(root, size) as seat:
        await seat.press("j", "j", "j", "k")
        assert seat.cases.cursor == 2
        await seat.press("G")
        assert seat.cases.cursor == 71
        await seat.press("g")
        assert seat.cases.cursor == 0
        assert "▸" in seat.text()


async def test_filters_turn_through_their_values(root: Path) -> None:
    async with seated(root) as seat:
        await seat.press("c")
        await seat.until(lambda: seat.cases.count == 24)
        assert seat.shows("queue credit")
        await seat.press("escape")
        await seat.until(lambda: seat.cases.count == 72)


async def test_search_finds_words_and_says_when_there_are_none(root: Path) -> None:
    async with seated(root) as seat:
        await seat.press("slash")
        await seat.type("marlow")
        await seat.until(lambda: 0 < seat.cases.count < 10)
        await seat.until(lambda: seat.shows("Marlow"))
        await seat.type("qqqq")
        await seat.until(lambda: seat.shows("No case matches"))
        await seat.press("escape")
        await seat.until(lambda: seat.cases.count == 72)


async def test_keys_are_text_while_searching(root: Path) -> None:
    async with seated(root) as seat:
        await seat.press("slash")
        await seat.type("nq")
        assert seat.shell.screen is not seat.review
        assert seat.shell.is_running


async def test_flags_of_a_queue_with_first_judgements_stay_hidden(root: Path) -> None:
    async with seated(root) as seat:
        await seat.press("c")
        await seat.until(lambda: seat.cases.count == 24 and seat.shows("loan-"))
        assert "near_threshold" not in seat.text()


async def test_opens_the_case_under_the_cursor(root: Path) -> None:
    async with seated(root) as seat:
        await seat.press("j", "j")
        wanted = seat.cases.current
        await seat.press("enter")
        await seat.until(lambda: seat.shell.screen is seat.review and bool(seat.case))
        assert seat.review._working is not None
        assert seat.review._working.case_id == wanted


async def test_a_case_held_by_somebody_else_can_only_be_looked_at(root: Path) -> None:
    async with seated(root) as seat:
        other = seat.other_desk("ben")
        case_id = seat.cases.current
        assert case_id is not None
        other.claim_case(case_id)
        await seat.press("enter")
        await seat.until(lambda: seat.shows("ben has"))
        await seat.press("1")
        await seat.until(lambda: seat.shell.screen is seat.review and seat.shows("only look"))
        await seat.press("1", "enter")
        assert other.view(case_id).row.holder == "ben"
        other.close()


async def test_an_empty_queue_says_why(root: Path) -> None:
    async with seated(root) as seat:
        other = seat.other_desk("ben")
        for _ in range(24):
            other.claim("moderation")
        for _ in range(3):
            await seat.press("c")
        await seat.press("n")
        await seat.until(lambda: seat.shows("24 held by others"))
        other.close()


async def test_a_workspace_that_cannot_be_opened_ends_with_the_reason(root: Path) -> None:
    (root / "secondlook.db").write_bytes(b"this is no database, but something that was here before" * 50)
    async with seated(root) as seat:
        await seat.until(lambda: bool(seat.shell.failure))
        assert "damaged" in seat.shell.failure
    assert (root / "secondlook.db").read_bytes().startswith(b"this is no database")


async def test_a_notice_holds_no_byte_that_acts_on_the_terminal(root: Path) -> None:
    async with seated(root) as seat:
        seat.shell.tell_error(Refused("case \x1b]52;c;aGk=\x07 [red]is held\u202e"))
        await seat.until(lambda: len(seat.shell._notifications) == 1)
        (notice,) = seat.shell._notifications
        assert not any(bad in notice.message for bad in "\x1b\x07\u202e")
        assert notice.message.startswith("case ␛]52")
        assert not notice.markup
