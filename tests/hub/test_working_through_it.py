"""A terminal without a workspace: signed in to a hub, everything as at home."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import main
from app.hub.hub import Hub
from app.settings import find_workspace
from app.shell import Shell
from screens.inbox import InboxScreen
from tests.contract import hubs
from tests.contract.worlds import SqliteWorld
from tests.screens.seat import Seat
from tests.unit.test_secrets import Ring, use

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing of ours."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("SECONDLOOK_WORKSPACE", "SECONDLOOK_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def signed_in(hub: Hub, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_HUB", address)
    monkeypatch.setenv("SECONDLOOK_HUB_TOKEN", hubs.sign_in(hub, "ada", "reviewer"))


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def act(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(list(words))
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return code, out, err

    return act


@pytest.mark.usefixtures("signed_in")
def test_the_line_mode(run: Run, world: SqliteWorld, tmp_path: Path) -> None:
    code, out, err = run("next", "--queue", "summaries", "--json")
    assert code == 0, err
    case = json.loads(out)["id"]
    (tmp_path / "answers.json").write_text('{"worst_error": "none", "label": "faithful"}')
    code, _, err = run("decide", case, "--answers", str(tmp_path / "answers.json"))
    assert code == 0, err
    assert run("undo", case)[0] == 0
    assert world.query("SELECT person FROM reviews") == [("ada",)]
    assert run("next", "--queue", "nowhere")[0] == 2
    assert world.verify().ok


@pytest.mark.usefixtures("signed_in")
def test_what_needs_the_database_says_so(run: Run) -> None:
    code, _, err = run("audit", "verify")
    assert code == 5 and "works where the hub's workspace is" in err
    code, _, err = run("--as", "ben", "cases")
    assert code == 2 and "you are ada" in err


@pytest.mark.usefixtures("signed_in")
async def test_the_desk(world: SqliteWorld) -> None:
    shell = Shell(lambda: find_workspace(None), None)
    async with shell.run_test(size=(120, 40)) as pilot:
        seat = Seat(shell, pilot, Path())
        await seat.until(lambda: isinstance(shell.screen, InboxScreen) and seat.cases.count == 18)
        first = await seat.take_next("summaries")
        await seat.press("1", "1", "enter")
        await seat.next_after(first)
    assert world.query("SELECT person FROM reviews") == [("ada",)]


def test_signing_in_and_out(hub: Hub, address: str, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, Ring())
    monkeypatch.setenv("SECONDLOOK_HUB", address)
    monkeypatch.delenv("SECONDLOOK_HUB_TOKEN", raising=False)
    code, _, err = run("cases")
    assert code == 5 and f"secondlook login {address}" in err
    token = hubs.sign_in(hub, "ada", "reviewer")
    (tmp_path / "token").write_text(token + "\n")
    with (tmp_path / "token").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert run("login", address)[0] == 0
    assert run("cases")[0] == 0
    assert run("logout", address)[0] == 0
    assert run("cases")[0] == 5


@pytest.mark.parametrize("bad", ["http://127.0.0.1:9", "http://hub.example.com", "nonsense"])
def test_a_wrong_address_is_said(bad: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_HUB", bad)
    monkeypatch.setenv("SECONDLOOK_HUB_TOKEN", "sl_x")
    code, _, err = run("cases")
    assert code in (2, 5) and "Traceback" not in err and bad.partition("//")[2] in err


def test_a_token_that_is_not_valid_is_said(address: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDLOOK_HUB", address)
    monkeypatch.setenv("SECONDLOOK_HUB_TOKEN", "sl_x")
    code, _, err = run("cases")
    assert code == 3 and "does not know this token" in err
