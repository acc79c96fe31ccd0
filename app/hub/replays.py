"""The `Idempotency-Key` header: a request that is sent again under its key gets its answer again.

Of keys and requests only keyed digests are kept, under the token that asked: no token reads another's answers.
"""

from __future__ import annotations

import contextlib
import hmac
import re
import threading
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import Header, Request
from starlette.responses import Response

from app.hub.hub import Hub, Identity
from app.hub.problems import MEDIA_TYPE, problem, refusal
from app.model.errors import BadInput, SecondlookError
from db import answered
from db.engine import Connection

KEY_HEADER, REPLAYED_HEADER = "Idempotency-Key", "Idempotency-Replayed"
KEPT_HOURS = 24
_KEPT_MS = KEPT_HOURS * 3_600_000
# An attempt that did not end within this time was cut off, with the process or the machine.
_ATTEMPT_MS = 60_000
_MOST_KEY = 255
# Longer answers are not kept, and the request is worked on again.
_MOST_BODY = 16 * 1024
# So many answers are kept of one token; beyond, the oldest go.
_MOST_OF_ONE = 100_000
_TRIM_EVERY = 1000
_FORGET_SECONDS = 60.0
# A structured field's string (RFC 8941), as the draft writes keys; and the bare form that most clients send.
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
# Answers that say nothing of the request itself: it may fare better the next time.
_NOT_FINAL = (401, 403, 408, 429)


def idempotency_key(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias=KEY_HEADER,
            description=f"A word of your own for this request, 1 to {_MOST_KEY} characters. Sent again within "
            f"{KEPT_HOURS} hours under the same word and with the same body, it is answered with what was answered "
            f"before, and `{REPLAYED_HEADER}: true`.",
        ),
    ] = None,
) -> str | None:
    """A dependency: the request's key, if it has one. Raises BadInput for one that cannot be used."""
    if key is None:
        return None
    given = request.headers.getlist(KEY_HEADER)
    quoted = _QUOTED.fullmatch(key)
    word = re.sub(r'\\(["\\])', r"\1", quoted[1]) if quoted else key
    usable = len(given) == 1 and 1 <= len(word) <= _MOST_KEY and (quoted or _BARE.fullmatch(key))
    if not usable or (key.startswith('"') and not quoted):
        raise BadInput(f"{KEY_HEADER}: expected one key of 1 to {_MOST_KEY} printable characters. Nothing was taken.")
    return word


class Replays:
    """A hub's answers under keys. Safe to use from several threads; several hubs on one database share them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self._new: dict[str, int] = {}
        self._forgot = float("-inf")

    def once(
        self, who: Identity, key: str | None, request: tuple[str | bytes, ...], work: Callable[[], Response]
    ) -> Response:
        """What `work` answers, or answered before to the same request under this key; without a key it just works."""
        if key is None:
            return work()
        name = self._digest("key", key).hex()
        digest = self._digest("request", *request)
        now = self._hub.clock()
        with self._hub.store.write() as connection:
            kept = answered.begin(connection, who.token_id, name, digest, now, now - _KEPT_MS, now - _ATTEMPT_MS)
            if kept is None:
                self._make_room(connection, who.token_id, now)
        if kept is not None:
            return _again(kept, digest)
        return self._worked(who.token_id, name, now, work)

    def _worked(self, asker: str, name: str, begun: int, work: Callable[[], Response]) -> Response:
        keep = False
        try:
            response = _answer_of(work)
            keep = _is_final(response)
        finally:
            # Where this fails the attempt counts as cut off, after its time; the answer is good all the same.
            with contextlib.suppress(SecondlookError), self._hub.store.write() as connection:
                if keep:
                    answered.finish(connection, asker, name, begun, response.status_code, bytes(response.body))
                else:
                    answered.drop(connection, asker, name, begun)
        return response

    def _make_room(self, connection: Connection, asker: str, now: int) -> None:
        moment = time.monotonic()
        with self._lock:
            self._new[asker] = count = self._new.get(asker, 0) + 1
            forget = moment - self._forgot >= _FORGET_SECONDS
            if forget:
                self._forgot = moment
        if forget:
            answered.forget(connection, now - _KEPT_MS)
        if count % _TRIM_EVERY == 0:
            answered.trim(connection, asker, _MOST_OF_ONE)

    def _digest(self, *parts: str | bytes) -> bytes:
        """A keyed digest: short requests and words cannot be found by trial."""
        plain = [part.encode() if isinstance(part, str) else part for part in parts]
        # With each part's length before it, no two lists of parts are the same bytes.
        framed = b"".join(len(part).to_bytes(8) + part for part in (b"idempotency", *plain))
        return hmac.digest(self._hub.keys.content, framed, "sha256")


def _answer_of(work: Callable[[], Response]) -> Response:
    try:
        return work()
    except SecondlookError as error:
        return refusal(error)


def _is_final(response: Response) -> bool:
    status = response.status_code
    return 200 <= status < 500 and status not in _NOT_FINAL and len(response.body) <= _MOST_BODY


def _again(kept: answered.Kept, digest: bytes) -> Response:
    """The answer to a request whose key was seen before."""
    if not hmac.compare_digest(kept.digest, digest):
        said = f"{KEY_HEADER}: another request was sent under this key. Nothing was taken; use a new key for a new one."
        return problem(422, said)
    if not kept.status:
        said = "The same request is being worked on. Send it again in a moment, under the same key."
        return problem(409, said, {"retry-after": "1"})
    media_type = "application/json" if kept.status < 300 else MEDIA_TYPE
    return Response(kept.body, kept.status, {REPLAYED_HEADER: "true"}, media_type)
