"""Standard Webhooks 1.0: keys, signatures, and what a receiver's answer means."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from app.http import Answer
from app.model.errors import SettingsError, Undelivered

PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
CONTENT_TYPE = "application/cloudevents+json"


def new_key() -> str:
    """A new secret: `whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(name: str, secret: str) -> bytes:
    """The bytes of a secret. Raises SettingsError, without repeating the secret, where it is no webhook key."""
    try:
        if not secret.startswith(PREFIX):
            raise ValueError
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise SettingsError(
            f"The secret '{name}' is no webhook key: expected {PREFIX} and {_SHORTEST} to {_LONGEST} bytes in base64. "
            f"`secondlook secret new {name}` makes one."
        )
    return key


def headers(keys: Sequence[bytes], event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of one attempt at `timestamp` (seconds since 1970): one signature for each key. The id is the
    event's; a character that may not stand in a header is percent-encoded."""
    event_id = quote(event_id, safe="-_.~:+=/@")
    signed = f"{event_id}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys)
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def judge(answer: Answer, where: str, now: float) -> None:
    """Raises Undelivered for every answer but 2xx. `now`: seconds since 1970."""
    status = answer.status
    if 200 <= status < 300:
        return
    if status == 410:
        raise Undelivered(f"{where} answered 410: it wants no more events.", stop=True)
    if 300 <= status < 400:
        raise Undelivered(
            f"{where} answered {status}, a redirect, which is not followed. Put the final address into the settings."
        )
    asked = retry_after(answer.headers.get("retry-after", ""), now) if status in (429, 503) else None
    later = f" It asks to come again in {asked:.0f} s." if asked is not None else ""
    raise Undelivered(f"{where} answered {status}.{later}", retry_after=asked)


def retry_after(value: str, now: float) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or a date; None where it says nothing that is known."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        # More digits than any wait has are not turned into a number.
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.fromtimestamp(now, UTC)).total_seconds())
