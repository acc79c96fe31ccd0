"""`type = "webhook"`: each event as a signed POST, as Standard Webhooks 1.0 and CloudEvents 1.0 say."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from app.connecting import Secrets
from app.deliver import webhooks
from app.guard import Pin
from app.http import Http
from app.model.connection import Delivery
from app.model.errors import SettingsError, Unavailable, Undelivered
from app.model.policy import Strict

# An answer's body is of no interest; so much is read, that the connection can be used again.
_MOST_BYTES = 16 * 1024


class WebhookSink:
    """Posts events to one address."""

    class Options(Strict):
        """`secrets`: names of the keys to sign with, all of them; `private`: the address may be one of this machine
        or a private network."""

        url: str
        secrets: Annotated[list[str], Field(min_length=1, max_length=5)]
        private: bool = False
        timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 15

    def __init__(self, options: Options, secrets: Secrets, root: Path) -> None:
        """Raises SettingsError for an address that may not be called, or a secret that is no key; Unavailable where
        one is missing."""
        parts = urlsplit(options.url)
        if parts.username or parts.password or parts.fragment:
            raise SettingsError("A webhook's url holds neither a password nor a #fragment: events are signed instead.")
        self._keys = [webhooks.key_of(name, secrets(name)) for name in options.secrets]
        base = f"{parts.scheme}://{parts.netloc}"
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._where = base + parts.path
        self._http = Http(
            base,
            timeout=options.timeout_seconds,
            most_bytes=_MOST_BYTES,
            cut=True,
            pin=Pin(base, options.private),
        )

    def send(self, delivery: Delivery) -> None:
        """Posts one event. Raises Undelivered."""
        signed = webhooks.headers(self._keys, delivery.event_id, int(time.time()), delivery.body)
        try:
            answer = self._http.request("POST", self._path, content=delivery.body, headers=signed)
        except (SettingsError, Unavailable) as error:
            raise Undelivered(str(error)) from None
        webhooks.judge(answer, self._where, time.time())

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()
