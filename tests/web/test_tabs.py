"""What a tab does with a desk that ends badly, with too many of them, and with words that would act."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSMsgType

from app.web import server

_WAITS = "import sys; sys.stdin.read()"
_SPEAKS = r"import sys; sys.stderr.write('no \x1b[2J\x1b]0;title\x07 desk\nat all'); sys.exit(5)"
_DEAF = "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); print('__GANGLION__', flush=True); " + (
    "import time; time.sleep(600)"
)


@asynccontextmanager
async def serving(program: str) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A server in this process whose desks are another program; a browser that is in, and where its sockets go."""
    told: asyncio.Queue[str] = asyncio.Queue()
    running = asyncio.create_task(server._serve([sys.executable, "-c", program], 0, told.put_nowait))
    address = await told.get()
    # Cookies of addresses without a name are kept only on request.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(address) as answer:
            assert answer.status == 200
        origin = address.partition("/")[0] + "//" + address.split("/")[2]
        session.headers["origin"] = origin
        yield session, address.partition("?")[0] + "ws"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_last_words_are_shown_and_do_not_act() -> None:
    async with serving(_SPEAKS) as (session, where), session.ws_connect(where) as socket:
        said = b"".join([message.data async for message in socket if message.type is WSMsgType.BINARY])
    words = said.rpartition(b"\x1b[0m")[2]
    assert b"\x1b" not in words and b"\x07" not in words
    assert b"no " in words and b"desk\r\nat all" in words


async def test_so_many_tabs_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_MOST_TABS", 1)
    async with serving(_WAITS) as (session, where):
        async with session.ws_connect(where), session.get(where) as answer:
            assert answer.status == 503 and "open already" in await answer.text()
        for _ in range(200):
            async with session.get(where) as answer:
                if answer.status != 503:
                    break
            await asyncio.sleep(0.05)
        async with session.ws_connect(where):
            pass


@pytest.mark.parametrize(
    "message", ["no json", "[]", "{}", '["resize", {}]', '["resize", {"width": "x"}]', '["stdin", 7]']
)
async def test_what_is_no_message_ends_the_tab(message: str) -> None:
    async with serving(_WAITS) as (session, where), session.ws_connect(where) as socket:
        await socket.send_str(message)
        async with asyncio.timeout(30):
            async for _ in socket:
                pass
        assert socket.closed


async def test_a_desk_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.tab._HAND_BACK_SECONDS", 0.3)
    async with serving(_DEAF) as (session, where):
        async with session.ws_connect(where):
            await asyncio.sleep(0.5)
        async with asyncio.timeout(20), session.ws_connect(where):
            pass
