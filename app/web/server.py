"""The server: textual-serve's page behind the gate, with a desk for each tab."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import web
from textual_serve.server import Server, to_int

from app.model.errors import BadInput
from app.web.gate import Gate
from app.web.tab import Tab

_HERE = Path(__file__).parent
# Each is a process of some 100 MB.
_MOST_TABS = 16
_MOST_MESSAGE = 1024 * 1024
# After the tabs have had their time.
_SHUTDOWN_SECONDS = 2.0
_log = logging.getLogger("secondlook.web")


class DeskServer(Server):
    """textual-serve's server with our page, our gate, and tabs that give back their cases."""

    def __init__(self, words: Sequence[str], gate: Gate) -> None:
        """`words`: the command that opens a desk."""
        super().__init__(
            "",
            host="127.0.0.1",
            title="secondlook",
            public_url=gate.origin,
            templates_path=_HERE / "templates",
        )
        self._words = words
        self._gate = gate
        self._tabs: set[Tab] = set()

    async def application(self) -> web.Application:
        """Everything under the gate's path."""
        outer = web.Application(middlewares=[self._gate.middleware])
        inner = await self._make_app()
        inner.router.add_static("/own", _HERE / "own", name="own")
        outer.add_subapp(self._gate.place, inner)
        outer.on_response_prepare.append(self._gate.headers)
        return outer

    async def on_startup(self, app: web.Application) -> None:
        """Without textual-serve's banner: the command says what there is to say."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Ends all desks."""
        await asyncio.gather(*(tab.stop() for tab in list(self._tabs)))

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One tab, from its opening to its end."""
        if len(self._tabs) >= _MOST_TABS:
            raise web.HTTPServiceUnavailable(text=f"{_MOST_TABS} desks are open already: close one.")
        websocket = web.WebSocketResponse(heartbeat=15, max_msg_size=_MOST_MESSAGE)
        await websocket.prepare(request)
        tab = Tab(self._words, websocket, self.download_manager, f"{self._gate.origin}{self._gate.place}")
        self._tabs.add(tab)
        try:
            await tab.start(to_int(request.query.get("width", ""), 80), to_int(request.query.get("height", ""), 24))
            await self._process_messages(websocket, tab)
        except (ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
            # What was typed is in the message: only its kind is said.
            _log.warning("a tab sent what is no message: %s", type(error).__name__)
        finally:
            await tab.stop()
            self._tabs.discard(tab)
            await websocket.close()
        return websocket


def serve(words: Sequence[str], port: int, tell: Callable[[str], None]) -> None:
    """Serves desks until ctrl-c. `tell` is given each address that opens one. Raises BadInput for a port that is
    taken."""
    asyncio.run(_serve(words, port, tell))


async def _serve(words: Sequence[str], port: int, tell: Callable[[str], None]) -> None:
    with _listening(port) as listener:
        gate = Gate(listener.getsockname()[1], tell)
        application = await DeskServer(words, gate).application()
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            ended = _ended()
            tell(gate.address)
            await ended.wait()
        finally:
            await runner.cleanup()


def _listening(port: int) -> socket.socket:
    """A socket on loopback, and nowhere else."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise BadInput(
            f"Port {port} of 127.0.0.1 cannot be used: {error.strerror}. --port names another; 0 takes a free one."
        ) from None
    return listener


def _ended() -> asyncio.Event:
    """Set when we are told to stop."""
    ended = asyncio.Event()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(NotImplementedError, AttributeError):
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), ended.set)
    return ended
