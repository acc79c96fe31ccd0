"""The two ways to an ID token: the browser's way back to the terminal, and codes for another machine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.model.errors import Refused, Unavailable
from app.oidc import browser, device, loopback
from app.oidc.browser import Client
from app.oidc.provider import discover, post
from tests.hub.provider import CLIENT, Person, Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def back() -> Iterator[loopback.Loopback]:
    made = loopback.Loopback("the-state")
    yield made
    made.close()


def test_only_the_answer_with_our_state_counts(back: loopback.Loopback) -> None:
    def get(query: str, path: str = "/callback", **headers: str) -> int:
        where = back.address.replace("/callback", path)
        return httpx.get(f"{where}?{query}", headers=headers, trust_env=False).status_code

    assert get("code=a&state=other") == 400
    assert get("code=a") == 400
    assert get("code=a&state=the-state&state=the-state") == 400
    assert get("code=a&state=the-st%C3%A4te") == 400
    assert get("code=a&state=the-state", "/favicon.ico") == 404
    assert get("code=a&state=the-state", host="evil.example.com") == 404
    with pytest.raises(Unavailable, match="Nobody signed in"):
        back.wait(0.01)
    assert get("code=a&state=the-state") == 200
    assert get("code=b&state=the-state") == 410
    assert back.wait(1)["code"] == "a"


def test_connections_that_say_nothing_do_not_keep_others_out(back: loopback.Loopback) -> None:
    import socket

    port = urlsplit(back.address).port
    with contextlib.ExitStack() as open_ones:
        for _ in range(20):
            open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
        assert httpx.get(f"{back.address}?code=a&state=the-state", trust_env=False).status_code == 200


@pytest.mark.parametrize("change", [{"iss": ""}, {"iss": "https://other.example.com"}, {"code": ""}])
def test_an_answer_of_another_provider(change: dict[str, str], provider: Provider) -> None:
    def show(address: str) -> bool:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        answer = {"state": asked["state"], "iss": provider.issuer, "code": "x", **change}
        said = {name: value for name, value in answer.items() if value}
        return bool(httpx.get(asked["redirect_uri"], params=said, trust_env=False))

    with pytest.raises(Refused):
        browser.id_token_by_browser(discover(provider.issuer), Client(CLIENT, "openid"), "n", print, show)


def test_without_the_verifier_a_code_is_worth_nothing(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person()

    def forgetful(where: str, form: dict[str, str]) -> Any:
        return post(where, {**form, "code_verifier": "x" * 43})

    monkeypatch.setattr(browser, "post", forgetful)
    with pytest.raises(Refused, match="invalid_grant"):
        browser.id_token_by_browser(discover(provider.issuer), Client(CLIENT, "openid"), "n", print, person.open)
    person.close()


def test_nobody_comes(provider: Provider) -> None:
    with pytest.raises(Unavailable, match="Nobody signed in"):
        browser.id_token_by_browser(
            discover(provider.issuer), Client(CLIENT, "openid"), "n", print, lambda _address: False, 0.05
        )


# -- codes -------------------------------------------------------------------------------------------


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


def by_code(provider: Provider, answers: list[str]) -> tuple[str, Time]:
    provider.answers, time = answers, Time()
    found = discover(provider.issuer)
    client = Client(CLIENT, "openid")
    return device.id_token_by_device(found, client, "n", lambda _line: None, time.sleep, time.clock), time


def test_how_often_the_provider_is_asked(provider: Provider) -> None:
    token, time = by_code(provider, ["authorization_pending", "slow_down", "authorization_pending", "broken"])
    assert token.count(".") == 2
    assert time.slept == [5, 5, 10, 10, 20]


@pytest.mark.parametrize(
    ("answers", "kind", "said"),
    [
        (["access_denied"], Refused, "declined"),
        (["expired_token"], Unavailable, "in time"),
        (["authorization_pending"] * 500, Unavailable, "in time"),
        (["invalid_client"], Refused, "invalid_client"),
    ],
)
def test_codes_that_nobody_enters(answers: list[str], kind: type[Exception], said: str, provider: Provider) -> None:
    with pytest.raises(kind, match=said):
        by_code(provider, answers)


def test_a_provider_without_codes(provider: Provider) -> None:
    provider.document = {"device_authorization_endpoint": None}
    with pytest.raises(Unavailable, match="--token"):
        by_code(provider, [])


@pytest.mark.parametrize(
    ("variables", "has"),
    [
        ({}, False),
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "w"}, True),
        ({"DISPLAY": ":0", "SSH_TTY": "x"}, False),
    ],
)
def test_whether_there_is_a_browser(variables: dict[str, str], has: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("webbrowser.get", lambda: object())
    assert browser.has_browser() is has
