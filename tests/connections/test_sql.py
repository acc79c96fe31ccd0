"""A table in somebody's database: rows in, marked as taken, verdicts back by a statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.deliver.sinks.sql import SqlSink
from app.intake.pull import Puller
from app.intake.sources.sql import SqlOptions, SqlSource
from app.model.connection import Delivery
from app.model.errors import SettingsError, Unavailable, Undelivered
from db import connections
from tests.connections.places import ids, opened, puller, secrets, workspace

TASK = """
[queues.loans]
rubric = "adverse-credit-decision"
csv.columns = { "pd" = "score", "decision" = "label" }
[queues.loans.task]
type = "binary"
labels = ["approve", "decline"]
"""


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE flagged (id INTEGER PRIMARY KEY, amount REAL, pd REAL, decision TEXT, at DATE, "
            "state TEXT, verdict TEXT)"
        )
        rows = [(n, 100.5 * n, 0.5, "decline", "2026-01-05", "new", None) for n in range(1, 26)]
        connection.executemany("INSERT INTO flagged VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.commit()
    yield path


def options(path: Path, **more: str) -> SqlOptions:
    return SqlOptions.model_validate(
        {
            "url": f"sqlite:///{path}",
            "query": "SELECT id, amount, pd, decision, at FROM flagged WHERE state = 'new' ORDER BY id LIMIT :limit",
            "mark": "UPDATE flagged SET state = 'in review' WHERE id = :key",
            "answer": "UPDATE flagged SET state = 'done', verdict = :verdict WHERE id = :key",
            **more,
        }
    )


def state(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT state, count(*) FROM flagged GROUP BY state"))


def test_rows_come_in_once_and_are_marked(theirs: Path, tmp_path: Path) -> None:
    found = workspace(tmp_path / "w", TASK)
    source = SqlSource(options(theirs), secrets(), found.root)
    with opened(found) as store:
        pulling = puller(found, store, source, "loans", "warehouse")
        assert [pulling.pull(10).admitted for _ in range(4)] == [10, 10, 5, 0]
        assert ids(store) == [str(n) for n in range(1, 26)]
        pulling.close()
    assert state(theirs) == {"in review": 25}


def test_a_cursor_goes_on_where_it_was(theirs: Path, tmp_path: Path) -> None:
    found = workspace(tmp_path / "w", TASK)
    query = "SELECT id, amount, pd, decision FROM flagged WHERE id > :cursor OR :cursor = '' ORDER BY id LIMIT :limit"
    chosen = options(theirs, query=query, cursor="id", mark="")
    with opened(found) as store:
        for _ in range(4):
            pulling = puller(found, store, SqlSource(chosen, secrets(), found.root), "loans", "warehouse")
            pulling.pull(10)
            pulling.close()
        assert len(ids(store)) == 25
    assert state(theirs) == {"new": 25}


def test_what_was_quarantined_still_knows_where_it_came_from(
    theirs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = workspace(tmp_path / "w", TASK.partition("[queues.loans.task]")[0])
    with opened(found) as store:
        pulling = Puller(
            store, found.keys(), "warehouse", "loans", found.policy("loans"),
            SqlSource(options(theirs), secrets(), found.root),
        )  # fmt: skip
        assert pulling.pull(1).quarantined == 1
        pulling.close()
    settings = found.root / "secondlook.toml"
    settings.write_text(settings.read_text() + "[queues.loans.task]" + TASK.partition("[queues.loans.task]")[2])
    assert main(["--workspace", str(found.root), "quarantine", "retry", "1"]) == 0
    with opened(found) as store, store.read() as connection:
        assert connections.origins(connection, [1]) == {1: ("warehouse", '{"key":1}')}


def verdict(kind: str = "verdict", **reference: Any) -> Delivery:
    data = {"id": "3", "decision_id": "d-1", "verdict": "overturned", "label": "approve", "correction": None}
    return Delivery("d-1", kind, {"data": data, "sequence": "0000000001"}, b"{}", reference, 1)


def test_a_verdict_goes_back_and_twice_does_no_harm(theirs: Path, tmp_path: Path) -> None:
    sink = SqlSink(options(theirs), secrets(), tmp_path)
    for _ in range(2):
        sink.send(verdict(key=3))
    sink.close()
    with closing(sqlite3.connect(theirs)) as connection:
        assert connection.execute("SELECT id, verdict FROM flagged WHERE state = 'done'").fetchall() == [
            (3, "overturned")
        ]


def test_what_goes_wrong_is_said(theirs: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="same rows come for ever"):
        SqlSource(options(theirs, mark=""), secrets(), tmp_path)
    with pytest.raises(SettingsError, match="cannot be used"):
        SqlSource(options(theirs, url="nosuch://x"), secrets(), tmp_path)
    with pytest.raises(Unavailable, match="gives no column 'key_column'"):
        SqlSource(options(theirs, key="key_column"), secrets(), tmp_path).pull(10, "")
    with pytest.raises(Unavailable, match="no such table: gone"):
        SqlSource(options(theirs, query="SELECT * FROM gone"), secrets(), tmp_path).pull(10, "")
    with pytest.raises(Undelivered, match="no such table: gone"):
        SqlSink(options(theirs, answer="UPDATE gone SET x = :key"), secrets(), tmp_path).send(verdict(key=1))
    with pytest.raises(SettingsError, match="statement `answer`"):
        SqlSink(options(theirs, answer=""), secrets(), tmp_path)


def test_an_address_with_a_password_is_a_secret(theirs: Path, tmp_path: Path) -> None:
    chosen = options(theirs, url="", url_secret="warehouse")
    source = SqlSource(chosen, secrets(warehouse=f"sqlite:///{theirs}"), tmp_path)
    assert len(source.pull(5, "").items) == 5
    source.close()
