"""Roles and rights: every route against every role, as the table says."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.routing import APIRoute

from app.hub.app import api
from app.hub.asking import allowed
from app.model.rights import MAY, RIGHTS, ROLES, Role
from tests.contract.worlds import SqliteWorld
from tests.hub.conftest import Ask, problem

# Routes that need nobody: those who run the hub ask them, and whoever signs in.
OPEN = {"/healthz", "/readyz", "/metrics", "/sign-in"}


def _routes(app: Any) -> list[APIRoute]:
    found = []
    for route in app.routes:
        inner = getattr(route, "original_router", None)
        if isinstance(route, APIRoute):
            found.append(route)
        elif inner is not None:
            found += [one for one in inner.routes if isinstance(one, APIRoute)]
    return found


def _right_of(dependant: Any) -> str | None:
    for one in dependant.dependencies:
        if isinstance(one.call, allowed):
            return one.call.right
        below = _right_of(one)
        if below:
            return below
    return None


@pytest.fixture
def rights() -> dict[tuple[str, str], str | None]:
    """Method and path of every route, and the right it asks for."""
    return {
        (method, route.path): _right_of(route.dependant)
        for route in _routes(api())
        for method in sorted(route.methods or ())
    }


def test_no_route_is_without_a_right(rights: dict[tuple[str, str], str | None]) -> None:
    assert len(rights) > 35
    assert {path for (_, path), right in rights.items() if right is None} == OPEN
    assert {right for right in rights.values() if right} <= set(RIGHTS)


def test_the_table_knows_every_role() -> None:
    assert set(MAY) == set(ROLES)
    assert all(rights <= set(RIGHTS) for rights in MAY.values())
    assert not MAY["admin"] & {"look", "review", "reveal", "ingest", "verdicts"}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_the_table_says(role: Role, ask: Ask, rights: dict[tuple[str, str], str | None]) -> None:
    client = ask(role)
    for (method, path), right in rights.items():
        if right is None:
            continue
        where = path.removeprefix("/v1").replace("{case_id}", "999999").replace("{reveal_id}", "999999")
        answer = client.request(method, where)
        refused = answer.status_code == 403 and "roles of this token" in answer.json()["detail"]
        assert refused == (right not in MAY[role]), (role, method, path, answer.status_code, answer.text)
        assert answer.status_code < 500


def test_refusals_are_in_the_log_and_do_not_fill_it(ask: Ask, world: SqliteWorld) -> None:
    client = ask("auditor", person="eve")
    for _ in range(20):
        assert problem(client.post("/claims", json={})) == "refused"
    found = world.query("SELECT actor, action FROM audit WHERE action = 'refused'")
    assert 1 <= len(found) <= 5
    assert set(found) == {("eve", "refused")}
    assert world.verify().ok
