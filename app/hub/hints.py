"""Hints that something changed, as server-sent events: which queue, and nothing of its cases.

One relay asks the log for its newest entries while anybody listens, and tells all. Hints may be lost (the hub restarts,
a connection breaks): whoever listens also looks now and then.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.hub.asking import allowed
from app.hub.hub import Hub, Identity
from app.hub.problems import ANSWERS, problem
from app.hub.streaming import Streamed
from app.model.errors import SecondlookError
from db import audit, changes, tokens

router = APIRouter(tags=["look"])
MEDIA_TYPE = "text/event-stream"
# The log is asked so often; a queue is told of at most once in this time.
LOOK_SECONDS = 0.5
# So often something is sent in any case, so that a broken connection is noticed on both sides.
HEARTBEAT_SECONDS = 15.0
_MOST, _MOST_OF_ONE = 2000, 3
# Of more entries at once it is not asked which queues they are of: all are told.
_MOST_ENTRIES = 5000
_EXAMPLE = 'retry: 3000\n\nevent: changed\ndata: {"queue":"credit"}\n\n: still here\n\n'
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events without end: `changed` with the queue in which something did. It ends with the token.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}},
    },
    406: {**ANSWERS[415], "description": "The request does not ask for server-sent events."},
    429: {**ANSWERS[429], "description": "Too many requests, or too many listeners: look now and then instead."},
}


@dataclass(eq=False)
class Listener:
    """One connection: what it was not told yet, and whether it is to end."""

    token_id: str
    pending: set[str] = field(default_factory=set)
    ended: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, queues: set[str]) -> None:
        """Notes queues to be told of."""
        if queues:
            self.pending |= queues
            self.woken.set()

    def end(self) -> None:
        """Lets the connection end."""
        self.ended = True
        self.woken.set()


class Hints:
    """Who listens to a hub, and the relay that tells them. Used from the server's event loop alone."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._listeners: set[Listener] = set()
        self._relay: asyncio.Task[None] | None = None
        self._seen = 0
        self._closed = False

    def join(self, token_id: str) -> Listener | None:
        """A new listener, or None where there are too many."""
        of_one = Counter(one.token_id for one in self._listeners)[token_id]
        if self._closed or len(self._listeners) >= _MOST or of_one >= _MOST_OF_ONE:
            return None
        listener = Listener(token_id)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """A listener has gone."""
        self._listeners.discard(listener)

    async def begin(self) -> None:
        """Sees to it that the relay runs: what changes from now on is told. Raises Unavailable."""
        if self._relay is None or self._relay.done():
            seen = await run_in_threadpool(self._newest)
            # Somebody else may have begun meanwhile.
            if self._relay is None or self._relay.done():
                self._seen = seen
                self._relay = asyncio.create_task(self._run())

    def close(self) -> None:
        """Ends all connections and takes no new ones: the hub is about to stop."""
        self._closed = True
        for listener in self._listeners:
            listener.end()

    async def _run(self) -> None:
        try:
            while self._listeners:
                await asyncio.sleep(LOOK_SECONDS)
                await self._tell()
        finally:
            # Nobody is left waiting for a relay that is gone: they come again.
            for listener in self._listeners:
                listener.end()

    async def _tell(self) -> None:
        asked = {one.token_id for one in self._listeners}
        try:
            self._seen, changed, valid = await run_in_threadpool(self._look, self._seen, asked)
        except SecondlookError:
            # The database cannot serve now; what changes meanwhile is found when it can.
            return
        for listener in self._listeners:
            if listener.token_id in asked - valid:
                listener.end()
            listener.tell(changed)

    def _newest(self) -> int:
        with self._hub.store.read() as connection:
            head = audit.head(connection)
        return head[0] if head else 0

    def _look(self, seen: int, token_ids: set[str]) -> tuple[int, set[str], set[str]]:
        """The log's newest number, the queues that changed since, and which of the tokens are still valid."""
        with self._hub.store.read() as connection:
            newest, changed = changes.queues(connection, seen, _MOST_ENTRIES)
            valid = tokens.valid(connection, token_ids, self._hub.clock())
        ours = set(self._hub.policies)
        return newest, ours if changed is None else changed & ours, valid


@router.get("/hints", response_class=Response, responses=_ANSWERS)
async def hints(request: Request, who: Annotated[Identity, Depends(allowed("look"))]) -> Response:
    """Says when something changed in a queue: server-sent events without end, for requests that accept
    `text/event-stream`. Look once when it begins, and now and then: hints may be lost."""
    # Whoever accepts anything, as most programs do, would wait for the end of what has none.
    if MEDIA_TYPE not in request.headers.get("accept", "").lower():
        return problem(406, f"These are server-sent events: ask with 'Accept: {MEDIA_TYPE}'.")
    relay: Hints = request.state.hints
    listener = relay.join(who.token_id)
    if listener is None:
        return problem(429, "Too many listen already. Look now and then instead.", {"retry-after": "30"})
    try:
        await relay.begin()
    except BaseException:
        relay.leave(listener)
        raise
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return Streamed(_events(listener), MEDIA_TYPE, headers, lambda: relay.leave(listener))


async def _events(listener: Listener) -> AsyncIterator[bytes]:
    yield b"retry: 3000\n\n"
    while not listener.ended:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await listener.woken.wait()
        except TimeoutError:
            yield b": still here\n\n"
            continue
        listener.woken.clear()
        queues, listener.pending = sorted(listener.pending), set()
        if queues and not listener.ended:
            yield b"".join(b"event: changed\ndata: %s\n\n" % orjson.dumps({"queue": queue}) for queue in queues)
