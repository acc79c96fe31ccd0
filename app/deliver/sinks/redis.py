"""Verdicts to a Redis stream: each event is one entry, added once."""

from __future__ import annotations

import threading
from pathlib import Path

from app.connecting import Secrets
from app.model.connection import Delivery
from app.model.errors import SettingsError, Unavailable, Undelivered
from app.resp import RedisError, RedisOptions, Resp

_ATTEMPTS = 5


class RedisSink:
    """Adds each event with the fields id, type, subject and body; `stream_id` too where the prediction came from
    Redis.

    A key that expires says which event was added. It is written in the same MULTI as the entry, so that there is
    never one without the other, and watched, so that of two who send the same event one adds it.
    """

    Options = RedisOptions

    def __init__(self, options: RedisOptions, secrets: Secrets, root: Path) -> None:
        if not options.reply_stream:
            raise SettingsError(
                "Verdicts to Redis need reply_stream: the key of the stream they go to. For a source whose verdicts "
                "do not go back, put `reply = false`."
            )
        if options.reply_stream == options.stream:
            raise SettingsError("reply_stream is stream: verdicts would come back as predictions.")
        self._stream = options.reply_stream
        self._seconds = max(1, round(options.remember_days * 86_400))
        self._redis = Resp(options, secrets)
        # What is watched belongs to the connection: one event after the other.
        self._lock = threading.Lock()

    def send(self, delivery: Delivery) -> None:
        """Adds one event, unless it was added before. Raises Undelivered."""
        try:
            with self._lock:
                for _ in range(_ATTEMPTS):
                    if self._added(delivery):
                        return
        except Unavailable as error:
            raise Undelivered(str(error)) from None
        raise Undelivered(f"Others keep writing {self._stream}'s mark of this event. It is tried again later.")

    def close(self) -> None:
        """Lets go of the connection."""
        self._redis.close()

    def _added(self, delivery: Delivery) -> bool:
        """Whether the event is in the stream now; False: somebody came between."""
        mark = mark_of(self._stream, delivery.event_id)
        watched, known = self._redis.pipeline([["WATCH", mark], ["EXISTS", mark]])
        _check(watched, known)
        if known:
            self._redis.ask("UNWATCH")
            return True
        fields: list[str | bytes] = ["id", delivery.event_id, "type", str(delivery.event.get("type", ""))]
        fields += ["subject", str(delivery.event.get("subject", "")), "body", delivery.body]
        if delivery.reference.get("stream_id"):
            fields += ["stream_id", str(delivery.reference["stream_id"])]
        replies = self._redis.pipeline(
            [["MULTI"], ["XADD", self._stream, "*", *fields], ["SET", mark, 1, "EX", self._seconds], ["EXEC"]]
        )
        _check(*replies)
        done = replies[-1]
        if done is None:
            return False
        # In a transaction one command may fail for itself, such as on a key of another type.
        if isinstance(done[0], RedisError):
            self._redis.ask("DEL", mark)
            raise done[0]
        return True


def mark_of(stream: str, event_id: str) -> str:
    """The key that says an event was added. In a cluster it lies where the stream lies."""
    return f"{stream if '{' in stream else '{' + stream + '}'}:sent:{event_id}"


def _check(*replies: object) -> None:
    for reply in replies:
        if isinstance(reply, RedisError):
            raise reply
