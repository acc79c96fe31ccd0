"""Predictions from a Redis stream, read as one of a consumer group: one entry, one record."""

from __future__ import annotations

import os
import secrets as random_names
import socket
import time
from pathlib import Path
from typing import Any

import orjson

from app.connecting import Secrets
from app.model.connection import Batch, Item
from app.model.errors import SettingsError, Unavailable
from app.resp import MOST_VALUE, Cut, RedisError, RedisOptions, Resp

# The first entries of a pull tell how large they are; later replies hold about so many bytes.
_FIRST = 100
_REPLY_BYTES = 8 * 1024 * 1024
# One pull takes no more than this into memory, whatever its limit.
_MOST_BYTES = 64 * 1024 * 1024

Entry = tuple[bytes, list[Any]]


class RedisSource:
    """Reads what is new, and takes over what a consumer that has died left behind."""

    Options = RedisOptions

    def __init__(self, options: RedisOptions, secrets: Secrets, root: Path) -> None:
        if not options.stream:
            raise SettingsError("A source of type redis needs stream: the key of the stream with predictions.")
        self._options = options
        self._stream = options.stream
        self._group = options.group
        # Nobody else has this name, so that it can be taken out of the group at the end.
        own = f"secondlook-{socket.gethostname()}-{os.getpid()}-{random_names.token_hex(3)}"
        self._consumer = options.consumer or own
        self._redis = Resp(options, secrets)
        self._grouped = False
        self._looked_at = float("-inf")

    def pull(self, limit: int, cursor: str) -> Batch:
        """At first what was left behind, then what is new; waits only where there is nothing. There is no cursor: the
        group knows what it gave."""
        try:
            return self._pull(limit)
        except RedisError as error:
            if error.code != "NOGROUP":
                raise
            # Somebody has deleted the stream or the group meanwhile.
            self._grouped = False
            return self._pull(limit)

    def acknowledge(self, batch: Batch) -> None:
        """Takes the entries off the group's list, and deletes them if that is wanted: both or none."""
        ids = [item.receipt for item in batch.items]
        if not ids:
            return
        commands: list[list[Any]] = [["MULTI"], ["XACK", self._stream, self._group, *ids]]
        if self._options.delete:
            commands.append(["XDEL", self._stream, *ids])
        replies = self._redis.pipeline([*commands, ["EXEC"]])
        # Why something was refused is said before the EXEC that refuses all.
        for reply in [*replies, *(replies[-1] if isinstance(replies[-1], list) else [])]:
            if isinstance(reply, RedisError):
                raise reply

    def close(self) -> None:
        """Takes its own name out of the group, if nothing is left to it, and lets go of the connection."""
        try:
            if self._grouped and not self._options.consumer:
                mine = self._redis.ask("XPENDING", self._stream, self._group, "-", "+", 1, self._consumer)
                if not mine:
                    self._redis.ask("XGROUP", "DELCONSUMER", self._stream, self._group, self._consumer)
        except Unavailable:
            # Only tidiness: a name that stays does no harm.
            pass
        finally:
            self._redis.close()

    def _pull(self, limit: int) -> Batch:
        self._join()
        taken: list[Entry] = []
        idle = self._options.idle_seconds
        if time.monotonic() - self._looked_at >= min(idle, 10):
            self._claim_left(taken, limit)
            # The search goes on with the next pull where there was more than this one could take.
            if len(taken) < limit:
                self._looked_at = time.monotonic()
        self._read_new(taken, limit)
        if not taken and self._options.wait_seconds:
            taken += self._read(_FIRST if limit > _FIRST else limit, self._options.wait_seconds)
        items = [_item(entry, self._options.field) for entry in taken]
        return Batch(items, lag=self._waiting(len(items)))

    def _join(self) -> None:
        """Makes the group where there is none."""
        if self._grouped:
            return
        try:
            self._redis.ask("XGROUP", "CREATE", self._stream, self._group, "0", "MKSTREAM")
        except RedisError as error:
            if error.code != "BUSYGROUP":
                raise
        self._grouped = True

    def _claim_left(self, taken: list[Entry], limit: int) -> None:
        """Takes over what has waited too long for its consumer."""
        start, idle = b"0-0", round(self._options.idle_seconds * 1000)
        while count := _next_count(taken, limit):
            command = ("XAUTOCLAIM", self._stream, self._group, self._consumer, idle, start, "COUNT", count)
            try:
                reply = self._redis.ask(*command)
            except RedisError as error:
                if "unknown command" in str(error):
                    raise Unavailable(f"{self._redis.where} is older than 6.2, which is needed.") from None
                raise
            if not isinstance(reply, list) or len(reply) < 2:
                raise Unavailable(f"{self._redis.where} gives an unexpected reply.")
            taken += _entries(reply[1])
            start = reply[0]
            if start == b"0-0":
                return

    def _read_new(self, taken: list[Entry], limit: int) -> None:
        while count := _next_count(taken, limit):
            found = self._read(count, 0)
            taken += found
            if len(found) < count:
                return

    def _read(self, count: int, wait: float) -> list[Entry]:
        block = ("BLOCK", max(1, round(wait * 1000))) if wait else ()
        group = ("XREADGROUP", "GROUP", self._group, self._consumer, "COUNT", count)
        reply = self._redis.ask(*group, *block, "STREAMS", self._stream, ">", wait=wait)
        return [entry for _, entries in reply or [] for entry in _entries(entries)]

    def _waiting(self, taken: int) -> int | None:
        """How many entries wait, also for other consumers to acknowledge them; None where Redis does not say."""
        try:
            groups = self._redis.ask("XINFO", "GROUPS", self._stream)
            pairs = [dict(zip(group[::2], group[1::2], strict=True)) for group in groups]
            mine = next(group for group in pairs if group[b"name"] == self._group.encode())
            unread, pending = mine.get(b"lag"), int(mine[b"pending"])
            if unread is None and self._options.delete:
                return max(0, int(self._redis.ask("XLEN", self._stream)) - taken)
            return None if unread is None else max(0, int(unread) + pending - taken)
        except (RedisError, StopIteration, TypeError, ValueError, KeyError):
            # Pulling needs no right to ask this.
            return None


