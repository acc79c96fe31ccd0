"""An error that nobody expected: the report says where, and nothing of the data; the desk says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

import app.cli.look
from app.cli import main
from app.crash import DEBUG, crash_report
from tests.screens.seat import make_template, seated

SECRET = "Quastenflosser-7781"


def fail(*_: object) -> int:
    hidden = {"name": SECRET}
    raise KeyError(f"{hidden}\x1b]52;c;AAAA\x07")


def test_a_report_names_places_and_no_values() -> None:
    with pytest.raises(KeyError) as caught:
        fail()
    said = crash_report(caught.value)
    assert "KeyError" in said
    assert "tests/unit/test_crash.py" in said
    assert SECRET not in said


def test_a_command_that_breaks_says_so_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app.cli.look, "_stats", fail)
    assert main(["init", str(tmp_path / "w")]) == 0
    capsys.readouterr()
    assert main(["--workspace", str(tmp_path / "w"), "stats"]) == 70
    out, err = capsys.readouterr()
    assert out == ""
    assert "met an error it did not expect (KeyError)" in err
    assert SECRET not in err
    assert "\x1b" not in err
    monkeypatch.setenv(DEBUG, "1")
    with pytest.raises(KeyError):
        main(["--workspace", str(tmp_path / "w"), "stats"])


async def test_a_desk_that_breaks_prints_no_values(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(KeyError):
        async with seated(make_template(tmp_path / "desk")) as seat:
            seat.shell.call_later(fail)
            await seat.until(lambda: bool(seat.shell._exit_renderables))
            console = seat.shell.console
            with console.capture() as capture:
                for renderable in seat.shell._exit_renderables:
                    console.print(renderable)
            said.append(capture.get())
    assert "met an error it did not expect (KeyError)" in said[0]
    assert SECRET not in said[0]
