"""An embedded workspace moves to PostgreSQL: everything is there, the log is whole, nobody goes on in the old file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.cli.workspace import make_workspace
from app.demo import fill
from app.desk.open import open_desk
from app.model.case import Draft, Filter
from app.model.errors import Unavailable
from app.settings import load_workspace
from tests.contract import postgres
from tests.contract.worlds import decide

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace in the middle of its work: settled, undone, held, drafted, quarantined."""
    root = tmp_path / "desk"
    make_workspace(root)
    workspace = load_workspace(root)
    fill(workspace, "importer")
    desk = open_desk(workspace, "ada", "first")
    for _ in range(3):
        receipt = decide(desk, desk.claim("summaries"))
    desk.undo(receipt.case_id)
    claim = desk.claim("moderation")
    desk.save_draft(claim.lease.case_id, Draft({"rule": "none"}))
    desk.close()
    (tmp_path / "bad.jsonl").write_text("no json\n")
    assert main(["--workspace", str(root), "import", str(tmp_path / "bad.jsonl"), "--queue", "credit"]) == 1
    return root


@pytest.fixture
def url() -> Iterator[str]:
    name = postgres.make_database()
    yield postgres.url_of(name)
    postgres.drop_database(name)


@pytest.fixture
def run(root: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    def act(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["--workspace", str(root), *words])
        out, err = capfd.readouterr()
        return code, out, err

    return act


def shown(run: Run) -> list[Any]:
    """What a person sees of everything."""
    words = [
        ("cases", "--json"),
        ("stats", "--json"),
        ("quarantine", "list", "--json"),
        ("search", "summary", "--json"),
    ]
    seen: list[Any] = [run(*act)[1].replace(" ", "") for act in words]
    return [*seen, [line for line in run("audit", "log", "--json")[1].splitlines() if '"moved"' not in line]]


def test_everything_is_there_and_work_goes_on(root: Path, url: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shown(run)
    code, out, err = run("migrate", "--to", url)
    assert code == 0, err
    assert "the log is whole" in out and "SECONDLOOK_DATABASE_URL" in err
    code, _, err = run("cases")
    assert code == 5 and "was moved to PostgreSQL" in err
    monkeypatch.setenv("SECONDLOOK_DATABASE_URL", url)
    assert shown(run) == before
    assert run("audit", "verify")[0] == 0
    desk = open_desk(load_workspace(root), "ada", "first")
    held = {row.case_id for row in desk.rows(desk.ids(Filter(state="leased"))).values()}
    # One was claimed, one came back by an undo.
    assert len(held) == 2
    for _ in range(3):
        assert decide(desk, desk.claim("summaries")).case_id not in held
    desk.close()
    assert run("quarantine", "retry", "1")[0] == 2
    assert run("audit", "verify")[0] == 0


def test_numbers_of_erased_cases_are_not_given_out_again(
    root: Path, url: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = json.loads(run("cases", "--json", "--limit", "500")[1].splitlines()[-1])
    workspace = load_workspace(root)
    desk = open_desk(workspace, "ada", "first")
    highest = max(desk.ids(Filter()))
    last = desk.view(highest).row.id
    desk.close()
    assert run("erase", last, "--yes")[0] == 0
    assert run("migrate", "--to", url)[0] == 0
    monkeypatch.setenv("SECONDLOOK_DATABASE_URL", url)
    record = {
        "id": "fresh",
        "task": {"type": "binary", "labels": ["approve", "decline"]},
        "inputs": [{"name": "amount", "value": 1}],
        "output": {"label": "decline", "score": 0.5},
    }
    (tmp_path / "fresh.jsonl").write_text(json.dumps(record) + "\n")
    assert run("import", str(tmp_path / "fresh.jsonl"), "--queue", "credit")[0] == 0
    desk = open_desk(load_workspace(root), "ada", "first")
    assert desk.find("fresh") > highest
    desk.close()
    assert newest


def test_a_program_that_still_runs_is_told(root: Path, url: str, run: Run) -> None:
    desk = open_desk(load_workspace(root), "ben", "other")
    claim = desk.claim("summaries")
    assert run("migrate", "--to", url)[0] == 0
    with pytest.raises(Unavailable, match="was moved to another one"):
        decide(desk, claim)
    desk.close()


def test_what_cannot_be_moved_is_left(root: Path, url: str, run: Run) -> None:
    assert run("migrate", "--to", "sqlite:///x.db")[0] == 2
    code, _, err = run("migrate", "--to", "postgresql://nobody@127.0.0.1:1/none")
    assert code == 5 and "does not answer" in err and "Traceback" not in err
    assert run("migrate", "--to", "postgresql://u@h:port/x")[0] == 2
    assert run("cases")[0] == 0
    assert run("migrate", "--to", url)[0] == 0
    (root / "secondlook-moved.db").rename(root / "secondlook.db")
    code, _, err = run("migrate", "--to", url)
    assert code == 3 and "holds a log already" in err
