"""An SQS that is fast enough to measure against: moto looks through its whole queue for each message it gives out.

It keeps what pulling relies on (visibility, receipts, at most ten a request) and checks no signatures; whether requests
are understood by others is tested against moto.

    python -m tests.connections.quick_sqs      prints its port, serves until its standard input ends
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections import deque
from typing import Any

import orjson

_MOST = 10


class Queue:
    """The only queue, in memory, whatever it is called."""

    def __init__(self) -> None:
        self.url = ""
        self._waiting: deque[tuple[str, str]] = deque()
        # By receipt: when it is visible again, and the message.
        self._given: dict[str, tuple[float, tuple[str, str]]] = {}

    def send(self, entries: list[dict[str, str]]) -> dict[str, Any]:
        self._waiting.extend((str(uuid.uuid4()), entry["MessageBody"]) for entry in entries)
        return {"Successful": [{"Id": entry["Id"]} for entry in entries]}

    def receive(self, most: int, seconds: int) -> dict[str, Any]:
        now = time.monotonic()
        # Receipts are in the order in which they were given; all have the same visibility.
        while self._given and next(iter(self._given.values()))[0] <= now:
            self._waiting.append(self._given.pop(next(iter(self._given)))[1])
        messages = []
        for _ in range(min(most, _MOST, len(self._waiting))):
            message, receipt = self._waiting.popleft(), str(uuid.uuid4())
            self._given[receipt] = (now + seconds, message)
            messages.append({"MessageId": message[0], "ReceiptHandle": receipt, "Body": message[1]})
        return {"Messages": messages}

    def delete(self, entries: list[dict[str, str]]) -> dict[str, Any]:
        for entry in entries:
            self._given.pop(entry["ReceiptHandle"], None)
        return {"Successful": [{"Id": entry["Id"]} for entry in entries]}

    def answer(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        """What the service says to one request."""
        match action:
            case "CreateQueue":
                return {"QueueUrl": self.url}
            case "SendMessageBatch":
                return self.send(asked["Entries"])
            case "ReceiveMessage":
                return self.receive(asked["MaxNumberOfMessages"], asked["VisibilityTimeout"])
            case "DeleteMessageBatch":
                return self.delete(asked["Entries"])
            case "GetQueueAttributes":
                counts = {"": len(self._waiting), "NotVisible": len(self._given)}
                return {"Attributes": {f"ApproximateNumberOfMessages{n}": str(count) for n, count in counts.items()}}
        raise ValueError(action)


class _Connection(asyncio.Protocol):
    """Finds each request by its length, and answers it."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = dict(line.split(b": ", 1) for line in bytes(self._buffer[:end]).lower().split(b"\r\n")[1:])
            length = end + 4 + int(head[b"content-length"])
            if len(self._buffer) < length:
                return
            target = bytes(self._buffer[:end]).lower().partition(b"x-amz-target: amazonsqs.")[2].split(b"\r\n")[0]
            action = next(name for name in _ACTIONS if name.lower() == target.decode())
            body = orjson.dumps(self._queue.answer(action, orjson.loads(self._buffer[end + 4 : length])))
            del self._buffer[:length]
            self._transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: %d\r\n\r\n%b"
                % (len(body), body)
            )


_ACTIONS = ("CreateQueue", "SendMessageBatch", "ReceiveMessage", "DeleteMessageBatch", "GetQueueAttributes")


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    queue = Queue()
    server = await loop.create_server(lambda: _Connection(queue), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    queue.url = f"http://127.0.0.1:{port}/1/quick"
    print(port, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
