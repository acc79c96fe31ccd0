"""Sign-in with OpenID Connect at the hub: which ID tokens are good, what they give, what is said and logged."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jwt
import orjson
import pytest

from app.hub.hub import Hub
from app.hub.id_tokens import IdTokens
from app.model.oidc import OidcSettings
from app.oidc.nonce import is_for, new_nonce
from tests.contract.worlds import SqliteWorld
from tests.hub.conftest import Ask, problem
from tests.hub.provider import CLIENT, Key, Provider

ROLES: dict[str, list[Any]] = {"desk-reviewers": ["reviewer"], "desk-leads": ["lead", "officer"]}
HOUR = 3_600_000
Post = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def shared() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def provider(shared: Provider) -> Provider:
    """The provider as at first."""
    shared.account = {"sub": "7f3a", "preferred_username": "ada", "groups": ["desk-reviewers", "staff"]}
    shared.keys, shared.document, shared.fetched = [shared.key], {}, 0
    return shared


def settings(provider: Provider, **more: Any) -> OidcSettings:
    return OidcSettings.model_validate({"issuer": provider.issuer, "client_id": CLIENT, "roles": ROLES, **more})


@pytest.fixture
def with_provider(hub: Hub, provider: Provider) -> Hub:
    hub.id_tokens = IdTokens(settings(provider))
    return hub


@pytest.fixture
def post(with_provider: Hub, ask: Ask) -> Post:
    client = ask()

    def act(id_token: str, nonce: str = "n") -> httpx.Response:
        return client.post("/sign-in", json={"id_token": id_token, "nonce": nonce})

    return act


def reasons(world: SqliteWorld) -> list[str]:
    """What the log says of refusals."""
    rows = world.query("SELECT body FROM audit WHERE action = 'refused' ORDER BY seq")
    return [str(orjson.loads(row[0])["data"]["what"]) for row in rows]


def test_a_hub_says_how_to_sign_in(hub: Hub, ask: Ask, provider: Provider) -> None:
    client = ask()
    assert client.get("/sign-in").json() == {"oidc": None}
    answer = client.post("/sign-in", json={"id_token": "x", "nonce": ""})
    assert problem(answer) == "nothing-to-do" and answer.status_code == 404
    hub.id_tokens = IdTokens(settings(provider))
    said = {"issuer": provider.issuer, "client_id": CLIENT, "scopes": "openid profile email"}
    assert client.get("/sign-in").json() == {"oidc": {**said, "device": True, "desktop_secret": ""}}


def test_an_id_token_gives_a_token_of_ours(post: Post, provider: Provider, ask: Ask, world: SqliteWorld) -> None:
    given = post(provider.id_token("n")).json()
    assert (given["person"], given["roles"]) == ("ada", ["reviewer"])
    assert given["expires_at"] == world.clock() + 12 * HOUR
    assert ask(token=given["token"]).get("/me").json() == {"person": "ada", "roles": ["reviewer"]}
    ((actor, body),) = world.query("SELECT actor, body FROM audit WHERE action = 'token_made'")
    said = orjson.loads(body)["data"]
    assert (actor, said["person"], said["roles"], said["by"]) == ("ada", "ada", "reviewer", "oidc")
    assert said["subject"] == "7f3a" and given["token"].encode() not in bytes(body)
    world.clock.forward(minutes=12 * 60 + 1)
    assert ask(token=given["token"]).get("/me").status_code == 401
    assert world.verify().ok


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_every_algorithm_that_is_allowed(algorithm: str, post: Post, provider: Provider) -> None:
    key = Key(algorithm)
    provider.keys = [provider.key, key]
    assert post(key.sign(provider.claims("n"))).status_code == 200


def _none(provider: Provider) -> str:
    return f"{_part({'alg': 'none', 'kid': provider.key.key_id})}.{_part(provider.claims('n'))}."


def _by_public_key(provider: Provider) -> str:
    """The oldest trick: the public key's text as the secret of an HMAC."""
    import hashlib
    import hmac

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = provider.key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body = _part({"alg": "HS256", "kid": provider.key.key_id}), _part(provider.claims("n"))
    signature = hmac.new(public, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{_base64(signature)}"


def _changed(provider: Provider) -> str:
    head, _, signature = provider.id_token("n").split(".")
    return f"{head}.{_part(provider.claims('n', groups=['desk-leads']))}.{signature}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _part(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


def _own_key(provider: Provider) -> str:
    """Signed by a stranger who puts the key into the header."""
    stranger = Key()
    return stranger.sign(provider.claims("n"), kid=provider.key.key_id, jwk=stranger.public())


NOW = int(time.time())
WRONG: dict[str, tuple[Callable[[Provider], str], str]] = {
    "nothing": (lambda p: "", "DecodeError"),
    "words": (lambda p: "a.b.c", "DecodeError"),
    "unsigned": (_none, "algorithm"),
    "hmac with the public key": (_by_public_key, "algorithm"),
    "changed": (_changed, "InvalidSignatureError"),
    "a stranger's key": (_own_key, "InvalidSignatureError"),
    "an unknown key": (lambda p: Key().sign(p.claims("n")), "unknown key"),
    "conditions": (lambda p: p.key.sign(p.claims("n"), crit=["exp"]), "unknown conditions|Invalid|crit"),
    "another issuer": (lambda p: p.id_token("n", iss="https://other.example.com"), "InvalidIssuerError"),
    "for another": (lambda p: p.id_token("n", aud="other"), "InvalidAudienceError"),
    "for several": (lambda p: p.id_token("n", aud=[CLIENT, "other"]), "given to another client"),
    "given to another": (lambda p: p.id_token("n", azp="other"), "given to another client"),
    "over": (lambda p: p.id_token("n", exp=NOW - 3600), "ExpiredSignatureError"),
    "without an end": (lambda p: p.id_token("n", exp=None), "MissingRequiredClaimError"),
    "from the future": (lambda p: p.id_token("n", iat=NOW + 3600), "ImmatureSignatureError"),
    "not yet good": (lambda p: p.id_token("n", nbf=NOW + 3600), "ImmatureSignatureError"),
    "old": (lambda p: p.id_token("n", iat=NOW - 3600), "too old"),
    "another nonce": (lambda p: p.id_token("m"), "nonce"),
    "a nonce that is none": (lambda p: p.id_token(["n"]), "nonce"),
    "without the nonce": (lambda p: p.id_token(None), "no nonce"),
    "without a subject": (lambda p: p.id_token("n", sub=None), "MissingRequiredClaimError"),
    "a name of ours": (lambda p: p.id_token("n", preferred_username="hub"), "a name of ours"),
    "a name that acts": (lambda p: p.id_token("n", preferred_username="a\x1b[2Jda"), "no name"),
    "a name that turns": (lambda p: p.id_token("n", preferred_username="ada\u202e"), "no name"),
    "a long name": (lambda p: p.id_token("n", preferred_username="a" * 500), "no name"),
    "a name that is a list": (lambda p: p.id_token("n", preferred_username=["ada"]), "no name"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_not_good_is_refused_alike(kind: str, post: Post, provider: Provider, world: SqliteWorld) -> None:
    make, why = WRONG[kind]
    answer = post(make(provider))
    assert answer.status_code == 401, answer.text
    assert problem(answer) == "not-signed-in"
    assert answer.json()["detail"] == (
        "This sign-in was not accepted. Nobody was signed in; begin again with `secondlook login`."
    )
    (said,) = reasons(world)
    assert any(one in said for one in why.split("|")), said
    assert world.query("SELECT count(*) FROM tokens") == [(0,)]
    assert world.verify().ok


def test_a_token_serves_once(post: Post, provider: Provider, world: SqliteWorld) -> None:
    token = provider.id_token("n")
    assert [post(token).status_code for _ in range(2)] == [200, 401]
    assert reasons(world) == ["sign-in: used before"]


def test_clocks_may_differ_a_little(post: Post, provider: Provider) -> None:
    now = int(time.time())
    assert post(provider.id_token("n", iat=now + 30)).status_code == 200
    assert post(provider.id_token("n", iat=now - 300, exp=now - 30)).status_code == 200


def test_a_token_for_several_that_was_given_to_us(post: Post, provider: Provider) -> None:
    assert post(provider.id_token("n", aud=[CLIENT, "other"], azp=CLIENT)).status_code == 200


def test_without_a_role_the_groups_that_count_are_said(post: Post, provider: Provider, world: SqliteWorld) -> None:
    provider.account["groups"] = ["staff", "payroll-secret"]
    answer = post(provider.id_token("n"))
    assert (answer.status_code, problem(answer)) == (403, "refused")
    assert "desk-reviewers, desk-leads" in answer.json()["detail"]
    assert "payroll" not in answer.text and "officer" not in answer.text
    assert reasons(world) == ["sign-in: no role"]
    assert world.query("SELECT count(*) FROM tokens") == [(0,)]


@pytest.mark.parametrize(
    ("account", "more", "person", "roles"),
    [
        ({"groups": ["desk-leads", "desk-reviewers"]}, {}, "ada", ["reviewer", "officer", "lead"]),
        ({"groups": "desk-leads"}, {}, "ada", ["officer", "lead"]),
        ({"realm_access": {"roles": ["desk-leads"]}}, {"roles_claim": "realm_access.roles"},
         "ada", ["officer", "lead"]),
        ({"https://example.org/roles": ["r"]},
         {"roles_claim": "https://example.org/roles", "roles": {"r": ["auditor"]}}, "ada", ["auditor"]),
        ({"email": "ada@example.org", "email_verified": True, "preferred_username": None, "groups": None},
         {"roles_claim": "email", "roles": {"ada@example.org": ["auditor"]}}, "ada@example.org", ["auditor"]),
        ({"email": "ada@example.org", "preferred_username": None}, {}, "7f3a", ["reviewer"]),
        ({"email": "ada@example.org", "email_verified": True}, {"person": "email"}, "ada@example.org", ["reviewer"]),
        ({"oid": "11-22"}, {"person": "oid"}, "11-22", ["reviewer"]),
    ],
)  # fmt: skip
def test_who_and_what_the_claims_make(
    account: dict[str, Any], more: dict[str, Any], person: str, roles: list[str],
    hub: Hub, post: Post, provider: Provider,
) -> None:  # fmt: skip
    hub.id_tokens = IdTokens(settings(provider, **more))
    provider.account |= account
    given = post(provider.id_token("n")).json()
    assert (given["person"], given["roles"]) == (person, roles)


@pytest.mark.parametrize(
    ("account", "more"),
    [
        ({"email": "ada@example.org"}, {"person": "email"}),
        ({"preferred_username": None}, {"person": "preferred_username"}),
        ({}, {"person": "oid"}),
    ],
)
def test_a_claim_that_is_named_has_to_be_there(
    account: dict[str, Any], more: dict[str, Any], hub: Hub, post: Post, provider: Provider
) -> None:
    hub.id_tokens = IdTokens(settings(provider, **more))
    provider.account |= account
    assert post(provider.id_token("n")).status_code == 401


def test_an_address_that_is_not_verified_gives_no_role(hub: Hub, post: Post, provider: Provider) -> None:
    hub.id_tokens = IdTokens(settings(provider, roles_claim="email", roles={"eve@example.org": ["lead"]}))
    provider.account |= {"email": "eve@example.org", "email_verified": False}
    assert post(provider.id_token("n")).status_code == 403


def test_a_sign_in_is_for_one_hub(hub: Hub, post: Post, provider: Provider, world: SqliteWorld) -> None:
    hub.id_tokens = IdTokens(settings(provider, address="https://hub.example.com"))
    here, there = new_nonce("https://HUB.example.com/"), new_nonce("https://hub.example.org")
    assert is_for(here, "https://hub.example.com") and not is_for(there, "https://hub.example.com")
    assert post(provider.id_token(there), there).status_code == 401
    assert reasons(world) == ["sign-in: for another hub"]
    assert post(provider.id_token(here), here).status_code == 200


def test_tokens_of_the_device_flow_have_no_nonce(hub: Hub, post: Post, provider: Provider) -> None:
    assert post(provider.id_token(None), "").status_code == 200
    assert post(provider.id_token("n"), "").status_code == 401
    hub.id_tokens = IdTokens(settings(provider, device=False))
    assert post(provider.id_token(None), "").status_code == 401


# -- keys --------------------------------------------------------------------------------------------


def test_keys_are_fetched_once_and_again_when_they_are_rotated(
    post: Post, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [post(provider.id_token("n", jti=str(n))).status_code for n in range(3)] == [200] * 3
    assert provider.fetched == 1
    before = provider.key
    provider.rotate("ES256")
    # Not at once: forged names of keys must not make us ask the provider each time.
    assert post(provider.id_token("n", jti="4")).status_code == 401
    assert provider.fetched == 1
    monkeypatch.setattr("app.hub.id_tokens._ANEW", 0.0)
    assert post(provider.id_token("n", jti="5")).status_code == 200
    assert post(before.sign(provider.claims("n", jti="6"))).status_code == 401


def test_keys_without_names(post: Post, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    token = jwt.encode(provider.claims("n"), provider.key.private, provider.key.algorithm)
    assert post(token).status_code == 200
    provider.keys = [provider.key, Key(provider.key.algorithm)]
    monkeypatch.setattr("app.hub.id_tokens._KEPT", 0.0)
    assert (
        post(jwt.encode(provider.claims("n", jti="2"), provider.key.private, provider.key.algorithm)).status_code == 401
    )


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"alg": "RS512"},
        {"key_ops": ["encrypt"]},
        {"n": "AQAB"},
    ],
)
def test_keys_for_something_else_do_not_count(
    change: dict[str, Any], post: Post, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.rotate("RS256")
    genuine = Key.public
    monkeypatch.setattr(Key, "public", lambda key: {**genuine(key), **change})
    assert post(provider.id_token("n")).status_code == 401


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://other.example.com"},
        {"jwks_uri": None},
        {"jwks_uri": "http://keys.example.com/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://127.0.0.1:9/keys"},
    ],
)
def test_a_provider_that_cannot_be_used(
    document: dict[str, Any], hub: Hub, ask: Ask, provider: Provider, world: SqliteWorld
) -> None:
    hub.id_tokens = IdTokens(settings(provider))
    provider.document = document
    for _ in range(2):
        answer = ask().post("/sign-in", json={"id_token": provider.id_token("n"), "nonce": "n"})
        assert (answer.status_code, problem(answer)) == (503, "unavailable")
        assert answer.headers["retry-after"] and "example.com" not in answer.text
    assert ask("reviewer").get("/me").status_code == 200
    assert world.query("SELECT count(*) FROM tokens") == [(1,)]
