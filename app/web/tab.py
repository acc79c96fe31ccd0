"""One tab of the browser: a process of its own with the desk, as a terminal window would have."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from app.protect.safe_text import safe_text

# How long a desk may take to give its case back, once its tab is closed.
_HAND_BACK_SECONDS = 10.0
_COLUMNS, _LINES = (20, 500), (5, 300)
# What Textual says when it begins.
_BEGINS = b"__GANGLION__\n"
# The screen before the desk: cleared, with a cursor, without the mouse.
_PLAIN_SCREEN = b"\x1b[?1003l\x1b[?1000l\x1b[?2004l\x1b[?1049l\x1b[2J\x1b[H\x1b[?25h\x1b[0m"


class Tab(AppService):
    """Carries bytes between a websocket and a desk, until one of them ends."""

    def __init__(
        self, words: Sequence[str], websocket: web.WebSocketResponse, downloads: DownloadManager, base: str
    ) -> None:
        """`words`: the command; `base`: the address of our pages."""

        async def send(data: bytes) -> None:
            # The desk has to be read to its end even when nobody looks any more.
            with contextlib.suppress(ConnectionError, RuntimeError):
                if not websocket.closed:
                    await websocket.send_bytes(data)

        async def send_words(data: str) -> None:
            with contextlib.suppress(ConnectionError, RuntimeError):
                if not websocket.closed:
                    await websocket.send_str(data)

        async def close() -> None:
            await websocket.close()

        super().__init__("", write_bytes=send, write_str=send_words, close=close, download_manager=downloads)
        self._words = words
        self._base = base

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """Starts the desk. In a session of its own: ctrl-c in the server's terminal is for the server, which lets the
        desks give back their cases."""
        self._process = process = await asyncio.create_subprocess_exec(
            *self._words,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._build_environment(_within(width, _COLUMNS), _within(height, _LINES)),
            start_new_session=sys.platform != "win32",
        )
        self._stdin = process.stdin
        return process

    async def set_terminal_size(self, width: int, height: int) -> None:
        """Tells the desk how large the window is."""
        await super().set_terminal_size(_within(int(width), _COLUMNS), _within(int(height), _LINES))

    async def run(self) -> None:
        """Passes on what the desk writes; at its end shows its last words, and closes."""
        process = self._process
        assert process and process.stdout and process.stderr
        last_words = asyncio.create_task(process.stderr.read())
        with contextlib.suppress(asyncio.IncompleteReadError):
            while await process.stdout.readline() not in (_BEGINS, b""):
                pass
            await self._pass_on(process.stdout)
        said = safe_text((await last_words).decode("utf-8", "replace")).strip()
        await process.wait()
        await self.remote_write_bytes(_PLAIN_SCREEN + said.replace("\n", "\r\n").encode("utf-8", "replace"))
        await self.remote_close()

    async def _pass_on(self, stdout: asyncio.StreamReader) -> None:
        carry: dict[bytes, Callable[[bytes], Any]] = {b"D": self.on_data, b"M": self.on_meta, b"P": self.on_packed}
        while True:
            head = await stdout.readexactly(5)
            payload = await stdout.readexactly(int.from_bytes(head[1:], "big"))
            if head[:1] in carry:
                await carry[head[:1]](payload)

    async def on_meta(self, data: bytes) -> None:
        """What the desk wants of the browser. That it ends is seen by its end; files come from our own path."""
        wanted = orjson.loads(data)
        if wanted["type"] == "exit":
            return
        if wanted["type"] != "deliver_file_start":
            await super().on_meta(data)
            return
        await self._download_manager.create_download(
            app_service=self,
            delivery_key=str(wanted["key"]),
            file_name=str(wanted["path"]).replace("\\", "/").rpartition("/")[2],
            open_method="download",
            mime_type=wanted["mime_type"],
            encoding=wanted["encoding"],
            name=wanted.get("name"),
        )
        address = f"{self._base}/download/{wanted['key']}"
        await self.remote_write_str(orjson.dumps(["open_url", {"url": address, "new_tab": True}]).decode())

    async def stop(self) -> None:
        """Ends the desk as a terminal that is closed does: it gives its case back first."""
        task, self._task = self._task, None
        process = self._process
        if task is None or process is None:
            return
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
        await self._hang_up(process)
        try:
            await asyncio.wait_for(asyncio.shield(task), _HAND_BACK_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await task

    async def _hang_up(self, process: Process) -> None:
        if process.returncode is not None:
            return
        if sys.platform == "win32":
            await self.send_meta({"type": "quit"})
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGHUP)


def _within(number: int, bounds: tuple[int, int]) -> int:
    return max(bounds[0], min(bounds[1], number))
