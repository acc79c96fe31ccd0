"""What a person sees and reads while the hub is away, and how they get out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.cli import main
from app.desk.remote import RemoteDesk
from app.hub.hub import Hub
from app.settings import find_workspace
from app.shell import Shell
from screens.inbox import InboxScreen
from tests.contract import hubs
from tests.contract.worlds import SqliteWorld, decision
from tests.hub.line import Line
from tests.screens.seat import Seat

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing of ours, and pauses that a test can wait for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("SECONDLOOK_WORKSPACE", "SECONDLOOK_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("app.desk.retrying.FIRST_PAUSE", 0.05)
    monkeypatch.setattr("app.desk.retrying.LONGEST_PAUSE", 0.2)


@pytest.fixture
def line(hub: Hub, address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    made = Line(address)
    monkeypatch.setenv("SECONDLOOK_HUB", made.url)
    monkeypatch.setenv("SECONDLOOK_HUB_TOKEN", hubs.sign_in(hub, "ada", "reviewer"))
    yield made
    made.cut()


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def act(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(list(words))
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return code, out, err

    return act


def inbox(seat: Seat) -> bool:
    """Whether the inbox stands with all cases."""
    return isinstance(seat.shell.screen, InboxScreen) and seat.cases.count == 18


async def open_case(seat: Seat) -> str:
    """Takes a case whose rubric asks for two answers."""
    await seat.until(lambda: inbox(seat))
    return await seat.take_next("summaries")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_decision_while_the_hub_is_away(line: Line, world: SqliteWorld, size: tuple[int, int]) -> None:
    shell = Shell(lambda: find_workspace(None), None)
    async with shell.run_test(size=size) as pilot:
        seat = Seat(shell, pilot, Path())
        case = await open_case(seat)
        line.cut()
        await seat.press("1")
        await seat.until(lambda: seat.shows("the hub does not answer since", "1 draft kept here"))
        assert seat.case == case
        await seat.press("1", "enter")
        await seat.until(lambda: isinstance(shell.screen, InboxScreen))
        await seat.until(lambda: seat.shows(f"{case} kept here, not sent", "1 decision kept here"))
        assert world.query("SELECT person FROM reviews") == []
        line.mend()
        await seat.until(lambda: seat.shows("the hub answers again; what was kept here is sent (1)"))
        assert world.query("SELECT person FROM reviews") == [("ada",)]
        await seat.take_next("summaries")
    assert not any("not sent" in said for said in shell.farewell)


async def test_a_draft_is_sent_and_the_case_stays(line: Line, world: SqliteWorld) -> None:
    shell = Shell(lambda: find_workspace(None), None)
    async with shell.run_test(size=(120, 40)) as pilot:
        seat = Seat(shell, pilot, Path())
        case = await open_case(seat)
        line.cut()
        await seat.press("1")
        await seat.until(lambda: seat.shows("1 draft kept here"))
        line.mend()
        await seat.until(lambda: seat.shows("the hub answers again"))
        assert world.query("SELECT count(*) FROM drafts") == [(1,)]
        await seat.press("1", "enter")
        await seat.next_after(case)
    assert world.query("SELECT person FROM reviews") == [("ada",)]


@pytest.mark.parametrize("how", ["cut", "hangs"])
async def test_quitting_works_at_once_and_says_what_is_unsent(how: str, line: Line, world: SqliteWorld) -> None:
    shell = Shell(lambda: find_workspace(None), None)
    async with shell.run_test(size=(120, 40)) as pilot:
        seat = Seat(shell, pilot, Path())
        await open_case(seat)
        if how == "cut":
            line.cut()
        else:
            line.hangs = True
        await seat.press("1", "1", "enter")
        begun = time.monotonic()
        await seat.press("ctrl+q")
        await seat.until(lambda: not shell.is_running)
    assert time.monotonic() - begun < 5.0
    assert shell.farewell[-1].startswith("1 decision is not sent yet: it is sent when you open secondlook again")
    line.mend()
    again = Shell(lambda: find_workspace(None), None)
    async with again.run_test(size=(120, 40)) as pilot:
        seat = Seat(again, pilot, Path())
        await seat.until(lambda: inbox(seat) or seat.cases.count == 17)
    assert world.query("SELECT person FROM reviews") == [("ada",)]


async def test_what_is_refused_later_is_told_until_somebody_is_there(line: Line, world: SqliteWorld) -> None:
    shell = Shell(lambda: find_workspace(None), None)
    async with shell.run_test(size=(120, 40), notifications=True) as pilot:
        seat = Seat(shell, pilot, Path())
        case = await open_case(seat)
        line.cut()
        await seat.press("1", "1", "enter")
        await seat.until(lambda: seat.shows("1 decision kept here"))
        world.clock.forward(minutes=20)
        ben = world.desk("ben")
        ben.decide(decision(ben.claim_case(ben.find(case))))
        line.mend()
        await seat.until(lambda: seat.shows(f"{case} is settled already", "Your answers are kept"))
        await pilot.pause(1.1)
        assert len(shell.desk.unsent().refused) == 1
        await seat.press("j")
        await seat.until(lambda: not shell.desk.unsent().refused)


async def test_a_desk_that_cannot_be_opened_says_what_is_kept(line: Line, world: SqliteWorld) -> None:
    desk = RemoteDesk(line.url, _token())
    claim = desk.claim("summaries")
    line.cut()
    desk.decide(decision(claim))
    desk.close()
    shell = Shell(lambda: find_workspace(None), None)
    async with shell.run_test() as pilot:
        await Seat(shell, pilot, Path()).until(lambda: bool(shell.failure))
    assert shell.failure_code == 5
    assert "cannot be reached" in shell.failure and "1 decision that is not sent yet is kept here" in shell.failure


def test_the_line_mode_keeps_a_decision(run: Run, line: Line, world: SqliteWorld, tmp_path: Path) -> None:
    code, out, err = run("next", "--queue", "summaries", "--json")
    assert code == 0, err
    case = json.loads(out)["id"]
    answers = tmp_path / "answers.json"
    answers.write_text('{"worst_error": "none", "label": "faithful"}')
    line.cut_at = b"/decisions"
    code, out, err = run("decide", case, "--answers", str(answers), "--json")
    said = json.loads(out)
    assert (code, said["sent"], said["verdict"], said["undo_until"]) == (0, False, "kept", None)
    assert f"{case} is kept here, not sent: the hub does not answer" in err
    assert "sent when you open secondlook again" in err
    code, out, err = run("next")
    assert code == 5 and "1 decision that is not sent yet is kept here" in err
    line.mend()
    code, out, err = run("cases", "--json")
    assert code == 0 and "Sent what was kept here while the hub did not answer: 1." in err
    assert world.query("SELECT person FROM reviews") == [("ada",)]


def test_the_line_mode_tells_what_was_not_taken(run: Run, line: Line, world: SqliteWorld, tmp_path: Path) -> None:
    code, out, err = run("next", "--queue", "summaries", "--json")
    case = json.loads(out)["id"]
    (tmp_path / "answers.json").write_text('{"worst_error": "none", "label": "faithful"}')
    line.cut_at = b"/decisions"
    assert run("decide", case, "--answers", str(tmp_path / "answers.json"))[0] == 0
    world.clock.forward(minutes=20)
    line.mend()
    code, _, err = run("cases")
    assert code == 0 and f"Not taken: {case}." in err and "the lease ran out" in err
    code, _, err = run("cases")
    assert code == 0 and "Not taken" not in err


def _token() -> str:
    import os

    return os.environ["SECONDLOOK_HUB_TOKEN"]
