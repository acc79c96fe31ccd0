"""HTTP, and the only place that knows httpx. No redirects, no proxies from the environment, no endless answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from app import __version__
from app.model.errors import Unavailable

if TYPE_CHECKING:
    from app.guard import Pin

_MOST_BYTES = 64 * 1024 * 1024
# An exchange may take so many times what one of its steps may take.
_WHOLE = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. Header names are lower case; `where` is the address that was asked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    where: str = ""

    def json(self) -> Any:
        """The body as JSON. Raises Unavailable for anything else: a page of HTML with status 200, for instance."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            kind = self.headers.get("content-type", "no content type")
            raise Unavailable(
                f"{self.where or 'The server'} answered {self.status} with {kind} instead of JSON. Check the address: "
                "it may be a sign-in page, or another service. Nothing was taken."
            ) from None

    @property
    def said(self) -> str:
        """The beginning of what it says to a person; of a page of HTML nothing."""
        if "html" in self.headers.get("content-type", ""):
            return ""
        return self.body[:200].decode("utf-8", "replace").strip()


class Http:
    """A connection to one server. Safe to use from several threads."""

    def __init__(
        self,
        base: str,
        headers: Mapping[str, str] | None = None,
        timeout: float = 15.0,
        most_bytes: int = _MOST_BYTES,
        cut: bool = False,
        pin: Pin | None = None,
    ) -> None:
        """`timeout` in seconds for each of connecting, sending and reading; the whole exchange may take four times as
        long. `cut`: of a longer answer the first `most_bytes` are enough, and `timeout` is for the whole exchange.
        `pin`: connections go to its address, under the name in `base`. Raises SettingsError for a base that is no
        http(s) address, or http to another machine than this one."""
        import httpx

        from app.http_transport import Deadline, Transport

        check_address(base)
        self._base = base.rstrip("/")
        self._most = most_bytes
        self._cut = cut
        self._timeout = timeout
        self._pin = pin
        self._deadline = Deadline()
        self._client = httpx.Client(
            headers={"user-agent": f"secondlook/{__version__}", **(headers or {})},
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            transport=Transport(self._deadline),
        )

    @property
    def base(self) -> str:
        """The server's address, without a slash at the end."""
        return self._base

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        within: float | None = None,
    ) -> Answer:
        """Asks; returns whatever is answered. `path` is joined to the base, `within` seconds for this exchange instead
        of what is usual. Raises Unavailable where nobody answers, or the answer is larger than it may be; SettingsError
        where the pinned host may not be called."""
        import httpx

        sent = dict(headers or {})
        if json is not None:
            content = orjson.dumps(json)
            sent.setdefault("content-type", "application/json")
        address = self._pin.address() if self._pin else ""
        extensions = self._named(sent) if self._pin else {}
        try:
            with (
                self._deadline.within(within or self._timeout * (1 if self._cut else _WHOLE)),
                self._client.stream(
                    method,
                    self._at(address) + path,
                    content=content,
                    params=params,
                    headers=sent,
                    extensions=extensions,
                ) as response,
            ):
                said = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, said, self._body(response), self._base + path)
        except httpx.TimeoutException as error:
            if self._pin and isinstance(error, httpx.ConnectTimeout):
                self._pin.failed(address)
            raise Unavailable(f"{self._base} does not answer in time. It is tried again later.") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            if self._pin and isinstance(error, httpx.ConnectError):
                self._pin.failed(address)
            raise Unavailable(f"{self._base} cannot be reached: {error or type(error).__name__}.") from None

    def _body(self, response: Any) -> bytes:
        """The answer's body, as far as it is wanted. Raises Unavailable where it does not end."""
        import httpx

        body = bytearray()
        try:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > self._most:
                    if self._cut:
                        return bytes(body[: self._most])
                    raise Unavailable(
                        f"{self._base} answers without end (over {self._most >> 20} MB). Nothing was taken."
                    )
        except httpx.TimeoutException:
            # A body that drips is not worth a thread; what counts of such an answer is its status.
            if not self._cut:
                raise
        return bytes(body)

    def _at(self, address: str) -> str:
        """The base with an address in place of the host's name."""
        if not address:
            return self._base
        parts = urlsplit(self._base)
        host = f"[{address}]" if ":" in address else address
        return parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host).geturl()

    def _named(self, headers: dict[str, str]) -> dict[str, Any]:
        """Asks by the host's name at a pinned address: the Host header, and the name that TLS verifies."""
        parts = urlsplit(self._base)
        headers["host"] = parts.netloc
        return {} if self._pin is None or self._pin.is_address else {"sni_hostname": self._pin.host}

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """Asks and returns the JSON of a good answer. Raises Unavailable saying what was refused, and what to do."""
        answer = self.request(method, path, **more)
        check(answer, self._base + path)
        return answer.json() if answer.body else None

    def close(self) -> None:
        """Closes all connections."""
        self._client.close()


def check(answer: Answer, where: str) -> None:
    """Raises Unavailable for an answer that is not good (2xx), in words."""
    if 200 <= answer.status < 300:
        return
    hint = {
        401: "The credentials are missing, wrong or expired: set the secret anew that the settings name.",
        403: "These credentials may not do this.",
        404: "Check the address and the names in the settings.",
        429: "Too many requests: it is tried again later.",
    }.get(answer.status, "It redirects: put the final address into the settings." if 300 <= answer.status < 400 else "")
    raise Unavailable(f"{where} answered {answer.status}. {hint} {answer.said}".rstrip())


def check_address(base: str) -> None:
    """Raises SettingsError for what is no http(s) address, or for plain http to another machine."""
    from app.model.errors import SettingsError

    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"'{base}' is no address: expected https://…")
    if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise SettingsError(f"'{base}' is not encrypted: only https goes to another machine.")
