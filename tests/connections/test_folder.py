"""A folder of drops: finished files only, each moved aside, nothing lost and nothing doubled."""

from __future__ import annotations

import os
import time
from pathlib import Path

import orjson
import polars as pl
import pytest

from app.intake.pull import Puller
from app.intake.sources.folder import FolderOptions, FolderSource
from app.model.errors import Unavailable
from db.engine import Store
from tests.builders import record
from tests.connections.places import ids, opened, puller, secrets, workspace


def drop(folder: Path, name: str, *cases: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(b"".join(orjson.dumps(record(id=case)) + b"\n" for case in cases))
    return path


def source(root: Path, **options: object) -> FolderSource:
    return FolderSource(
        FolderOptions.model_validate({"path": "drops", "settle_seconds": 0, **options}), secrets(), root
    )


def pull_all(from_: Puller, limit: int = 1000) -> int:
    items = 0
    while done := from_.pull(limit).items:
        items += done
    return items


def test_files_come_in_and_are_moved_aside(tmp_path: Path) -> None:
    found = workspace(tmp_path / "w")
    drops = found.root / "drops"
    drop(drops, "one.jsonl", "a", "b")
    drop(drops, "two.jsonl", "c")
    pl.DataFrame({"id": ["d"], "label": ["good"], "amount": [3]}).write_csv(drops / "three.csv")
    pl.DataFrame({"id": ["e"], "label": ["good"], "amount": [4]}).write_parquet(drops / "four.parquet")
    with opened(found) as store:
        assert pull_all(puller(found, store, source(found.root))) == 5
        held = ids(store)
    assert {"a", "b", "c"} <= set(held)
    assert sorted(path.name for path in (drops / "taken").iterdir()) == [
        "four.parquet",
        "one.jsonl",
        "three.csv",
        "two.jsonl",
    ]
    assert [path.name for path in drops.iterdir()] == ["taken"]


def test_what_is_still_written_is_left(tmp_path: Path) -> None:
    found = workspace(tmp_path / "w")
    drops = found.root / "drops"
    for name in ("half.jsonl.part", ".hidden.jsonl", "half.tmp"):
        drop(drops, name, "x")
    fresh = drop(drops, "fresh.jsonl", "y")
    old = drop(drops, "old.jsonl", "z")
    os.utime(old, (time.time() - 60, time.time() - 60))
    (drops / "link.jsonl").symlink_to(fresh)
    with opened(found) as store:
        assert pull_all(puller(found, store, source(found.root, settle_seconds=30))) == 1
        assert ids(store) == ["z"]


def test_a_file_of_the_future_is_taken(tmp_path: Path) -> None:
    found = workspace(tmp_path / "w")
    path = drop(found.root / "drops", "future.jsonl", "a")
    os.utime(path, (time.time() + 3600, time.time() + 3600))
    with opened(found) as store:
        assert pull_all(puller(found, store, source(found.root, settle_seconds=30))) == 1


def test_a_large_file_comes_in_parts_and_again_after_a_crash_without_doubles(tmp_path: Path) -> None:
    found = workspace(tmp_path / "w")
    path = drop(found.root / "drops", "large.jsonl", *(f"case-{n}" for n in range(25)))
    with opened(found) as store:
        first = puller(found, store, source(found.root))
        assert first.pull(10).admitted == 10
        assert path.exists()
        # The program is killed here, and started again.
        again = puller(found, store, source(found.root))
        assert pull_all(again, 10) == 25
        assert len(ids(store)) == 25
        assert not path.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [("x.parquet", b"junk"), ("x.jsonl", b"\x1f\x8b packed"), ("x.csv", b"a,a\n1,2\n"), ("x.jsonl", b"\x00\x01")],
)
def test_a_file_that_cannot_be_read_is_refused_and_the_rest_goes_on(tmp_path: Path, name: str, content: bytes) -> None:
    found = workspace(tmp_path / "w")
    drops = found.root / "drops"
    drop(drops, "zz.jsonl", "a")
    (drops / name).write_bytes(content)
    with opened(found) as store:
        done = pull_all(puller(found, store, source(found.root)))
        assert done == 2
        assert ids(store) == ["a"]
        assert _held(store) == 1
    assert [path.name for path in (drops / "refused").iterdir()] == [name]


def _held(store: Store) -> int:
    with store.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM quarantine").scalar_one())


def test_a_poisoned_line_is_quarantined_and_the_rest_comes_in(tmp_path: Path) -> None:
    found = workspace(tmp_path / "w")
    path = drop(found.root / "drops", "x.jsonl", "a")
    path.write_bytes(path.read_bytes() + b'{"id": "broken"\n' + orjson.dumps(record(id="b")) + b"\n")
    with opened(found) as store:
        done = puller(found, store, source(found.root)).pull()
        assert (done.admitted, done.quarantined) == (2, 1)


def test_files_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    found = workspace(tmp_path / "w")
    drops = found.root / "drops"
    with opened(found) as store:
        taking = puller(found, store, source(found.root))
        for case in ("a", "b"):
            drop(drops, "same.jsonl", case)
            pull_all(taking)
    assert sorted(path.name for path in (drops / "taken").iterdir()) == ["same-2.jsonl", "same.jsonl"]


def test_a_folder_that_is_missing_is_said_and_noted(tmp_path: Path) -> None:
    found = workspace(tmp_path / "w")
    with opened(found) as store:
        with pytest.raises(Unavailable, match="cannot be read: No such file"):
            puller(found, store, source(found.root)).pull()
        from db import connections

        with store.read() as connection:
            (health,) = connections.health(connection)
    assert (health.state, "No such file" in health.error) == ("failing", True)
