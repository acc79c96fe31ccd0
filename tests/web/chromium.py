"""A headless Chromium, driven over its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

VARIABLE = "SECONDLOOK_TEST_CHROMIUM"
_SECONDS = 60.0
_LISTENING = re.compile(r"DevTools listening on (ws://\S+)")


def executable() -> str:
    """The browser. Fails where there is none: who asks for these tests wants them run."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, names)), "")
    if not found or not Path(found).exists():
        pytest.fail(f"Chromium is not installed: `apt-get install chromium`, or name it in {VARIABLE}")
    return found


class Page:
    """One page of the browser: what it asked for, what its sockets were sent, its console."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._session = ""
        self._count = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.asked: list[str] = []
        self.painted = ""
        self.complaints: list[str] = []

    async def listen(self) -> None:
        """Takes in what the browser says, until it ends."""
        async for message in self._socket:
            said = message.json()
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            else:
                self._note(said["method"], said["params"])

    def _note(self, method: str, said: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.asked.append(said["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.asked.append(said["url"])
        elif method == "Network.webSocketFrameReceived" and said["response"]["opcode"] == 2:
            drawn = base64.b64decode(said["response"]["payloadData"]).decode("utf-8", "replace")
            self.painted += re.sub(r"\x1b\[[0-9;?]*[A-Za-z$]", "", drawn)
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(said["exceptionDetails"]))
        elif method == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.complaints.append(said["entry"]["text"])

    async def ask(self, method: str, **parameters: Any) -> Any:
        """One command of the protocol."""
        self._count += 1
        answer = self._answers[self._count] = asyncio.get_running_loop().create_future()
        sent = {"id": self._count, "method": method, "params": parameters}
        await self._socket.send_json(sent | ({"sessionId": self._session} if self._session else {}))
        said = await asyncio.wait_for(answer, _SECONDS)
        assert "error" not in said, said
        return said["result"]

    async def open(self, address: str, width: int, height: int) -> None:
        """Opens an address in a window of so many pixels."""
        target = await self.ask("Target.createTarget", url="about:blank")
        attached = await self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Network", "Page", "Runtime", "Log"):
            await self.ask(f"{domain}.enable")
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        await self.ask("Page.navigate", url=address)

    async def press(self, key: str) -> None:
        """Presses a key that writes a letter or a digit."""
        code = f"Digit{key}" if key.isdigit() else f"Key{key.upper()}"
        number = ord(key.upper())
        same = {"key": key, "code": code, "windowsVirtualKeyCode": number, "nativeVirtualKeyCode": number}
        await self.ask("Input.dispatchKeyEvent", type="keyDown", text=key, unmodifiedText=key, **same)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", **same)

    async def value(self, expression: str) -> Any:
        """What an expression is in the page."""
        found = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    async def rest(self) -> None:
        """Waits until nothing more is painted for a while."""
        before = -1
        while before != len(self.painted):
            before = len(self.painted)
            await asyncio.sleep(0.7)

    async def picture(self) -> bytes:
        """The page as a PNG, once it rests."""
        await self.rest()
        found = await self.ask("Page.captureScreenshot", format="png")
        return base64.b64decode(found["data"])

    async def until(self, holds: Callable[[], Any]) -> Any:
        """What is true in the end; fails when it is not in time."""
        async with asyncio.timeout(_SECONDS):
            while not (found := holds()):
                await asyncio.sleep(0.05)
            return found


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Page]:
    """A browser with a profile of its own, until the end of the block."""
    words = [executable(), "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={folder}"]
    # Root may not use the sandbox; only our own page on this machine is shown.
    words += ["--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage"]
    words += ["--no-proxy-server", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "about:blank"]
    child = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    assert child.stderr
    try:
        async with asyncio.timeout(_SECONDS):
            while not (found := _LISTENING.search((await child.stderr.readline()).decode())):
                assert child.returncode is None
        drain = asyncio.create_task(child.stderr.read())
        async with aiohttp.ClientSession() as session, session.ws_connect(found[1], max_msg_size=0) as socket:
            page = Page(socket)
            listening = asyncio.create_task(page.listen())
            yield page
            listening.cancel()
        drain.cancel()
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()
