"""Break-glass and reported leaks, with keys, on the real desk."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import officer_key
from app.cli import main
from app.demo import fill
from app.settings import load_workspace
from screens.reveal import RevealScreen
from tests.screens.seat import Seat, make_template, seated
from tests.unit.test_secrets import NULL, use

WORDS = "correct horse battery"
REASON = "the applicant asked for it"


@pytest.fixture
def officers_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with olga as its officer, and its samples sealed to her."""
    monkeypatch.setenv(officer_key.FOLDER, str(tmp_path / "officers"))
    monkeypatch.setenv(officer_key.PASSPHRASE, WORDS)
    use(monkeypatch, NULL)
    root = tmp_path / "desk"
    assert main(["init", str(root)]) == 0
    settings = root / "secondlook.toml"
    settings.write_text(settings.read_text() + "\n[queues.credit.reveal]\napproval = false\n")
    assert main(["--workspace", str(root), "--as", "olga", "officer", "setup", "--passphrase"]) == 0
    fill(load_workspace(root), "importer")
    monkeypatch.delenv(officer_key.PASSPHRASE)
    return root


async def ask(seat: Seat) -> None:
    await seat.press("R")
    await seat.until(lambda: seat.shows("[ ] sensitive.sex"))
    await seat.press(str(_number(seat, "sensitive.sex")))
    await seat.until(lambda: seat.shows("[x] sensitive.sex"))
    await seat.press("enter")
    await seat.type(REASON)
    await seat.press("enter")


def _number(seat: Seat, field: str) -> int:
    line = next(line for line in seat.text().splitlines() if field in line)
    return int(line.split("[ ]")[0].split("│")[-1].strip(" ▸"))


def open_dialog(seat: Seat) -> bool:
    return isinstance(seat.shell.screen, RevealScreen)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_an_officer_sees_a_value_and_it_is_masked_again(officers_root: Path, size: tuple[int, int]) -> None:
    async with seated(officers_root, size, "olga") as seat:
        await seat.take_next("credit")
        await ask(seat)
        await seat.until(lambda: seat.shows("passphrase of your officer's key"))
        await seat.type("wrong passphrase")
        await seat.press("enter")
        await seat.until(lambda: seat.shows("try again"))
        await seat.type(WORDS)
        assert not seat.shows(WORDS)
        await seat.press("enter")
        await seat.until(lambda: seat.shows("masked again in 1", "sensitive.sex"))
        assert any(seat.shows(value) for value in ("female", "male"))
        await seat.press("escape")
        await seat.until(lambda: not open_dialog(seat))
        assert not seat.shows("female")
        desk = seat.other_desk("audrey")
        assert [r.state for r in desk.reveals()] == ["opened"]
        desk.close()


async def test_values_vanish_when_their_time_is_over(officers_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(officer_key.PASSPHRASE, WORDS)
    async with seated(officers_root, person="olga") as seat:
        await seat.take_next("credit")
        await ask(seat)
        await seat.until(lambda: seat.shows("masked again in 1"))
        dialog = seat.shell.screen
        assert isinstance(dialog, RevealScreen)
        dialog._until = 0
        await seat.until(lambda: not open_dialog(seat))


async def test_who_is_no_officer_is_told_so(officers_root: Path) -> None:
    async with seated(officers_root, person="ada") as seat:
        await seat.take_next("credit")
        await seat.press("R")
        await seat.until(lambda: seat.shows("ada is no officer here"))
        await seat.press("escape")
        await seat.until(lambda: not open_dialog(seat))


async def test_without_an_officer_nothing_can_be_revealed(tmp_path: Path) -> None:
    async with seated(make_template(tmp_path / "desk")) as seat:
        await seat.take_next("credit")
        await seat.press("R")
        await seat.until(lambda: seat.shows("is no officer here"))


async def test_a_second_officer_approves_in_the_desk(officers_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(officer_key.PASSPHRASE, WORDS)
    settings = officers_root / "secondlook.toml"
    settings.write_text(settings.read_text().replace("approval = false", "approval = true"))
    at = ["--workspace", str(officers_root), "--as"]
    private, public = officer_key.make("omar")
    officer_key.save(private, public.key_id, lambda: WORDS)
    assert main([*at, "olga", "officer", "admit", officer_key.to_line(public)]) == 0
    async with seated(officers_root, person="omar") as seat:
        case = await seat.take_next("credit")
        assert main([*at, "olga", "reveal", "ask", case, "--fields", "subject", "--reason", REASON]) == 0
        await seat.press("R")
        await seat.until(lambda: seat.shows("olga asks to see subject", REASON))
        await seat.press("enter")
        await seat.until(lambda: seat.shows("Approved: olga may see it"))
        desk = seat.other_desk("olga")
        assert [(r.state, r.approver) for r in desk.reveals()] == [("approved", "omar")]
        desk.close()


async def test_a_leak_is_masked_at_once_and_answers_stay(root: Path) -> None:
    async with seated(root) as seat:
        await seat.take_next("summaries")
        await seat.press("1")
        text = seat.review.papers._view.prediction.output.text or ""  # type: ignore[union-attr]
        word = max(text.replace(".", " ").replace(",", " ").split(), key=len)
        await seat.until(lambda: seat.shows(word))
        await seat.press("L")
        await seat.type(word.upper())
        await seat.press("enter")
        await seat.until(lambda: seat.shows("[withheld: reported leak]", "a lead sees the rest"))
        await seat.until(lambda: not seat.review._busy)
        assert not seat.shows(f" {word} ")
        assert seat.review.form.answers
        await seat.press("L")
        await seat.type("nowhere at all")
        await seat.press("enter")
        await seat.until(lambda: seat.shows("does not occur"))
