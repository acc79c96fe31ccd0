"""Textual applications in this process, with a driver that draws every frame and shows it to nobody.

Unlike the headless driver of tests it lets the application render its frames to terminal codes, so
that what is timed is what a terminal would have got.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver

SIZE = (120, 40)
_PATIENCE = 20.0


class Frames:
    """What was drawn: the moments (seconds of `perf_counter`) and the codes, since the last `forget`."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.texts: list[str] = []
        self._drawn = asyncio.Event()

    def add(self, text: str) -> None:
        """A frame was drawn."""
        self.times.append(time.perf_counter())
        self.texts.append(text)
        self._drawn.set()

    def forget(self) -> None:
        """Starts anew."""
        self.times.clear()
        self.texts.clear()
        self._drawn.clear()

    async def first(self, wanted: Callable[[str], bool] = bool) -> float:
        """When the first frame was drawn that is wanted; waits for it."""
        async with asyncio.timeout(_PATIENCE):
            seen = 0
            while True:
                for index in range(seen, len(self.texts)):
                    if wanted(self.texts[index]):
                        return self.times[index]
                seen = len(self.texts)
                self._drawn.clear()
                await self._drawn.wait()


def run_app(app: App[Any], act: Callable[[Frames], Awaitable[None]]) -> None:
    """Runs an application in the sink; `act` watches its frames, then the application ends."""

    async def whole() -> None:
        frames = Frames()

        class Sink(HeadlessDriver):
            @property
            def is_headless(self) -> bool:
                return False

            def write(self, data: str) -> None:
                frames.add(data)

        async def watch(_pilot: object) -> None:
            await act(frames)
            app.exit()

        app.driver_class = Sink
        await app.run_async(size=SIZE, mouse=False, auto_pilot=watch)

    asyncio.run(whole())


def press(app: App[Any], key: str, character: str | None) -> float:
    """Sends a key as a terminal's driver does; returns the moment."""
    driver = app._driver
    if driver is None:
        raise RuntimeError("the application does not run")
    moment = time.perf_counter()
    driver.send_message(events.Key(key, character))
    return moment
