"""Opening a database that cannot serve: one message that says what happened and what was kept."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import db.sqlite
from app.model.errors import Unavailable
from db.engine import open_store, sqlite_url


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database that was used."""
    open_store(sqlite_url(tmp_path / "x.db")).close()
    return tmp_path / "x.db"


def test_a_database_of_a_newer_version_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(Unavailable, match="newer version"):
        open_store(sqlite_url(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"garbage" * 500, b"SQLite format 3\x00" + b"x" * 5000])
def test_a_damaged_file_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(content)
    with pytest.raises(Unavailable, match="damaged"):
        open_store(sqlite_url(path))
    assert path.read_bytes() == content


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="folder is missing"):
        open_store(sqlite_url(tmp_path / "nowhere" / "x.db"))


def test_a_busy_database_gives_up_after_a_while(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db.sqlite, "BUSY_SECONDS", 0.05)
    store = open_store(sqlite_url(path))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="busy"), store.write():
        pass
    other.execute("ROLLBACK")
    other.close()
    with store.write():
        pass
    store.close()


def test_a_full_disk_keeps_what_was_there(path: Path) -> None:
    store = open_store(sqlite_url(path))
    with pytest.raises(Unavailable, match="disk is full"), store.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql("CREATE TABLE more AS SELECT randomblob(100000) AS x")
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE name = 'more'").scalar() == 0
    store.close()


def may_not_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for an auditor's copy. (Tests may run as root, whom no file's mode holds.)"""
    monkeypatch.setattr(db.sqlite, "_may_write", lambda _path: False)


def test_a_file_that_may_not_be_written_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_not_write(monkeypatch)
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}
    store = open_store(sqlite_url(path))
    with store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM cases").scalar() == 0
    with pytest.raises(Unavailable, match="read-only"), store.write() as connection:
        connection.exec_driver_sql("DELETE FROM drafts")
    store.close()
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before


def test_a_read_only_file_with_changes_beside_it_is_not_read_halfway(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.with_name("x.db-wal").write_bytes(b"changes")
    may_not_write(monkeypatch)
    with pytest.raises(Unavailable, match="newest changes are in x"):
        open_store(sqlite_url(path))


def test_a_read_only_file_of_another_version_is_left_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.commit()
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    may_not_write(monkeypatch)
    with pytest.raises(Unavailable, match="schema 0001"):
        open_store(sqlite_url(path))
