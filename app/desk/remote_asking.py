"""Asking a hub: requests, deadlines, and what its refusals mean."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

from app.desk import wire
from app.http import Answer, Http
from app.model.errors import BadInput, Refused, SecondlookError, Unavailable

SESSION_HEADER = "secondlook-session"
# For each step of an exchange; the whole may take four times as long.
_SECONDS = 20.0
_WHOLE_SECONDS = 90.0
# A hub that did not answer before gets so long.
_AWAY_SECONDS = 3.0
# The hub, or a proxy before it, cannot serve now; the same request may be good later.
_NOT_NOW = frozenset((429, 502, 503, 504))


class Away(Unavailable):
    """The hub does not answer. Whether the request arrived is not known."""


class SignedOut(Refused):
    """The hub does not know the token, or not any more."""


class _Call:
    """One exchange, in a thread of its own: neither a name look-up nor a dead connection keeps the caller longer than
    it wants to wait, and whoever closes the desk ends the wait."""

    def __init__(self, act: Callable[[], Answer]) -> None:
        self._act = act
        self._done = threading.Event()
        self._answer: Answer | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._answer = self._act()
        except BaseException as error:  # noqa: BLE001  # raised again by the caller
            self._error = self._error or error
        self._done.set()

    def abort(self) -> None:
        self._error = Away("The desk is closed.")
        self._done.set()

    def wait(self, seconds: float) -> Answer:
        threading.Thread(target=self.run, name="hub", daemon=True).start()
        if not self._done.wait(seconds):
            raise Away("The hub does not answer in time.")
        if self._error is not None:
            raise self._error
        assert self._answer is not None
        return self._answer


class Asking:
    """A signed-in connection to a hub. Safe to use from several threads."""

    def __init__(self, url: str, token: str, session: str = "") -> None:
        headers = {"authorization": f"Bearer {token}", SESSION_HEADER: session or uuid.uuid4().hex}
        self._http = Http(url, headers=headers, timeout=_SECONDS)
        self._calls: set[_Call] = set()
        self._calls_lock = threading.Lock()
        self._cut_off = False

    def _get(self, path: str, **query: Any) -> Any:
        given = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", path, params=given)

    def _post(self, path: str, body: Any, seconds: float = _WHOLE_SECONDS) -> Any:
        return self._ask("POST", path, seconds, json=body)

    def _put(self, path: str, body: Any, seconds: float = _WHOLE_SECONDS) -> Any:
        return self._ask("PUT", path, seconds, json=body)

    def _ask(self, method: str, path: str, seconds: float = _WHOLE_SECONDS, **more: Any) -> Any:
        """Asks and returns the JSON of a good answer. Raises Away, SignedOut, or what the hub's problem document
        says."""
        try:
            answer = self._exchange(method, path, min(seconds, _AWAY_SECONDS) if self._is_away else seconds, more)
            if answer.status in (200, 201):
                found = _json(answer)
            elif answer.status == 204:
                found = None
            else:
                raise _error(answer)
        except (Away, SignedOut) as error:
            self._went_away(error)
            raise
        except SecondlookError:
            self._answered()
            raise
        self._answered()
        return found

    def _exchange(self, method: str, path: str, seconds: float, more: dict[str, Any]) -> Answer:
        call = _Call(lambda: self._http.request(method, f"/v1{path}", within=seconds, **more))
        with self._calls_lock:
            if self._cut_off:
                raise Away("The desk is closed.")
            self._calls.add(call)
        try:
            return call.wait(seconds)
        except Unavailable as error:
            raise error if isinstance(error, Away) else Away(str(error)) from None
        finally:
            with self._calls_lock:
                self._calls.discard(call)

    def _hang_up(self) -> None:
        """Ends every wait for the hub; nothing is asked from now on."""
        with self._calls_lock:
            self._cut_off = True
            for call in self._calls:
                call.abort()

    # What `Keeping` wants to know.

    @property
    def _is_away(self) -> bool:
        return False

    def _went_away(self, error: Away | SignedOut) -> None:
        """The hub did not answer, or not to this token."""

    def _answered(self) -> None:
        """The hub answered."""


def _json(answer: Answer) -> Any:
    """What a hub says. A page of HTML is of whoever stands between: a sign-in page of a hotel, for instance."""
    try:
        return answer.json()
    except Unavailable as error:
        raise Away(str(error)) from None


def _error(answer: Answer) -> SecondlookError:
    if answer.status == 401:
        return SignedOut("The hub does not know this token, or not any more. `secondlook login` signs in anew.")
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return Away(f"{answer.where} answered {answer.status}, and not as a hub does. Check the address.")
    found = wire.error_of(_json(answer))
    if answer.status in _NOT_NOW:
        return Away(str(found))
    if answer.status in (400, 413, 415):
        return BadInput(str(found))
    return found
