"""Opening a database that cannot serve: one message that says what happened and what was kept."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import db.engine
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
    monkeypatch.setattr(db.engine, "BUSY_SECONDS", 0.05)
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
