"""How much and how often one may ask: a cap on bodies, and a token bucket for each token or address."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.hub.problems import problem

_MOST_BUCKETS = 100_000


@dataclass(frozen=True, slots=True)
class Limits:
    """`body` in bytes, for ingest `ingest_body`; `rate` requests a second for long, `burst` at once."""

    body: int = 1024 * 1024
    ingest_body: int = 16 * 1024 * 1024
    rate: float = 2000.0
    burst: float = 4000.0


class _TooLarge(Exception):
    """The body goes on beyond its cap."""


class Limiter:
    """What those who ask have left; several hubs behind one address count for themselves."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._clock = clock
        # Who asks → what is left, and when that was so.
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def wait(self, asker: bytes) -> int:
        """Seconds to wait before asking again; 0: go on."""
        now = self._clock()
        left, at = self._buckets.pop(asker, (self.limits.burst, now))
        left = min(self.limits.burst, left + (now - at) * self.limits.rate)
        self._buckets[asker] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return 0 if left >= 1 else max(1, round((1 - left) / self.limits.rate + 0.5))


class Limited:
    """Middleware: holds each request against the `limiter` in its state."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Goes on with a request, or refuses it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limiter: Limiter = scope["state"]["limiter"]
        headers = dict(scope["headers"])
        wait = limiter.wait(_asker(scope, headers))
        if wait:
            refusal = problem(429, f"Too many requests: come again in {wait} s.", {"retry-after": str(wait)})
            await refusal(scope, receive, send)
            return
        ingests = scope["path"].startswith("/v1/predictions")
        most = limiter.limits.ingest_body if ingests else limiter.limits.body
        await self._with_cap(most, scope, headers, receive, send)

    async def _with_cap(
        self, most: int, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        refusal = problem(413, f"The body is larger than {most >> 10:,} KB. Nothing was taken; send less at once.")
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > most:
            await refusal(scope, receive, send)
            return
        came, begun = 0, False

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise _TooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except _TooLarge:
            if not begun:
                await refusal(scope, receive, send)


def _asker(scope: Scope, headers: dict[bytes, bytes]) -> bytes:
    given = headers.get(b"authorization")
    if given:
        return hashlib.sha256(given).digest()
    return (scope.get("client") or ("", 0))[0].encode()
