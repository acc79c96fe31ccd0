"""Tokens that are not valid: the same answer for all, an entry in the log, nothing of what exists."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hub.hub import Hub
from app.hub.tokens import digest, is_token, new_token
from db import tokens
from tests.contract import hubs
from tests.contract.worlds import MINUTE, SqliteWorld
from tests.hub.conftest import Ask, problem


def test_who_is_signed_in(ask: Ask) -> None:
    found = ask("reviewer", "lead", person="ben").get("/me")
    assert found.json() == {"person": "ben", "roles": ["reviewer", "lead"]}


@pytest.mark.parametrize("kind", ["none", "forged", "other", "revoked", "expired", "wrong scheme"])
def test_what_is_not_valid_is_refused_alike(kind: str, ask: Ask, hub: Hub, world: SqliteWorld) -> None:
    token = hubs.sign_in(hub, "ada", "reviewer")
    if kind == "revoked":
        with hub.store.write() as connection:
            ((token_id,),) = connection.exec_driver_sql("SELECT token_id FROM tokens").fetchall()
            assert tokens.revoke(connection, token_id, world.clock())
    if kind == "expired":
        world.clock.forward(minutes=366 * 1440)
    shown = {"none": "", "forged": new_token(), "other": "sl_nonsense"}.get(kind, token)
    client = ask(token=shown) if shown else ask()
    if kind == "wrong scheme":
        client.headers["authorization"] = f"Basic {token}"
    answer = client.get("/queues")
    assert answer.status_code == 401
    assert problem(answer) == "not-signed-in"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "revoked" not in answer.text and "expired" not in answer.text
    assert world.query("SELECT action FROM audit WHERE actor = 'hub'") == [("refused",)]


def test_a_token_ends_soon_after_it_is_revoked(
    ask: Ask, hub: Hub, world: SqliteWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.hub.hub._TOKEN_SECONDS", 0.0)
    client = ask("reviewer")
    assert client.get("/me").status_code == 200
    with hub.store.write() as connection:
        ((token_id,),) = connection.exec_driver_sql("SELECT token_id FROM tokens").fetchall()
        tokens.revoke(connection, token_id, world.clock() + MINUTE)
    assert client.get("/me").status_code == 401


def test_tokens_are_known_by_their_shape() -> None:
    made = {new_token() for _ in range(50)}
    assert len(made) == 50
    assert all(is_token(token) and len(token) == 54 for token in made)
    assert len({digest(token) for token in made}) == 50


@given(st.text(max_size=80) | st.text(string.ascii_letters + string.digits + "-_", max_size=60).map("sl_".__add__))
def test_other_words_are_no_tokens(text: str) -> None:
    assert not is_token(text)


def test_a_mistyped_token_is_none() -> None:
    token = new_token()
    assert not is_token(token[:-1] + ("0" if token[-1] != "0" else "1"))
    assert not is_token(token[:10] + ("A" if token[10] != "A" else "B") + token[11:])
