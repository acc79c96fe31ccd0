"""A hub over the sample cases, and people who ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.hub.hub import Hub
from app.hub.limits import Limits
from app.model.rights import Role
from db.engine import open_store
from tests.contract import hubs
from tests.contract.worlds import KEYS, POLICIES, RUBRICS, SqliteWorld

Ask = Callable[..., httpx.Client]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> str:
    return SqliteWorld.template(tmp_path_factory.mktemp("hub"), {"credit": 12, "summaries": 6})


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is kept unsent: a folder of this test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def world(tmp_path: Path, template: str) -> Iterator[SqliteWorld]:
    made = SqliteWorld(tmp_path, template)
    yield made
    made.close()


@pytest.fixture
def hub(world: SqliteWorld) -> Iterator[Hub]:
    store = open_store(world.url)
    yield Hub(store, dict(POLICIES), RUBRICS, KEYS, clock=world.clock)
    store.close()


@pytest.fixture
def address(hub: Hub) -> Iterator[str]:
    served = hubs.serve(hub)
    yield served
    hubs.stop(served)


@pytest.fixture
def ask(hub: Hub, address: str) -> Iterator[Ask]:
    """Clients of people with roles."""
    made: list[httpx.Client] = []

    def client(*roles: Role, person: str = "ada", token: str = "", limits: Limits | None = None) -> httpx.Client:
        shown = token or (hubs.sign_in(hub, person, *roles) if roles else "")
        headers = {"authorization": f"Bearer {shown}"} if shown else {}
        base = hubs.serve(hub, limits) if limits else address
        made.append(httpx.Client(base_url=f"{base}/v1", headers=headers))
        return made[-1]

    yield client
    for one in made:
        one.close()


def problem(answer: httpx.Response) -> str:
    """The kind of a problem document."""
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == answer.status_code
    assert found["detail"]
    return str(found["type"]).removeprefix("urn:secondlook:problem:")
