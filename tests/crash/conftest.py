"""Workers as processes, and a store that is large enough to be killed in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.contract.worlds import SqliteWorld, samples
from tests.crash.worker import QUEUE

ROOT = Path(__file__).resolve().parents[2]


def many(count: int) -> list[dict[str, Any]]:
    """Sample records with ids of their own."""
    posts = [post for post in samples(QUEUE) if post["output"].get("label")]
    return [{**posts[n % len(posts)], "id": f"post-{n}"} for n in range(count)]


class Workers:
    """Starts workers, and lets none outlive its test."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """A worker with its own interpreter."""
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.worker", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._started.append(worker)
        return worker

    def stop(self) -> None:
        """Ends what still runs and closes the pipes."""
        for worker in self._started:
            worker.kill()
            worker.communicate()


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Workers for one test."""
    made = Workers()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with 800 open cases, to be copied."""
    world = SqliteWorld(tmp_path_factory.mktemp("crowded"))
    assert world.admit(QUEUE, many(800)).admitted == 800
    return world.path


@pytest.fixture
def world(crowded: Path, tmp_path: Path) -> Iterator[SqliteWorld]:
    """800 open cases."""
    made = SqliteWorld(tmp_path, str(crowded))
    yield made
    made.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """400 records as JSONL, one of them twice."""
    path = tmp_path / "posts.jsonl"
    records = many(400)
    path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in [*records, records[7]]))
    return path
