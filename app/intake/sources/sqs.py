"""Predictions from an Amazon SQS queue: one message, one record."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson

from app.aws import SqsOptions, opened
from app.connecting import Secrets
from app.model.connection import Batch, Item
from app.model.errors import SettingsError, Unavailable

# SQS gives and forgets at most ten messages a request.
_MOST = 10
# One pull takes no more than this into memory, whatever its limit.
_MOST_BYTES = 64 * 1024 * 1024
_LAG_SECONDS = 10.0


class SqsSource:
    """Receives messages, and deletes them once they are kept. What is not deleted comes again."""

    Options = SqsOptions

    def __init__(self, options: SqsOptions, secrets: Secrets, root: Path) -> None:
        if not options.queue_url:
            raise SettingsError("A source of type sqs needs queue_url: the URL of the queue with predictions.")
        self._options = options
        self._queue = opened(options, options.queue_url, secrets)
        self._pool = ThreadPoolExecutor(options.parallel, thread_name_prefix="sqs")
        self._lag: int | None = None
        self._lag_at = float("-inf")

    def pull(self, limit: int, cursor: str) -> Batch:
        """Messages until there are `limit`, or a request brings none; waits only for the first. There is no cursor:
        the queue knows what it gave."""
        first = self._receive(min(limit, _MOST), self._options.wait_seconds)
        taken = _Taken(limit - len(first), first)
        more = -(-taken.room // _MOST)
        # A first answer that is not full says that there is hardly more.
        workers = min(self._options.parallel, more) if len(first) == _MOST else min(1, more) if first else 0
        list(self._pool.map(self._drain, [taken] * workers))
        # A standard queue may hand a message to two requests: the later one's receipt is the one that counts.
        messages = {message.get("MessageId", message["ReceiptHandle"]): message for message in taken.messages}
        return Batch([_item(message) for message in messages.values()], lag=self._waiting())

    def acknowledge(self, batch: Batch) -> None:
        """Deletes the messages, ten a request. Raises Unavailable where one stays: it comes again, and is known."""
        receipts = [item.receipt for item in batch.items]
        tens = [receipts[n : n + _MOST] for n in range(0, len(receipts), _MOST)]
        # All are tried, whatever becomes of one.
        deleted = [self._pool.submit(self._delete, ten) for ten in tens]
        errors = [error for one in deleted if (error := one.exception())]
        if errors:
            raise errors[0]

    def close(self) -> None:
        """Lets go of connections."""
        self._pool.shutdown()
        self._queue.close()

    def _receive(self, count: int, wait: int) -> list[dict[str, Any]]:
        answer = self._queue.call(
            "ReceiveMessage",
            MaxNumberOfMessages=count,
            WaitTimeSeconds=wait,
            VisibilityTimeout=self._options.visibility_seconds,
        )
        found = answer.get("Messages") or []
        if not isinstance(found, list) or not all(map(_is_message, found)):
            raise Unavailable("The server answers with messages that are none of SQS. Check the endpoint.")
        return found

    def _drain(self, taken: _Taken) -> None:
        """Receives until nothing comes or nothing more is wanted."""
        while count := taken.reserve():
            try:
                found = self._receive(count, 0)
            except Unavailable:
                # What others have received is kept first; the next pull meets the error again and says it.
                return
            taken.add(count, found)
            if not found:
                return

    def _delete(self, receipts: Sequence[str]) -> None:
        entries = [{"Id": str(n), "ReceiptHandle": receipt} for n, receipt in enumerate(receipts)]
        for attempt in (1, 2):
            failed = self._queue.call("DeleteMessageBatch", Entries=entries).get("Failed") or []
            # A receipt that is over: the message was given to somebody else, who deletes it.
            left = [one for one in failed if "ReceiptHandle" not in str(one.get("Code"))]
            if not left:
                return
            if attempt == 2:
                raise Unavailable(
                    f"SQS did not delete {len(left)} of {len(receipts)} messages ({left[0].get('Code')}: "
                    f"{left[0].get('Message')}). They are kept here; they come again and are then known."
                )
            ids = {one.get("Id") for one in left}
            entries = [entry for entry in entries if entry["Id"] in ids]

    def _waiting(self) -> int | None:
        """About how many messages wait; None where one may not ask."""
        if time.monotonic() - self._lag_at >= _LAG_SECONDS:
            self._lag_at = time.monotonic()
            names = ["ApproximateNumberOfMessages"]
            try:
                found = self._queue.call("GetQueueAttributes", AttributeNames=names).get("Attributes") or {}
                self._lag = int(found[names[0]])
            except (Unavailable, KeyError, ValueError, TypeError):
                # Pulling needs no right to ask this.
                self._lag = None
        return self._lag


class _Taken:
    """What the requests of one pull have brought together."""

    def __init__(self, room: int, messages: list[dict[str, Any]]) -> None:
        self.room = room
        self.messages = list(messages)
        self._bytes = 0
        self._lock = threading.Lock()

    def reserve(self) -> int:
        """How many to ask for next; 0: enough."""
        with self._lock:
            count = min(self.room, _MOST) if self._bytes < _MOST_BYTES else 0
            self.room -= count
            return count

    def add(self, reserved: int, found: list[dict[str, Any]]) -> None:
        """Takes what came for a reservation."""
        with self._lock:
            self.room += reserved - len(found)
            self.messages += found
            self._bytes += sum(len(message["Body"]) for message in found)


def _is_message(found: Any) -> bool:
    return isinstance(found, dict) and all(isinstance(found.get(name), str) for name in ("Body", "ReceiptHandle"))


def _item(message: dict[str, Any]) -> Item:
    body = _unwrapped(message["Body"])
    return Item(body, reference={"message_id": message.get("MessageId", "")}, receipt=message["ReceiptHandle"])


def _unwrapped(body: str) -> bytes:
    """The record; of a message that SNS has put into its envelope, what is inside."""
    data = body.encode("utf-8", "surrogatepass")
    if '"TopicArn"' not in body:
        return data
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return data
    if isinstance(found, dict) and found.get("Type") == "Notification" and isinstance(found.get("Message"), str):
        return str(found["Message"]).encode()
    return data
