"""Answers that are sent bit by bit, and end for certain: with the last bit, when the client leaves or reads no more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

# How long a client may leave one bit unread.
IDLE_SECONDS = 60.0


class Streamed(Response):
    """Sends what an iterator gives. `done` is called at the end, whatever the end is."""

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        media_type: str,
        headers: Mapping[str, str],
        done: Callable[[], None],
        idle: float = IDLE_SECONDS,
    ) -> None:
        # Not Response's own: there is no body whose length could be told.
        self.status_code = 200
        self.background = None
        self.media_type = media_type
        self.init_headers(headers)
        self._chunks = chunks
        self._done = done
        self._idle = idle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends until one of the ends comes."""
        parts = [asyncio.ensure_future(self._send_all(send)), asyncio.ensure_future(_left(receive))]
        try:
            ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in ended:
                part.result()
        finally:
            try:
                for part in parts:
                    part.cancel()
                await asyncio.gather(*parts, return_exceptions=True)
            finally:
                self._done()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        # A client that stops reading is left: its connection is closed without the end of the body.
        with contextlib.suppress(TimeoutError):
            async for chunk in self._chunks:
                await self._send(send, {"type": "http.response.body", "body": chunk, "more_body": True})
            await self._send(send, {"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, send: Send, message: Message) -> None:
        # Not `wait_for`: Python 3.11's swallows a cancellation that comes as the bit was taken.
        async with asyncio.timeout(self._idle):
            await send(message)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
