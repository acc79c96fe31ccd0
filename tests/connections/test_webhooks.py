"""The webhook sink against a receiver that verifies with `standardwebhooks` and `cloudevents`."""

from __future__ import annotations

import base64
import re
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from app.connecting import secrets_of
from app.deliver import webhooks
from app.deliver.sinks import open_sink
from app.model.connection import Delivery, Sink, SinkSettings
from app.model.errors import SettingsError, Unavailable, Undelivered
from tests.connections.receiver import BAD, Receiver

NEW, OLD = webhooks.new_key(), webhooks.new_key()
KEYS = {"hook-2026": NEW, "hook-2025": OLD}
DOCS = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"


def delivery(event_id: str = "", kind: str = "verdict", text: str = "ü") -> Delivery:
    event_id = event_id or str(uuid.uuid4())
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/secondlook/queues/credit",
        "type": "io.secondlook.verdict.v1",
        "subject": "loan-1",
        "time": "2027-05-01T08:00:00.000Z",
        "datacontenttype": "application/json",
        "sequence": "0000000001",
        "data": {"id": "loan-1", "verdict": "upheld", "correction": text},
    }
    return Delivery(event_id, kind, event, orjson.dumps(event), {}, 1)


def sink(url: str, secrets: Mapping[str, str] = KEYS, **options: Any) -> Sink:
    settings = {"type": "webhook", "url": url, "secrets": list(secrets), "private": True, **options}
    return open_sink("hook", SinkSettings.model_validate(settings), secrets.__getitem__, Path())


def sent(receiver: Receiver, **options: Any) -> Undelivered | None:
    """What sending one event came to."""
    opened = sink(receiver.url, **options)
    try:
        opened.send(delivery())
    except Undelivered as error:
        return error
    finally:
        opened.close()
    return None


@pytest.mark.parametrize("key", [NEW, OLD], ids=["new", "old"])
def test_while_keys_rotate_either_key_verifies(key: str) -> None:
    with Receiver(key) as receiver:
        assert sent(receiver) is None
        assert receiver.problems == [] and len(receiver.events) == 1
        assert receiver.headers[0]["content-type"] == "application/cloudevents+json"
        assert receiver.headers[0]["host"] == f"127.0.0.1:{receiver.port}"


def test_a_key_that_is_not_used_any_more_does_not_verify() -> None:
    with Receiver(OLD) as receiver:
        error = sent(receiver, secrets={"hook-2026": NEW})
        assert error and "401" in str(error)
        assert receiver.problems == ["WebhookVerificationError: No matching signature found"]


def test_a_receiver_that_answers_twice_has_got_it_once() -> None:
    with Receiver(NEW, lambda event_id, times: "twice") as receiver:
        assert sent(receiver) is None
        assert len(receiver.came) == 1


@pytest.mark.parametrize("how", ["html", "ok"])
def test_any_2xx_means_arrived(how: str) -> None:
    with Receiver(NEW, lambda event_id, times: how) as receiver:
        opened = sink(receiver.url)
        for _ in range(3):
            opened.send(delivery())
        opened.close()
        assert len(receiver.events) == 3 and receiver.problems == []


@pytest.mark.parametrize("how", BAD)
def test_everything_else_means_not_arrived(how: str) -> None:
    with Receiver(NEW, lambda event_id, times: how) as receiver:
        error = sent(receiver, timeout_seconds=0.2)
        assert error is not None and not error.stop and not error.final
        assert error.retry_after == (7 if how in ("429", "503") else None)
        # A redirect is not followed: nothing else was asked for.
        assert len(receiver.came) == 1 and receiver.problems == []


def test_410_means_stop() -> None:
    with Receiver(NEW, lambda event_id, times: "410") as receiver:
        error = sent(receiver)
        assert error is not None and error.stop


def test_nobody_there_means_not_arrived() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        opened = sink(f"http://127.0.0.1:{taken.getsockname()[1]}/")
        with pytest.raises(Undelivered, match="cannot be reached"):
            opened.send(delivery())
        opened.close()


