"""Answers that are sent bit by bit end when the client has left, at whatever moment that is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from app.hub.streaming import Streamed


async def _endless() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(0)
        yield b"a bit"


@pytest.mark.parametrize("turns", range(1, 24))
def test_a_client_that_leaves_between_two_bits(turns: int) -> None:
    """Bits are taken at once, so that the end falls on each point of sending one."""
    ends: list[bool] = []

    async def receive() -> Message:
        for _ in range(turns):
            await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        assert message["type"].startswith("http.response")

    async def answer() -> None:
        task = asyncio.ensure_future(
            Streamed(_endless(), "text/plain", {}, lambda: ends.append(True))({}, receive, send)
        )
        done, _ = await asyncio.wait([task], timeout=5)
        task.cancel()
        assert done

    asyncio.run(answer())
    assert ends == [True]
