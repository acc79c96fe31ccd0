"""What is on the screen and in the lines of a terminal before the judgement is the same whatever the model said."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.cli import main
from app.cli.workspace import make_workspace
from app.intake.admission import Admission
from app.intake.read import Raw
from app.settings import load_workspace
from db.engine import open_store
from tests.builders import NOW
from tests.said import answered, asked
from tests.screens.seat import Seat, copy_of, seated

_SIZE = 9
_SIZES = ((80, 24), (120, 40), (200, 50))
_QUEUE = "credit"
# Nothing moves: what is due, and when a lease ends, is the same on both screens.
_LATER_MS = 47 * 3_600_000


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock on the wall stands; those that programs wait by go on."""
    monkeypatch.setattr(time, "time_ns", lambda: (NOW + _LATER_MS) * 1_000_000)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with its key and without cases."""
    root = tmp_path_factory.mktemp("bare") / "desk"
    make_workspace(root)
    return root


@pytest.fixture
def roots(bare: Path, tmp_path: Path) -> list[Path]:
    """Two workspaces with one key that differ in what the model said."""
    found = []
    for seed in (1, 2):
        root = copy_of(bare, tmp_path / str(seed) / "desk")
        workspace, chance = load_workspace(root), random.Random(seed)
        store = open_store(workspace.database_url)
        admission = Admission(store, workspace.keys(), _QUEUE, workspace.policy(_QUEUE), "importer", clock=lambda: NOW)
        records = (answered(asked(n), chance) for n in range(_SIZE))
        list(admission.run((Raw(n, orjson.dumps(record)) for n, record in enumerate(records)), "test"))
        assert admission.count.admitted == _SIZE
        store.close()
        found.append(root)
    return found


def frame(seat: Seat) -> list[list[tuple[str, str]]]:
    """What is on the screen: characters and their styles, line by line."""
    strips = seat.shell.screen._compositor.render_strips()
    return [[(segment.text, str(segment.style)) for segment in strip] for strip in strips]


async def looked_at(seat: Seat) -> list[Any]:
    """The screen at each size, once it stands still."""
    found = []
    for width, height in _SIZES:
        await seat.pilot.resize_terminal(width, height)
        await seat.until(lambda width=width: seat.shell.screen.size.width == width)  # type: ignore[misc]
        await seat.shell.workers.wait_for_complete()
        await seat.pilot.pause()
        found.append(frame(seat))
    return found


async def walk(root: Path) -> dict[str, Any]:
    """Everything that keys lead to before the judgement."""
    seen: dict[str, Any] = {}
    async with seated(root, _SIZES[0]) as seat:
        await seat.until(lambda: seat.shows("overdue") or seat.shows("cases"))
        seen["inbox"] = await looked_at(seat)
        for key in ("c", "v", "v", "t", "escape", "T", "escape"):
            await seat.press(key)
            await seat.shell.workers.wait_for_complete()
            seen[f"{len(seen)} {key}"] = await looked_at(seat) if key in ("c", "T") else frame(seat)
        for word in ("bad",):
            await seat.press("slash", *word)
            await seat.press("enter")
            await seat.pilot.pause(0.25)
            await seat.shell.workers.wait_for_complete()
            seen[f"/{word}"] = frame(seat)
            await seat.press("escape")
        seen["case"] = await seat.take_next(_QUEUE)
        await seat.until(lambda: seat.shows("hidden until you have judged"))
        seen["judging"] = await looked_at(seat)
        for key in ("w", "m", "p", "y", "1"):
            await seat.press(key)
            await seat.shell.workers.wait_for_complete()
            seen[f"case {key}"] = await looked_at(seat) if key == "m" else frame(seat)
    return seen


async def test_every_screen_before_the_judgement_is_the_same(roots: list[Path]) -> None:
    one, other = [await walk(root) for root in roots]
    assert [name for name in one | other if one[name] != other[name]] == []
    text = "\n".join(part for line in one["inbox"][1] for part, _ in line)
    assert "—" in text and "loan-5" in text


def lines(root: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[str, Any]]:
    """What the line mode prints, command by command."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["--workspace", str(root), "--as", "ada", *words])
        printed = capsys.readouterr()
        return code, printed.out.replace(str(root), ""), printed.err.replace(str(root), "")

    case = orjson.loads(run("next", "--queue", _QUEUE, "--json")[1])["id"]
    yield "next", case
    both = [("cases",), ("stats",), ("show", case), ("claim", case)]
    for words in (
        *(*both, *((*words, "--json") for words in both), ("peers", case, "--json")),
        *(("cases", "--severity", one) for one in ("low", "critical")),
        *(("cases", "--flag", "appeal"), ("search", "bad"), ("search", "zzsaidzz"), ("search", "ledger", "--json")),
    ):
        yield " ".join(words), run(*words)
    answers = root / "answers.json"
    for n, given in enumerate(({}, {"label": "neither"}, {"label": 7})):
        answers.write_bytes(orjson.dumps(given))
        yield f"decide {n}", run("decide", case, "--answers", str(answers))
    yield "judge", run("judge", case, "--label", "neither")
    yield "reveal", run("reveal", "fields", case)


def test_every_line_before_the_judgement_is_the_same(roots: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    one, other = (dict(lines(root, capsys)) for root in roots)
    assert [name for name in one | other if one[name] != other[name]] == []
    assert '"severity":null' in one["cases --json"][1]
