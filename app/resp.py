"""Redis over its own protocol (RESP2), with the standard library: pipelines, timeouts, no endless replies."""

from __future__ import annotations

import io
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import Field

from app.connecting import Secrets
from app.model.connection import Seconds
from app.model.errors import SettingsError, Unavailable
from app.model.policy import Strict

Word = str | bytes | int
# A string longer than this is read past; its beginning is kept.
MOST_VALUE = 4 * 1024 * 1024
_HEAD = 64 * 1024
# Redis itself allows no longer string.
_LONGEST = 512 * 1024 * 1024
_MOST_BYTES = 512 * 1024 * 1024
_MOST_ITEMS = 1_000_000
_DEEPEST = 8
_LINE = 64 * 1024
# A conversation may take so many times what one of its replies may take.
_WHOLE = 4
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_HINTS = {
    "NOAUTH": "It wants a password: name password_secret in the settings and set the secret.",
    "WRONGPASS": "User or password is wrong: set the secret anew.",
    "NOPERM": "This user may not do that: see the rights in docs/sources/redis.md.",
    "WRONGTYPE": "The key is no stream: check the names in the settings.",
    "LOADING": "It is starting: it is tried again later.",
    "READONLY": "It is a replica: put the primary's address into the settings.",
    "MOVED": "It is a cluster: put the address of the node that has the stream into the settings.",
    "OOM": "Its memory is full.",
    "MISCONF": "It cannot write to its disk.",
}


class RedisOptions(Strict):
    """The settings of type `redis`, the same for a source and for a sink: a source's verdicts go back by its settings.

    `url`: redis://HOST:PORT/DATABASE, rediss:// with TLS; `username`, `password_secret` (name of a secret);
    `certificates`: a file of authorities to trust in place of the system's.
    `stream`: where predictions come from; `reply_stream`: where verdicts go. `group`: the consumer group; it is made if
    it is missing, from the stream's beginning. `consumer`: this process's name in it, by default one of its own.
    `field`: the entry's field with the record. `delete`: entries are deleted once they are kept.
    `idle_seconds`: what a consumer took and did not acknowledge goes to another after that.
    `wait_seconds`: how long a pull waits where there is nothing. `timeout_seconds`: for connecting and each reply.
    `remember_days`: how long a verdict that was sent is not sent again.
    """

    url: str = "redis://127.0.0.1:6379/0"
    username: str = ""
    password_secret: str = ""
    certificates: str = ""
    stream: str = ""
    reply_stream: str = ""
    group: str = Field(default="secondlook", min_length=1)
    consumer: str = ""
    field: str = "record"
    delete: bool = False
    idle_seconds: Seconds = 120
    wait_seconds: float = Field(default=1, ge=0, le=20)
    timeout_seconds: Seconds = 15
    remember_days: float = Field(default=30, gt=0, le=3650)


class RedisError(Unavailable):
    """Redis refused a command. `code` is the first word of its reply, such as NOGROUP."""

    def __init__(self, where: str, said: str) -> None:
        self.code = said.split(" ", 1)[0]
        super().__init__(f"{where} refuses: {said[:300].rstrip('.')}. {_HINTS.get(self.code, '')}".rstrip())


@dataclass(frozen=True, slots=True)
class Cut:
    """A string of `size` bytes that was too long to be kept; its beginning."""

    head: bytes
    size: int


class _Broken(Exception):
    """The connection cannot be used any further; the message says why."""


