"""Delivering: what is due goes to its sinks. It is taken first (an attempt is counted, and others keep off for a
while), sent then, and noted last. Stopping anywhere sends nothing twice but what was sent and not noted: that comes
again after the while, under the same id.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson

from app.connecting import secrets_of
from app.deliver import schedule
from app.deliver.sinks import open_sink
from app.model.connection import ConnectionSettings, Delivery, Sink
from app.model.errors import SecondlookError, Unavailable, Undelivered
from app.protect.own_id import SEALED, opened_id
from app.secrets import Keys
from app.settings import Settings, Workspace
from db import connections, outbox
from db.engine import Connection, Store

# For so long, in milliseconds, nobody else takes what one deliverer has taken. Nothing is begun in its second half, so
# that a sink may keep us waiting for 30 seconds.
LEASE_MS = 60_000
# A sink that cannot be opened is tried again after so many milliseconds.
_REOPEN_MS = 10_000
# Taken at once, and sent at the same time. More threads only wait for each other.
_ROUND = 200
THREADS = 8


@dataclass(slots=True)
class Delivered:
    """What came of it. `failed` is tried again, `waiting` how many are still to be made; `problems`: sinks to which
    nothing goes now, and why; `errors`: the newest failure of each sink."""

    sent: int = 0
    failed: int = 0
    dead: int = 0
    waiting: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def tried(self) -> int:
        """How many deliveries were tried."""
        return self.sent + self.failed + self.dead


@dataclass(slots=True)
class _Sending:
    """One sink's part of a round. `arrived` and `lost` fill while it is sent; the rest is given back."""

    name: str
    sink: Sink
    items: list[outbox.Due]
    give_up: int
    arrived: list[outbox.Due] = field(default_factory=list)
    lost: list[tuple[outbox.Due, Undelivered]] = field(default_factory=list)
    pause_ms: int = 0
    stopped: str = ""

    @property
    def over(self) -> bool:
        """Whether the receiver wants nothing more now."""
        return bool(self.stopped or self.pause_ms)


