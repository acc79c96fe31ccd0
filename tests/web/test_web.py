"""`secondlook web`: the page with its key, and nothing without it; a desk that really draws."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import httpx
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from app.cli import main
from tests.screens.seat import make_template
from tests.web.serving import Served, served, until

# What Textual writes by itself.
OWN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z$]|\x1b\]22;[a-z]+\x07")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("web") / "desk")


@pytest.fixture(scope="module")
def desk(root: Path) -> Iterator[Served]:
    with served(root) as made:
        yield made


@pytest.fixture(scope="module")
def browser(desk: Served) -> Iterator[httpx.Client]:
    """A browser that was given the address."""
    with httpx.Client(trust_env=False) as client:
        answer = client.get(desk.address)
        assert answer.status_code == 200 and "refresh" in answer.text
        assert {"httponly", "samesite=strict"} <= set(answer.headers["set-cookie"].lower().replace(" ", "").split(";"))
        yield client


def test_the_page_asks_nobody_else(desk: Served, browser: httpx.Client) -> None:
    page = browser.get(desk.page)
    assert page.status_code == 200
    addresses = re.findall(r"""(?:\bsrc|\bhref|\burl)\s*[=(]\s*["']?([^"')\s>]+)""", page.text)
    assert len(addresses) > 4
    for address in (str(page.url.join(address)) for address in addresses):
        assert address.startswith((desk.page, desk.socket.partition("?")[0], "data:,")), address
        if address.startswith(desk.page):
            assert browser.get(address).status_code == 200
    said = page.headers["content-security-policy"]
    assert "default-src 'none'" in said and "frame-ancestors 'none'" in said and "http:" not in said
    assert page.headers["cache-control"] == "no-store"


def test_an_address_serves_once(desk: Served, browser: httpx.Client) -> None:
    assert httpx.get(desk.address, trust_env=False).status_code == 403
    # Whoever is in may come with it again.
    assert browser.get(desk.address).status_code == 200
    other = desk.next_address()
    assert other.startswith(desk.page) and other != desk.address
    assert httpx.get(other, trust_env=False).status_code == 200
    assert httpx.get(other, trust_env=False).status_code == 403


@pytest.mark.parametrize("path", ["", "ws", "static/js/textual.js", "download/x", "?key=", "?key=%C3%A4", "?key=x"])
def test_nothing_without_the_key(desk: Served, path: str) -> None:
    for cookie in ("", "secondlook=", "secondlook=x"):
        answer = httpx.get(desk.page + path, headers={"cookie": cookie}, trust_env=False)
        assert answer.status_code == 403 and "secondlook web" in answer.text


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/ws", "/static/js/textual.js", "/download/x"])
def test_nothing_beside_it(desk: Served, browser: httpx.Client, path: str) -> None:
    assert httpx.get(desk.origin + path, trust_env=False).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "desk.evil.example"},
        {"host": "localhost"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
    ],
)
def test_pages_of_others_get_nothing(desk: Served, browser: httpx.Client, headers: dict[str, str]) -> None:
    assert browser.get(desk.page, headers=headers).status_code == 403
    assert browser.get(desk.page).status_code == 200


@asynccontextmanager
async def tab(desk: Served, browser: httpx.Client, **headers: str) -> AsyncIterator[ClientWebSocketResponse]:
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    sent = {"origin": desk.origin, "cookie": cookies, **headers}
    async with aiohttp.ClientSession() as session, session.ws_connect(desk.socket, headers=sent) as opened:
        yield opened


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"origin": "http://127.0.0.1:1"}, {"cookie": ""}]
)
async def test_a_socket_of_others_is_refused(desk: Served, browser: httpx.Client, headers: dict[str, str]) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        async with tab(desk, browser, **headers):
            pass
    assert caught.value.status == 403