class Resp:
    """A connection to one Redis, opened when it is first used and again when it has gone. Safe to use from several
    threads, one after the other."""

    def __init__(self, options: RedisOptions, secrets: Secrets) -> None:
        """Raises SettingsError for an address that is none, or not encrypted and on another machine; Unavailable where
        the secret is missing."""
        self._host, self._port, self._database, self._tls = _address(options.url)
        self.where = f"Redis at {self._host}:{self._port}"
        self._certificates = options.certificates
        self._timeout = options.timeout_seconds
        password = secrets(options.password_secret) if options.password_secret else ""
        self._auth = [word for word in (options.username, password) if word] if password else []
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._file: io.BufferedReader | None = None
        self._until = self._step = 0.0

    def ask(self, *command: Word, wait: float = 0) -> Any:
        """One command's reply: bytes, int, None or a list of them, a string too long as Cut. `wait`: seconds for which
        the server may block. Raises RedisError, or Unavailable where nothing answers."""
        reply = self.pipeline([command], wait)[0]
        if isinstance(reply, RedisError):
            raise reply
        return reply

    def pipeline(self, commands: Sequence[Sequence[Word]], wait: float = 0) -> list[Any]:
        """The replies of commands that are sent together; what was refused is a RedisError among them. Raises
        Unavailable where the connection breaks: then any of them may have been done."""
        with self._lock:
            try:
                self._connect()
                return self._talk(commands, wait)
            except TimeoutError:
                self._drop()
                raise Unavailable(f"{self.where} does not answer in time. It is tried again later.") from None
            except ssl.SSLError as error:
                self._drop()
                raise Unavailable(f"{self.where} has no TLS that can be trusted: {error.reason or error}.") from None
            except (OSError, _Broken) as error:
                self._drop()
                raise Unavailable(f"{self.where} cannot be used: {error}. It is tried again later.") from None
            except BaseException:
                # Half a conversation: the next reply would belong to this one.
                self._drop()
                raise

    def close(self) -> None:
        """Closes the connection."""
        with self._lock:
            self._drop()

    def _talk(self, commands: Sequence[Sequence[Word]], wait: float) -> list[Any]:
        assert self._socket
        assert self._file
        self._until = time.monotonic() + self._timeout * _WHOLE + wait
        self._step = self._timeout + wait
        self._socket.settimeout(self._step)
        self._socket.sendall(b"".join(map(_packed, commands)))
        # Each reply has its own allowance; together they are bounded by the commands.
        return [_Reader(self._file, self.where).read() for _ in commands]

    def _connect(self) -> None:
        if self._socket:
            # Nothing is due: what can be read is the end of the connection.
            if not select.select([self._socket], [], [], 0)[0]:
                return
            self._drop()
        opened = self._socket = socket.create_connection((self._host, self._port), self._timeout)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls:
            context = ssl.create_default_context(cafile=self._certificates or None)
            opened = self._socket = context.wrap_socket(opened, server_hostname=self._host)
        self._file = io.BufferedReader(_Timely(opened, self._left), 256 * 1024)
        greeting: list[Sequence[Word]] = [["AUTH", *self._auth]] if self._auth else []
        greeting.append(["SELECT", self._database])
        for reply in self._talk(greeting, 0):
            if isinstance(reply, RedisError):
                raise reply

    def _left(self) -> float:
        """Seconds for one read: a reply that drips ends with the conversation. Raises TimeoutError."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, self._step)

    def _drop(self) -> None:
        if self._file:
            self._file.close()
        if self._socket:
            self._socket.close()
        self._file = self._socket = None


class _Timely(io.RawIOBase):
    """A socket to read from, with so much time for each read as is left then."""

    def __init__(self, opened: socket.socket, left: Callable[[], float]) -> None:
        self._opened = opened
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._opened.settimeout(self._left())
        return self._opened.recv_into(buffer)


class _Reader:
    """Reads one reply."""

    def __init__(self, file: io.BufferedReader, where: str) -> None:
        self._file = file
        self._where = where
        self._bytes = 0
        self._items = 0

    def read(self, depth: int = 0) -> Any:
        line = self._line()
        kind, rest = line[:1], line[1:]
        match kind:
            case b"$":
                return self._bulk(_number(rest))
            case b"*":
                return self._array(_number(rest), depth)
            case b":":
                return _number(rest)
            case b"+":
                return rest
            case b"-":
                return RedisError(self._where, rest.decode("utf-8", "replace"))
        raise _Broken("it does not speak Redis's protocol")

    def _line(self) -> bytes:
        line = self._file.readline(_LINE)
        if not line.endswith(b"\r\n"):
            raise _Broken("its reply has no end" if len(line) >= _LINE else "it closed the connection")
        return line[:-2]

    def _bulk(self, size: int) -> bytes | Cut | None:
        if size < 0:
            return None
        if size > _LONGEST:
            raise _Broken(f"it announces a string of {size:,} bytes")
        kept = self._exactly(min(size, _HEAD if size > MOST_VALUE else size))
        self._bytes += len(kept)
        if self._bytes > _MOST_BYTES:
            raise _Broken(f"its reply is longer than {_MOST_BYTES >> 20} MB")
        left = size - len(kept)
        while left:
            left -= len(self._exactly(min(left, _HEAD)))
        if self._exactly(2) != b"\r\n":
            raise _Broken("it does not speak Redis's protocol")
        return Cut(kept, size) if size > MOST_VALUE else kept

    def _array(self, size: int, depth: int) -> list[Any] | None:
        if size < 0:
            return None
        self._items += size
        if self._items > _MOST_ITEMS or depth >= _DEEPEST:
            raise _Broken(f"it announces a reply of {self._items:,} parts")
        return [self.read(depth + 1) for _ in range(size)]

    def _exactly(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) < size:
            raise _Broken("it closed the connection")
        return data


def _packed(command: Sequence[Word]) -> bytes:
    parts = [b"*%d\r\n" % len(command)]
    for word in command:
        data = word if isinstance(word, bytes) else str(word).encode("utf-8", "surrogatepass")
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise _Broken("it does not speak Redis's protocol") from None


def _address(url: str) -> tuple[str, int, int, bool]:
    """Host, port, database, and whether it is encrypted."""
    parts = urlsplit(url)
    try:
        host, port, database = parts.hostname or "", parts.port or 6379, int(unquote(parts.path).strip("/") or 0)
    except ValueError:
        host, port, database = "", 0, 0
    if parts.scheme not in ("redis", "rediss") or not host:
        raise SettingsError("This is no address of a Redis: expected rediss://HOST:PORT/DATABASE.")
    if parts.username or parts.password:
        raise SettingsError("A password does not belong into the address: use username and password_secret.")
    if parts.scheme == "redis" and host not in _LOOPBACK:
        raise SettingsError(f"'{url}' is not encrypted: only rediss:// goes to another machine.")
    return host, port, database, parts.scheme == "rediss"