class Deliverer:
    """Delivers to sinks by name. Not thread-safe; several deliverers may work on one database."""

    def __init__(
        self,
        store: Store,
        open: Callable[[str], Sink],  # noqa: A002  # what it does
        names: Iterable[str],
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        keys: Callable[[], Keys] | None = None,
    ) -> None:
        """`open` makes a sink and raises errors of `app.model.errors`; nothing is opened before something is due.
        `keys` are asked for where a prediction's own id is sealed."""
        self._store = store
        self._open = open
        self._names = list(names)
        self._clock = clock
        self._keys = keys
        self._sinks: dict[str, Sink] = {}
        self._paused: dict[str, int] = {}
        self._pool: ThreadPoolExecutor | None = None

    def deliver(self, limit: int | None = None) -> Delivered:
        """Everything that is due now, at most `limit` deliveries. What a sink does is noted as its health."""
        total = Delivered()
        while limit is None or total.tried < limit:
            parts = self._take(_ROUND if limit is None else min(_ROUND, limit - total.tried), total)
            if not parts:
                break
            self._send(parts)
            self._note(parts, total)
        with self._store.read() as connection:
            total.waiting = outbox.pending(connection, self._names)
        return total

    def check(self) -> dict[str, str]:
        """Opens all sinks; what is wrong with which. Otherwise the first verdict meets a mistake in the settings."""
        total = Delivered()
        for name in self._names:
            self._opened(name, total)
        return total.problems

    def pause(self, longest: float) -> float:
        """Seconds until something is due, at most `longest`."""
        with self._store.read() as connection:
            now = self._clock()
            names = [name for name in self._names if self._obstacle(connection, name, now) is None]
            moment = outbox.next_due(connection, names)
        return longest if moment is None else min(longest, max(0.0, (moment - now) / 1000))

    def close(self) -> None:
        """Closes the sinks that were opened."""
        if self._pool:
            self._pool.shutdown()
            self._pool = None
        while self._sinks:
            self._sinks.popitem()[1].close()

    # -- taking -------------------------------------------------------------------------------------------

    def _take(self, most: int, total: Delivered) -> list[_Sending]:
        """What is due at sinks that take something, taken. `total` gets the problems of the others."""
        ready = [name for name in self._ready(total) if self._opened(name, total)]
        if not ready:
            return []
        parts = []
        with self._store.write() as connection:
            now = self._clock()
            share = max(1, most // len(ready))
            for name in ready[:most]:
                items = outbox.due(connection, name, now, share)
                if items and self._obstacle(connection, name, now) is None:
                    outbox.take(connection, [item.delivery_id for item in items], now + LEASE_MS)
                    parts.append(_Sending(name, self._sinks[name], items, now + LEASE_MS // 2))
        return parts

    def _ready(self, total: Delivered) -> list[str]:
        """Sinks with something due. Asked without the writers' lock, since mostly there are none."""
        ready = []
        with self._store.read() as connection:
            now = self._clock()
            for name in self._names:
                moment = outbox.next_due(connection, [name])
                if moment is None or moment > now or name in total.problems:
                    continue
                obstacle = self._obstacle(connection, name, now)
                if obstacle is None:
                    ready.append(name)
                elif obstacle:
                    total.problems[name] = obstacle
        return ready

    def _obstacle(self, connection: Connection, name: str, now: int) -> str | None:
        """Why a sink gets nothing now: a sentence where a person has to act, nothing where it only waits, or None."""
        health = connections.one(connection, name, "out")
        if health and health.state == "stopped":
            return f"{health.error} Nothing is sent until `secondlook deliveries resume {name}`."
        return "" if self._paused.get(name, 0) > now else None

    def _opened(self, name: str, total: Delivered) -> bool:
        if name not in self._sinks:
            try:
                self._sinks[name] = self._open(name)
            except SecondlookError as error:
                total.problems[name] = str(error)
                self._paused[name] = self._clock() + _REOPEN_MS
                with self._store.write() as connection:
                    connections.note(connection, name, "out", self._clock(), "failing", str(error))
                return False
        return True

    # -- sending ------------------------------------------------------------------------------------------

    def _send(self, parts: Sequence[_Sending]) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(THREADS, "deliver")
        # One of each sink in turn: a slow one must not hold all threads before the others are served.
        longest = max(len(part.items) for part in parts)
        work = [(part, part.items[n]) for n in range(longest) for part in parts if n < len(part.items)]
        for future in [self._pool.submit(self._send_one, part, item) for part, item in work]:
            future.result()

    def _send_one(self, part: _Sending, item: outbox.Due) -> None:
        """Sends one, unless the receiver has said meanwhile that it wants no more. Appending is safe in threads."""
        if part.over or self._clock() > part.give_up:
            return
        try:
            part.sink.send(_delivery(item, self._keys))
        except Undelivered as error:
            part.lost.append((item, error))
            if error.stop:
                part.stopped = str(error)
            elif error.retry_after:
                part.pause_ms = max(part.pause_ms, min(round(error.retry_after * 1000), schedule.LONGEST))
        except Exception as error:  # noqa: BLE001  # sinks come from other packages too; one must not end all
            text = str(error) if isinstance(error, SecondlookError) else f"{type(error).__name__} in the sink: {error}"
            part.lost.append((item, Undelivered(text)))
        else:
            part.arrived.append(item)

    # -- noting -------------------------------------------------------------------------------------------

    def _note(self, parts: Sequence[_Sending], total: Delivered) -> None:
        """What became of a round, in one transaction."""
        with self._store.write() as connection:
            now = self._clock()
            for part in parts:
                if part.pause_ms:
                    self._paused[part.name] = now + part.pause_ms
                outbox.done(connection, [item.delivery_id for item in part.arrived], now)
                total.sent += len(part.arrived)
                for item, error in part.lost:
                    self._note_lost(connection, item, error, now, total)
                self._give_rest_back(connection, part, now)
                self._note_health(connection, part, now, total)

    def _note_lost(
        self, connection: Connection, item: outbox.Due, error: Undelivered, now: int, total: Delivered
    ) -> None:
        attempt = item.attempts + 1
        if error.stop:
            # Not a failure of this event: it goes first when the sink is resumed.
            due_at: int | None = now
        else:
            due_at = None if error.final else schedule.next_at(attempt, now, error.retry_after)
        if not outbox.failed(connection, item.delivery_id, attempt, str(error), due_at):
            return
        if due_at is None:
            total.dead += 1
        else:
            total.failed += 1

    def _give_rest_back(self, connection: Connection, part: _Sending, now: int) -> None:
        begun = {item.delivery_id for item in part.arrived} | {item.delivery_id for item, _ in part.lost}
        for item in part.items:
            if item.delivery_id not in begun:
                outbox.give_back(connection, item.delivery_id, item.attempts + 1, now + part.pause_ms)

    def _note_health(self, connection: Connection, part: _Sending, now: int, total: Delivered) -> None:
        health = connections.one(connection, part.name, "out")
        count = len(part.arrived)
        if part.lost:
            total.errors[part.name] = str(part.lost[-1][1])
        if part.stopped:
            connections.note(connection, part.name, "out", now, "stopped", part.stopped, count)
        elif health and health.state == "stopped":
            # Another deliverer was told so while this one was sending.
            connections.note(connection, part.name, "out", now, "stopped", health.error, count)
        elif part.lost:
            connections.note(connection, part.name, "out", now, "failing", total.errors[part.name], count)
        elif count:
            connections.note(connection, part.name, "out", now, items=count)


def sinks_of(settings: Settings) -> dict[str, ConnectionSettings]:
    """All that verdicts may go to: the sinks, and the sources that want them back."""
    back = {name: source for name, source in settings.sources.items() if source.replies}
    return {**settings.sinks, **back}


def deliverer_of(workspace: Workspace, store: Store, names: Iterable[str] | None = None) -> Deliverer:
    """A deliverer to the sinks of a workspace by name; None: to all."""
    known = sinks_of(workspace.settings)
    secrets = secrets_of(str(workspace.root))
    return Deliverer(
        store,
        lambda name: open_sink(name, known[name], secrets, workspace.root),
        known if names is None else names,
        keys=cache(workspace.keys),
    )


def resume(store: Store, name: str, now: int) -> bool:
    """Lets a stopped sink have its events again; returns whether it was stopped."""
    with store.write() as connection:
        health = connections.one(connection, name, "out")
        if health is None or health.state != "stopped":
            return False
        connections.note(connection, name, "out", now)
        return True


def _delivery(item: outbox.Due, keys: Callable[[], Keys] | None) -> Delivery:
    body = item.body.encode()
    event = orjson.loads(body)
    reference = orjson.loads(item.reference or "{}")
    sealed = reference.pop(SEALED, None)
    if sealed is not None:
        event = _with_own_id(event, sealed, keys)
        body = orjson.dumps(event)
    return Delivery(
        event_id=item.event_id,
        kind=item.kind,
        event=event,
        body=body,
        reference=reference if item.source == item.sink else {},
        attempt=item.attempts + 1,
    )


def _with_own_id(event: dict[str, Any], sealed: str, keys: Callable[[], Keys] | None) -> dict[str, Any]:
    """An event under the id that its prediction came with: here a token stands in its place. Raises Unavailable
    without the workspace's key."""
    if keys is None:
        raise Unavailable("The workspace key is needed to say which prediction this is about.")
    data = event["data"]
    own_id = opened_id(keys().quarantine, data["queue"], data["id"], sealed)
    return {**event, "subject": own_id, "data": {**data, "id": own_id}}
