"""Amazon's JSON services without their library: Signature Version 4, and the JSON protocol that SQS speaks."""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from pydantic import Field

from app.connecting import Secrets
from app.http import Answer, Http
from app.model.connection import Seconds
from app.model.errors import SettingsError, Unavailable
from app.model.policy import Strict

CONTENT_TYPE = "application/x-amz-json-1.0"
# What a server says to a request from another time. Some say only that the signature is wrong.
_SKEWED = frozenset(
    (
        "RequestExpired",
        "RequestTimeTooSkewed",
        "RequestInTheFuture",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "InvalidSignature",
        "AuthFailure",
    )
)
_EXPIRED = frozenset(("ExpiredToken", "ExpiredTokenException"))
_MISSING = frozenset(("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "NonExistentQueue"))
_UNKNOWN_KEY = frozenset(("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"))
_BUSY = frozenset(("ThrottlingException", "Throttling", "RequestThrottled", "TooManyRequestsException", "OverLimit"))
# Clocks closer than this are not why a signature was refused; servers allow five minutes.
_SKEW_SECONDS = 60.0
_ATTEMPTS = 3
_PAUSE_SECONDS = 0.2


class SqsOptions(Strict):
    """The settings of type `sqs`, the same for a source and for a sink: a source's verdicts go back by its settings.

    `queue_url`: where predictions come from; `reply_queue_url`: where verdicts go, best a FIFO queue.
    `region`, `endpoint`: taken from the queues' URLs where they are empty; `endpoint` for other servers than Amazon's.
    `access_key_secret`, `secret_key_secret`, `session_token_secret`: names of secrets; where empty, AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN are used.
    `visibility_seconds`: what was pulled and not acknowledged comes again after that.
    `wait_seconds`: how long a pull waits for the first message. `parallel`: requests at once.
    `timeout_seconds`: for each of connecting, sending and reading, beyond the waiting.
    """

    queue_url: str = ""
    reply_queue_url: str = ""
    region: str = ""
    endpoint: str = ""
    access_key_secret: str = ""
    secret_key_secret: str = ""
    session_token_secret: str = ""
    visibility_seconds: int = Field(default=120, ge=1, le=43_200)
    wait_seconds: int = Field(default=1, ge=0, le=20)
    parallel: int = Field(default=8, ge=1, le=16)
    timeout_seconds: Seconds = 15


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key; `token` only for temporary ones. Never printed."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def credentials(secrets: Secrets, key_name: str, secret_name: str, token_name: str) -> Credentials:
    """Credentials from named secrets; for names that are empty from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
    AWS_SESSION_TOKEN. Raises Unavailable where there are none."""
    named = bool(key_name or secret_name)

    def find(name: str, variable: str) -> str:
        # A token from the environment does not belong to a named key.
        return secrets(name) if name else "" if named else os.environ.get(variable, "")

    found = Credentials(
        find(key_name, "AWS_ACCESS_KEY_ID"),
        find(secret_name, "AWS_SECRET_ACCESS_KEY"),
        find(token_name, "AWS_SESSION_TOKEN"),
    )
    if not found.key_id or not found.secret:
        raise Unavailable(
            "There are no credentials for SQS: name access_key_secret and secret_key_secret in the settings and set "
            "both secrets, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    return found


def opened(options: SqsOptions, url: str, secrets: Secrets) -> Sqs:
    """The queue at `url` by these options. Raises SettingsError, or Unavailable where a secret is missing."""

    def load() -> Credentials:
        names = (options.access_key_secret, options.secret_key_secret, options.session_token_secret)
        return credentials(secrets, *names)

    timeout = options.timeout_seconds + options.wait_seconds
    return Sqs(url, load, options.region, options.endpoint, timeout)


def region_of(url: str) -> str:
    """The region in the address of an Amazon queue, else what AWS_REGION or AWS_DEFAULT_REGION says, else us-east-1."""
    parts = (urlsplit(url).hostname or "").split(".")
    if "amazonaws" in parts:
        here = parts.index("amazonaws")
        # sqs.REGION.amazonaws.com, or of old REGION.queue.amazonaws.com.
        names = [part for part in parts[:here] if part not in ("sqs", "queue")]
        if names:
            return names[-1]
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def signed(
    key: Credentials, region: str, service: str, url: str, headers: Mapping[str, str], body: bytes, now: float
) -> dict[str, str]:
    """The headers with a signature for POST of `body` to `url`. `now` in seconds since 1970.

    Every header given is signed, and `host`. The address has no query.
    """
    parts = urlsplit(url)
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    sent = {name.lower(): value.strip() for name, value in headers.items()} | {"x-amz-date": moment}
    if key.token:
        sent["x-amz-security-token"] = key.token
    covered = dict(sorted((sent | {"host": parts.netloc}).items()))
    names = ";".join(covered)
    lines = "".join(f"{name}:{value}\n" for name, value in covered.items())
    request = f"POST\n{parts.path or '/'}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    derived = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        derived = hmac.digest(derived, part.encode(), "sha256")
    signature = hmac.digest(derived, text.encode(), "sha256").hex()
    sent["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return sent


class Refusal(Unavailable):
    """The service said no. `code` is its own word for why, `fault` whether asking again as it is cannot help."""

    def __init__(self, message: str, code: str, fault: bool) -> None:
        self.code = code
        self.fault = fault
        super().__init__(message)


class Sqs:
    """One queue. Safe to use from several threads."""

    def __init__(
        self,
        queue_url: str,
        load: Callable[[], Credentials],
        region: str = "",
        endpoint: str = "",
        timeout: float = 15.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`load` finds the credentials, once more when they have expired. `timeout` in seconds, beyond what a request
        waits for messages. Raises SettingsError for an address that is none."""
        parts = urlsplit(queue_url)
        if not parts.netloc or not parts.path.strip("/"):
            raise SettingsError(
                f"'{queue_url}' is no queue's URL: expected https://sqs.REGION.amazonaws.com/ACCOUNT/NAME."
            )
        self.url = queue_url
        self._http = Http(endpoint or f"{parts.scheme}://{parts.netloc}", timeout=timeout)
        self._region = region or region_of(queue_url)
        self._load = load
        self._key = load()
        self._clock = clock
        # Seconds by which the server's clock is ahead of ours.
        self._ahead = 0.0

    def call(self, action: str, **parameters: Any) -> dict[str, Any]:
        """Asks the service about this queue. Raises Refusal, or Unavailable where nobody (or nobody fit) answers."""
        body = orjson.dumps({"QueueUrl": self.url, **parameters})
        mended = False
        for attempt in range(1, _ATTEMPTS + 1):
            used = self._key
            answer = self._post(action, body, used)
            if 200 <= answer.status < 300:
                return self._result(answer)
            code, said = _error(answer)
            if not mended and (self._set_clock(code, answer) or self._renew(code, used)):
                mended = True
            elif attempt == _ATTEMPTS or not (answer.status >= 500 or answer.status == 429 or code in _BUSY):
                break
            else:
                time.sleep(_PAUSE_SECONDS * attempt)
        raise self._refusal(action, answer, code, said)

    def close(self) -> None:
        """Closes all connections."""
        self._http.close()

    def _post(self, action: str, body: bytes, key: Credentials) -> Answer:
        headers = {"content-type": CONTENT_TYPE, "x-amz-target": f"AmazonSQS.{action}"}
        now = self._clock() + self._ahead
        sent = signed(key, self._region, "sqs", self._http.base + "/", headers, body, now)
        return self._http.request("POST", "/", content=body, headers=sent)

    def _result(self, answer: Answer) -> dict[str, Any]:
        if not answer.body:
            return {}
        found = answer.json()
        if not isinstance(found, dict):
            raise Unavailable(f"{self._http.base} answers with JSON that is not from SQS. Check the address.")
        return found

    def _set_clock(self, code: str, answer: Answer) -> bool:
        """Takes the server's clock, if ours is why it refused."""
        try:
            theirs = parsedate_to_datetime(answer.headers["date"]).timestamp()
        except (KeyError, ValueError, TypeError):
            return False
        ahead = theirs - self._clock()
        if code not in _SKEWED or abs(ahead - self._ahead) < _SKEW_SECONDS:
            return False
        self._ahead = ahead
        return True

    def _renew(self, code: str, used: Credentials) -> bool:
        """Looks for other credentials, if these have expired."""
        if code not in _EXPIRED:
            return False
        self._key = self._load()
        return self._key != used

    def _refusal(self, action: str, answer: Answer, code: str, said: str) -> Refusal:
        """What was refused, and what to do."""
        if code in _EXPIRED:
            hint = "The credentials have expired: set the secrets anew."
        elif code in _MISSING:
            hint = f"There is no queue {self.url}: check its URL and region in the settings."
        elif code in _UNKNOWN_KEY:
            hint = "This access key is not known there: check access_key_secret, and the endpoint."
        elif code in _SKEWED:
            hint = "The signature is refused: check secret_key_secret, the region, and this machine's clock."
        elif code in _BUSY:
            hint = "It is busy: it is tried again later."
        elif code.startswith("AccessDenied") or answer.status == 403:
            hint = f"These credentials may not do {action} on this queue."
        elif not code:
            hint = "That is no answer of SQS: check the endpoint in the settings."
        else:
            hint = ""
        where = f"{self._http.base} answered {answer.status}{f' ({code})' if code else ''} to {action}."
        fault = answer.status < 500 and code.startswith(("InvalidMessage", "InvalidParameter", "BatchRequestTooLong"))
        return Refusal(f"{where} {hint} {said}".strip().replace("  ", " "), code, fault)


def _error(answer: Answer) -> tuple[str, str]:
    """Code and message of an error; both may be empty."""
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        return "", answer.body[:200].decode("utf-8", "replace").strip()
    kind = str(found.get("__type") or answer.headers.get("x-amzn-errortype") or "")
    said = str(found.get("message") or found.get("Message") or "")
    return kind.rsplit("#", 1)[-1].split(":", 1)[0], said[:300]
