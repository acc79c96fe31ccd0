"""httpx's transport with an end: an exchange may not take longer in all than it is given, however it is stretched.

httpx limits each read; a server that sends a byte a second never exceeds that. Here each read gets what is left.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpcore
import httpx

_CONNECTIONS = 32


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted. To read them takes longer than an exchange on this machine."""
    return httpx.create_ssl_context(trust_env=False)


class Deadline(threading.local):
    """When the exchange of this thread has to be over, in the seconds of `time.monotonic`."""

    until: float = float("inf")

    def left(self, timeout: float | None) -> float:
        """How long one step may take. Raises httpcore.ReadTimeout where nothing is left."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the exchange took too long")
        return left if timeout is None else min(left, timeout)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Everything in here has to be over after so many seconds."""
        self.until = time.monotonic() + seconds
        try:
            yield
        finally:
            self.until = float("inf")


class Transport(httpx.BaseTransport):
    """Connections over httpcore, whose steps end with the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trusted(),
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_CONNECTIONS,
            keepalive_expiry=5.0,
            network_backend=_Backend(deadline),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange; the body is read while the response is open."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        assert isinstance(request.stream, httpx.SyncByteStream)
        asked = httpcore.Request(
            request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
        )
        with _as_httpx(request):
            said = self._pool.handle_request(asked)
        assert isinstance(said.stream, Iterable)
        return httpx.Response(
            said.status, headers=said.headers, stream=_Body(said.stream, request), extensions=said.extensions
        )

    def close(self) -> None:
        """Closes all connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Iterable[bytes], request: httpx.Request) -> None:
        self._stream = stream
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx(self._request):
            yield from self._stream

    def close(self) -> None:
        if hasattr(self._stream, "close"):
            self._stream.close()


class _Backend(httpcore.SyncBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        opened = super().connect_tcp(host, port, self._deadline.left(timeout), local_address, socket_options)
        return _Stream(opened, self._deadline)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left(timeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        made = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _Stream(made, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()


@contextmanager
def _as_httpx(request: httpx.Request) -> Iterator[None]:
    """httpcore's errors as those of httpx that our callers tell apart."""
    try:
        yield
    except httpcore.ConnectTimeout as error:
        raise httpx.ConnectTimeout(str(error), request=request) from error
    except httpcore.TimeoutException as error:
        raise httpx.ReadTimeout(str(error), request=request) from error
    except httpcore.ConnectError as error:
        raise httpx.ConnectError(str(error), request=request) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise httpx.TransportError(str(error), request=request) from error