def test_a_name_is_resolved_once_and_asked_for_by_name() -> None:
    with Receiver(NEW) as receiver:
        opened = sink(f"http://localhost:{receiver.port}/hooks?x=1")
        try:
            for _ in range(3):
                # `localhost` may stand for ::1 too, where nobody listens: then the next address has its turn.
                try:
                    opened.send(delivery())
                except Undelivered:
                    continue
        finally:
            opened.close()
        assert receiver.events and receiver.headers[0]["host"] == f"localhost:{receiver.port}"


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/"]
)
def test_private_addresses_are_refused_unless_they_are_allowed(url: str) -> None:
    with pytest.raises(SettingsError, match="no public address"):
        sink(url, private=False)


def test_a_name_that_stands_for_this_machine_is_refused() -> None:
    with Receiver(NEW) as receiver:
        opened = sink(f"http://localhost:{receiver.port}/", private=False)
        with pytest.raises(Undelivered, match="no public address"):
            opened.send(delivery())
        opened.close()
        assert receiver.came == []


@pytest.mark.parametrize(
    "url",
    ["http://hooks.example.com/", "ftp://x.example/", "nonsense", "https://me:pass@x.example/", "https://0x7f.1/"],
)
def test_unusable_addresses_are_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        sink(url)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_!!!!", "whsec_" + base64.b64encode(b"x" * 23).decode(),
               base64.b64encode(b"x" * 32).decode(),
               "whsec_" + base64.b64encode(b"x" * 65).decode()]
)  # fmt: skip
def test_what_is_no_key_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(SettingsError, match="no webhook key") as caught:
        sink("https://192.0.2.1/", {"weak": secret})
    assert secret == "" or secret == "whsec_" or secret not in str(caught.value)


def test_a_missing_secret_is_said_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("app.keyrings.get", lambda account: None)
    settings = SinkSettings.model_validate({"type": "webhook", "url": "https://x.example/", "secrets": ["hook-2026"]})
    with pytest.raises(Unavailable, match="SECONDLOOK_SECRET_HOOK_2026"):
        open_sink("hook", settings, secrets_of(str(tmp_path)), tmp_path)


@given(
    key=st.binary(min_size=24, max_size=64),
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    flip=st.integers(0, 10**6),
)
def test_signatures_hold_for_the_body_that_was_signed_and_no_other(key: bytes, text: str, flip: int) -> None:
    made = delivery(text=text)
    headers = webhooks.headers([key], made.event_id, int(time.time()), made.body)
    verifier = Webhook(key)
    assert verifier.verify(made.body, headers) == made.event
    changed = bytearray(made.body)
    changed[flip % len(changed)] ^= 1
    with pytest.raises((WebhookVerificationError, UnicodeDecodeError)):
        verifier.verify(bytes(changed), headers)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_id_makes_a_header(event_id: str) -> None:
    headers = webhooks.headers([b"k" * 32], event_id, 0, b"")
    assert headers["webhook-id"].isascii() and headers["webhook-id"].isprintable()


NOW = datetime(2027, 5, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("0", 0), (" 5 ", 5), (format_datetime(NOW + timedelta(minutes=2), usegmt=True), 120),
     (format_datetime(NOW - timedelta(minutes=2), usegmt=True), 0), ("", None), ("soon", None), ("-5", None),
     ("٣", None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert webhooks.retry_after(value, NOW.timestamp()) == seconds


@given(st.text(max_size=40))
def test_retry_after_takes_anything(value: str) -> None:
    found = webhooks.retry_after(value, NOW.timestamp())
    assert found is None or found >= 0


def test_the_example_in_the_docs_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert example
    monkeypatch.setenv("HOOK_KEY", NEW)
    scope: dict[str, Any] = {}
    exec(example[1], scope)
    receive: Callable[[bytes, Mapping[str, str]], int] = scope["receive"]
    made = delivery()
    headers = webhooks.headers([webhooks.key_of("k", OLD), webhooks.key_of("k", NEW)], made.event_id,
                               int(time.time()), made.body)  # fmt: skip
    assert [receive(made.body, headers) for _ in range(2)] == [204, 204]
    assert receive(made.body + b" ", headers) == 401
    assert scope["newest"]["loan-1"]["verdict"] == "upheld"
