"""`secondlook login` with a provider: through the browser here, and through one on another machine."""

from __future__ import annotations

import io
import json
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.cli import main
from app.hub.hub import Hub
from app.hub.id_tokens import IdTokens
from tests.contract import hubs
from tests.hub.provider import Person, Provider
from tests.hub.test_oidc import settings
from tests.unit.test_secrets import Ring, use

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def desk_hub(hub: Hub, address: str, provider: Provider) -> str:
    """The address of a hub with a provider."""
    hub.id_tokens = IdTokens(settings(provider, address=address))
    return address


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    made = Ring()
    use(monkeypatch, made)
    return made


class Terminal(io.StringIO):
    """Standard input of a person who types nothing."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    for name in ("SECONDLOOK_HUB_TOKEN", "SECONDLOOK_WORKSPACE", "SSH_CONNECTION", "SSH_TTY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("app.oidc.device._pause", lambda _seconds: None)

    def act(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(list(words))
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return code, out, err

    return act


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    made = Person()
    monkeypatch.setattr("webbrowser.open", made.open)
    yield made
    made.close()


def test_signing_in_with_the_browser(desk_hub: str, run: Run, person: Person, ring: Ring) -> None:
    code, out, err = run("login", desk_hub, "--json")
    assert code == 0, err
    said = json.loads(out)
    assert (said["person"], said["hub"]) == ("ada", desk_hub) and said["expires_at"].endswith("Z")
    person.close()
    (page,) = person.pages
    assert page.status_code == 200 and "goes on from here" in page.text
    assert "code=" not in page.text and page.headers["cache-control"] == "no-store"
    (kept,) = [secret for (_, account), secret in ring.kept.items() if account.startswith("hub:")]
    assert kept.startswith("sl_") and kept not in out + err
    assert "/authorize?" in err and "code_challenge_method=S256" in err
    assert run("--as", "ada", "cases")[0] in (0, 2)


def test_saying_no_at_the_provider(desk_hub: str, run: Run, person: Person, ring: Ring, provider: Provider) -> None:
    provider.deny = True
    code, _, err = run("login", desk_hub)
    assert code == 3 and "declined at the provider" in err
    person.close()
    assert "Nobody was signed in" in person.pages[0].text
    assert not [account for _, account in ring.kept if account.startswith("hub:")]


@pytest.mark.usefixtures("person", "ring")
def test_no_role_is_said(desk_hub: str, run: Run, provider: Provider) -> None:
    provider.account["groups"] = ["staff"]
    code, _, err = run("login", desk_hub)
    assert code == 3 and "desk-reviewers, desk-leads" in err


@pytest.mark.usefixtures("person", "ring")
def test_a_sign_in_that_the_hub_does_not_take(desk_hub: str, run: Run, provider: Provider) -> None:
    provider.account["azp"] = "other"
    code, _, err = run("login", desk_hub)
    assert code == 3 and "did not accept this sign-in" in err and "audit log" in err


def test_another_machine_s_browser(desk_hub: str, run: Run, ring: Ring, provider: Provider) -> None:
    provider.answers = ["authorization_pending", "slow_down", "broken", "authorization_pending"]
    code, _, err = run("login", desk_hub, "--device")
    assert code == 0, err
    assert "WDJB-MJHT" in err and f"{provider.issuer}/activate" in err
    assert [account for _, account in ring.kept if account.startswith("hub:")]


@pytest.mark.usefixtures("ring")
def test_over_ssh_it_is_another_machine_s_browser(
    desk_hub: str, run: Run, monkeypatch: pytest.MonkeyPatch, provider: Provider
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22")
    provider.echoes = True
    code, _, err = run("login", desk_hub)
    assert code == 0 and "WDJB-MJHT" in err, err


@pytest.mark.usefixtures("ring")
def test_a_hub_that_wants_a_browser(hub: Hub, desk_hub: str, run: Run, provider: Provider) -> None:
    hub.id_tokens = IdTokens(settings(provider, device=False))
    code, _, err = run("login", desk_hub, "--device")
    assert code == 3 and "does not allow" in err


def test_where_there_is_no_keyring(desk_hub: str, run: Run, person: Person, tmp_path: Path) -> None:
    code, _, err = run("login", desk_hub)
    assert code == 5 and "--file FILE" in err and not person.threads
    code, _, err = run("login", desk_hub, "--file", "token")
    assert code == 0 and "SECONDLOOK_HUB_TOKEN_FILE" in err, err
    file = tmp_path / "token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and file.read_text().startswith("sl_")
    assert [one.name for one in tmp_path.iterdir() if "token" in one.name] == ["token"]


@pytest.mark.usefixtures("ring")
def test_a_token_by_hand(hub: Hub, desk_hub: str, run: Run, monkeypatch: pytest.MonkeyPatch, person: Person) -> None:
    token = hubs.sign_in(hub, "ben", "reviewer")
    monkeypatch.setattr("getpass.getpass", lambda _prompt: token)
    code, _, err = run("login", desk_hub, "--token")
    assert code == 0 and "as ben" in err and not person.threads
    monkeypatch.setattr("sys.stdin", io.StringIO(token + "\n"))
    assert run("login", desk_hub)[0] == 0
    assert not person.threads
    hub.id_tokens = None
    monkeypatch.setattr("sys.stdin", Terminal())
    assert run("login", desk_hub)[0] == 0
    code, _, err = run("login", desk_hub, "--browser")
    assert code == 2 and "no provider" in err
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run("login", desk_hub)[0] == 2


@pytest.mark.usefixtures("ring", "person")
def test_a_provider_that_is_somebody_else(desk_hub: str, run: Run, provider: Provider) -> None:
    provider.document = {"issuer": "https://other.example.com"}
    code, _, err = run("login", desk_hub)
    assert code == 5 and "https://other.example.com" in err
    provider.document = {"authorization_endpoint": "http://other.example.com/authorize"}
    code, _, err = run("login", desk_hub)
    assert code == 5 and "authorization_endpoint" in err
