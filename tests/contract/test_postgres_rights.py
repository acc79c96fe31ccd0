"""What docs/team.md says about roles: people can work, and none of them can change the log."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from app.desk.local import LocalDesk
from app.model.errors import Unavailable
from db import reviews
from db.engine import open_store
from tests.contract import postgres
from tests.contract.worlds import OPEN_QUEUES, POLICIES, RUBRICS, PostgresWorld, admit, decide, samples

DOCS = Path(__file__).parents[2] / "docs" / "team.md"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PostgresWorld]:
    made = PostgresWorld(tmp_path)
    made.admit("credit", samples("credit")[:2])
    yield made
    made.close()


@pytest.fixture
def url(world: PostgresWorld) -> Iterator[str]:
    """The database's URL for somebody with the rights that the docs grant."""
    role = f"reviewers_{uuid.uuid4().hex}"
    (statements,) = re.findall(r"```sql\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    world.run(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'", *statements.replace("reviewers", role).split(";")[:-1])
    parts = urlsplit(world.url)
    host = parts.netloc.rpartition("@")[2]
    yield parts._replace(netloc=f"{role}:secret@{host}").geturl()
    world.run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_people_work_and_the_log_stays(world: PostgresWorld, url: str) -> None:
    store = open_store(url)
    assert admit(store, "credit", samples("credit")[2:4], world.clock).admitted == 2
    policies = {name: POLICIES[name] for name in OPEN_QUEUES}
    desk = LocalDesk(store, "ada", policies, RUBRICS, "first", world.clock)
    decide(desk, desk.claim("credit"))
    for statement in ("UPDATE audit SET actor = 'eve'", "DELETE FROM audit", "TRUNCATE audit"):
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            world.run(statement)
    desk.close()
    assert world.verify().ok


def test_a_right_that_is_missing_is_said(world: PostgresWorld, url: str) -> None:
    role = urlsplit(url).username
    world.run(f"REVOKE INSERT ON audit FROM {role}")
    policies = {name: POLICIES[name] for name in OPEN_QUEUES}
    desk = LocalDesk(open_store(url), "ada", policies, RUBRICS, "first", world.clock)
    with pytest.raises(Unavailable, match="permission denied for table audit"):
        desk.claim("credit")
    desk.close()
    assert world.query("SELECT count(*) FROM cases WHERE state = 'leased'") == [(0,)]


def drop_connections(world: PostgresWorld) -> None:
    """As a server that stops does."""
    with psycopg.connect(postgres.server(), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [world.name])


@pytest.mark.parametrize("writes", [True, False])
def test_the_server_stops_in_the_middle_of_an_act(writes: bool, world: PostgresWorld) -> None:
    desk = world.desk("ada")
    claim = desk.claim("credit")
    with world.store() as store:
        with (
            pytest.raises(Unavailable, match="is not known"),
            store.write() if writes else store.read() as connection,
        ):
            assert reviews.notes(connection, claim.lease.case_id) == {}
            drop_connections(world)
            # An ordinary statement of SQLAlchemy's is what finds out.
            reviews.notes(connection, claim.lease.case_id)
        with store.read() as connection:
            assert reviews.notes(connection, claim.lease.case_id) == {}
    desk.flag(claim.lease.case_id, "still at work")
    assert world.verify().ok


def test_the_server_stops_in_the_middle_of_work(world: PostgresWorld) -> None:
    desk = world.desk("ada")
    claim = desk.claim("credit")
    drop_connections(world)
    # The connections that were dropped are replaced.
    decide(desk, claim)
    assert world.verify().ok
