"""Against a real, certified OpenID provider: people sign in with the browser and by a code, and get their roles.

npm install --prefix DIR oidc-provider
SECONDLOOK_TEST_OIDC_PROVIDER=DIR python -m pytest -m servers tests/servers/test_oidc_provider.py
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import orjson
import pytest

from app.hub.hub import Hub
from app.hub.id_tokens import IdTokens
from app.model.errors import Refused
from app.model.oidc import OidcSettings
from app.signing_in import Offer, offer_of, sign_in
from db.engine import open_store
from tests.contract import hubs
from tests.contract.worlds import KEYS, POLICIES, RUBRICS, SqliteWorld
from tests.servers.processes import free_port, running

pytestmark = pytest.mark.servers

_SCRIPT = Path(__file__).with_name("oidc_provider.mjs")
_FORM = re.compile(r"<form[^>]*action=\"([^\"]+)\"[^>]*>(.*?)</form>", re.S)
_INPUT = re.compile(r"<input[^>]*>")


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The provider's address."""
    folder, node = os.environ.get("SECONDLOOK_TEST_OIDC_PROVIDER", ""), shutil.which("node")
    package = Path(folder).absolute() / "node_modules" / "oidc-provider" / "package.json"
    if not folder or not node or not package.exists():
        pytest.fail(
            "needs node and `npm install --prefix DIR oidc-provider`; name DIR in SECONDLOOK_TEST_OIDC_PROVIDER"
        )
    print("oidc-provider", orjson.loads(package.read_bytes())["version"])
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    words = [node, str(_SCRIPT), str(Path(folder).absolute()), str(port)]
    with running(words, tmp_path_factory.mktemp("oidc"), f"{base}/.well-known/openid-configuration"):
        yield base


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> str:
    return SqliteWorld.template(tmp_path_factory.mktemp("hub"), {"credit": 2})


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


def address_of(hub: Hub, issuer: str, algorithm: str = "RS256", **more: Any) -> str:
    """Serves the hub with the provider."""
    address = hubs.serve(hub)
    said = {"issuer": issuer, "client_id": f"secondlook-{algorithm}", "scopes": "openid profile email groups"}
    roles = {"roles": {"desk-reviewers": ["reviewer"]}}
    hub.id_tokens = IdTokens(OidcSettings.model_validate({**said, **roles, "address": address, **more}))
    return address


class Person:
    """Somebody with a browser who fills in every form: a name, a password, yes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ended = ""
        self.threads: list[threading.Thread] = []

    def open(self, address: str) -> bool:
        """As `webbrowser.open`."""
        self.threads.append(threading.Thread(target=self.go, args=(address,)))
        self.threads[-1].start()
        return True

    def go(self, address: str) -> None:
        """Follows redirects and forms to their end."""
        with httpx.Client(follow_redirects=True, trust_env=False, timeout=30) as client:
            page = client.get(address)
            while found := _FORM.search(page.text):
                page = client.post(urljoin(str(page.url), unescape(found[1])), data=self._filled(found[2]))
            self.ended = page.text

    def _filled(self, form: str) -> dict[str, str]:
        values = {}
        for tag in _INPUT.findall(form):
            attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
            values[attributes.get("name", "")] = unescape(attributes.get("value", ""))
        return values | ({"login": self.name, "password": "x"} if "login" in values else {})

    def wait(self) -> None:
        """Until the browser rests."""
        for thread in self.threads:
            thread.join(30)


def offer(address: str) -> Offer:
    found = offer_of(address)
    assert found
    return found


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_with_the_browser(
    algorithm: str, issuer: str, hub: Hub, world: SqliteWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, ada = address_of(hub, issuer, algorithm), Person("ada")
    monkeypatch.setattr("webbrowser.open", ada.open)
    given = sign_in(address, offer(address), False, print)
    ada.wait()
    assert (given.person, given.roles) == ("ada.example", ("reviewer",))
    assert "goes on from here" in ada.ended
    me = httpx.get(f"{address}/v1/me", headers={"authorization": f"Bearer {given.token}"}, trust_env=False)
    assert me.status_code == 200 and me.json()["person"] == "ada.example"
    ((body,),) = world.query("SELECT body FROM audit WHERE action = 'token_made'")
    assert orjson.loads(body)["data"]["subject"] == "ada"
    assert world.verify().ok


def test_with_a_code(issuer: str, hub: Hub) -> None:
    address, ada = address_of(hub, issuer), Person("ada")
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        if "with the code in it" in line:
            # After the first question has been answered with "pending".
            threading.Timer(6.0, ada.open, [line.rpartition(" ")[2]]).start()

    begun = time.monotonic()
    given = sign_in(address, offer(address), True, tell)
    ada.wait()
    assert (given.person, given.roles) == ("ada.example", ("reviewer",))
    assert time.monotonic() - begun > 6 and len(lines) == 4


def test_nobody_without_a_group(issuer: str, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    address, eve = address_of(hub, issuer), Person("eve")
    monkeypatch.setattr("webbrowser.open", eve.open)
    with pytest.raises(Refused, match="desk-reviewers"):
        sign_in(address, offer(address), False, print)
    eve.wait()


def test_a_sign_in_for_another_hub(issuer: str, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    address, ada = address_of(hub, issuer, address="https://hub.example.com"), Person("ada")
    monkeypatch.setattr("webbrowser.open", ada.open)
    with pytest.raises(Refused, match="did not accept"):
        sign_in(address, offer(address), False, print)
    ada.wait()