def test_a_socket_without_an_origin_is_refused(desk: Served, browser: httpx.Client) -> None:
    headers = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    headers["sec-websocket-key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    assert browser.get(desk.page + "ws", headers=headers).status_code == 403


def _shows_one_more(desk: Served, count: int, text: str) -> bool:
    held = desk.held()
    return len(held) == count and any(case in text for case in held)


async def take_case(desk: Served, *sockets: ClientWebSocketResponse) -> None:
    """Takes the most urgent case in each tab, and waits until it is on the screen."""
    for count, socket in enumerate(sockets, 1):
        await socket.send_json(["stdin", "n"])
        await drawn(socket, partial(_shows_one_more, desk, count))
    assert len(desk.held()) == len(sockets)


async def drawn(socket: ClientWebSocketResponse, enough: Callable[[str], bool] = lambda _text: False) -> str:
    """What is drawn until it is enough, or the tab ends; colours, moves and the pointer's form left out."""
    came, text = b"", ""
    async with asyncio.timeout(60):
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                # A sequence may be cut where a message ends: all that came is looked at.
                came += message.data
                text = OWN.sub("", came.decode("utf-8", "replace"))
            if enough(text):
                return text
    return text


def inbox(text: str) -> bool:
    """Whether the inbox is drawn with its cases."""
    return "moderation" in text and "summaries" in text


async def test_a_tab_is_a_desk_and_gives_its_case_back(desk: Served, browser: httpx.Client) -> None:
    async with tab(desk, browser) as socket:
        text = await drawn(socket, inbox)
        assert "secondlook" in text
        await take_case(desk, socket)
    await asyncio.to_thread(until, lambda: not desk.held())


async def test_tabs_are_terminals_of_their_own(desk: Served, browser: httpx.Client) -> None:
    async with tab(desk, browser) as one, tab(desk, browser) as other:
        await asyncio.gather(drawn(one, inbox), drawn(other, inbox))
        await take_case(desk, one, other)
        await one.send_json(["resize", {"width": 100, "height": 30}])
        await one.send_str("no message")
        await other.send_json(["stdin", "\x11"])
        said = await drawn(other)
        assert "\x1b" not in said
    await asyncio.to_thread(until, lambda: not desk.held())


def test_ctrl_c_ends_it(root: Path) -> None:
    with served(root) as made:
        assert made.stop() == 0
        assert made.child.stderr
        assert "given back" in made.child.stderr.read()


async def test_ctrl_c_gives_cases_back(root: Path) -> None:
    with served(root) as made, httpx.Client(trust_env=False) as client:
        client.get(made.address)
        async with tab(made, client) as socket:
            await drawn(socket, inbox)
            await take_case(made, socket)
            assert await asyncio.to_thread(made.stop) == 0
        assert not made.held()


async def test_why_a_desk_cannot_open_is_said_in_the_tab(tmp_path: Path) -> None:
    root = make_template(tmp_path / "desk")
    with served(root) as made, httpx.Client(trust_env=False) as client:
        client.get(made.address)
        (root / "secondlook.toml").write_text("[nonsense]\n")
        async with tab(made, client) as socket:
            said = await drawn(socket, lambda text: "unknown key" in text)
        assert "nonsense" in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "desk.example.com"])
def test_other_hosts_are_refused(host: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--workspace", str(root), "web", "--host", host]) == 2
    assert "127.0.0.1 only" in capsys.readouterr().err


def test_a_port_that_is_taken(desk: Served, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = desk.host.partition(":")[2]
    assert main(["--workspace", str(root), "web", "--port", port]) == 2
    assert "--port names another" in capsys.readouterr().err
    assert main(["--workspace", str(root), "web", "--port", "70000"]) == 2


def test_without_the_extra(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in [name for name in sys.modules if name.startswith(("app.web", "textual_serve"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    assert main(["--workspace", str(root), "web", "--port", "0"]) == 2
    assert "pip install 'secondlook[web]'" in capsys.readouterr().err


async def test_files_come_through_the_gate(desk: Served, browser: httpx.Client) -> None:
    async with tab(desk, browser) as socket:
        await drawn(socket, inbox)
        await socket.send_json(["stdin", "\x10"])
        await drawn(socket, lambda text: "Search for commands" in text)
        await socket.send_json(["stdin", "screenshot"])
        await drawn(socket, lambda text: "Save an SVG" in text)
        await socket.send_json(["stdin", "\r"])
        address = await _opened(socket)
        assert address.startswith(f"{desk.page}download/")
        assert httpx.get(address, trust_env=False).status_code == 403
        answer = await asyncio.to_thread(browser.get, address)
        assert answer.status_code == 200 and "<svg" in answer.text
        assert answer.headers["content-disposition"].startswith("attachment")


async def _opened(socket: ClientWebSocketResponse) -> str:
    """The address that the page is told to open."""
    async with asyncio.timeout(60):
        async for message in socket:
            if message.type is WSMsgType.TEXT and message.json()[0] == "open_url":
                return str(message.json()[1]["url"])
    raise AssertionError("nothing was opened")