def _next_count(taken: list[Entry], limit: int) -> int:
    """How many entries to ask for next; 0: enough."""
    room = limit - len(taken)
    if not taken:
        return min(room, _FIRST)
    size = sum(len(value) for _, fields in taken for value in fields if isinstance(value, bytes))
    return 0 if size >= _MOST_BYTES else min(room, max(1, _REPLY_BYTES * len(taken) // max(1, size)))


def _entries(found: Any) -> list[Entry]:
    """Entries with their fields; without those that were deleted meanwhile."""
    return [(entry[0], entry[1]) for entry in found or [] if entry and entry[1] is not None]


def _item(entry: Entry, field: str) -> Item:
    entry_id, fields = entry
    reference = {"stream_id": entry_id.decode("ascii", "replace")}
    for name, value in zip(fields[::2], fields[1::2], strict=False):
        if name != field.encode():
            continue
        if isinstance(value, Cut):
            problem = f"{value.size:,} bytes; a record may have {MOST_VALUE:,}. Its first 64 KiB are kept"
            return Item(value.head, reference=reference, receipt=entry_id, problem=problem)
        return Item(value, reference=reference, receipt=entry_id)
    given = [_text(part) for part in fields]
    data = orjson.dumps(dict(zip(given[::2], given[1::2], strict=False)))
    problem = f"the entry has no field '{field}'; it has {', '.join(given[::2])[:200]}"
    return Item(data, reference=reference, receipt=entry_id, problem=problem)


def _text(part: Any) -> str:
    return (part.head if isinstance(part, Cut) else bytes(part)).decode("utf-8", "replace")
