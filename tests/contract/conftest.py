"""One world a test, a copy of a template that is made once a run; parametrised over the kinds of desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.desk.protocol import Desk
from tests.contract.worlds import WORLDS, SqliteWorld, StoreWorld, World

FULL = {"credit": 24, "summaries": 24, "moderation": 24, "blind": 24}


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An SQLite file with all samples."""
    return SqliteWorld.template(tmp_path_factory.mktemp("sqlite"), FULL)


@pytest.fixture(scope="session", params=sorted(WORLDS))
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A kind of world, and its template."""
    kind = str(request.param)
    if kind != "postgres":
        return kind, str(request.getfixturevalue("sqlite_template"))
    return kind, WORLDS[kind].template(tmp_path_factory.mktemp(kind), FULL)


@pytest.fixture
def world(template: tuple[str, str], tmp_path: Path) -> Iterator[StoreWorld]:
    """All samples in their queues, nobody at work yet."""
    kind, path = template
    made = WORLDS[kind](tmp_path, path)
    yield made
    made.close()


@pytest.fixture
def sqlite(tmp_path: Path, sqlite_template: str) -> Iterator[SqliteWorld]:
    """A world whose file can be tampered with beside the program."""
    made = SqliteWorld(tmp_path, sqlite_template)
    yield made
    made.close()


@pytest.fixture
def ada(world: World) -> Desk:
    """Ada's terminal."""
    return world.desk("ada")


@pytest.fixture
def ben(world: World) -> Desk:
    """Ben's terminal."""
    return world.desk("ben")
